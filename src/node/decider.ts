/**
 * Decides blocks: carries out what the consensus machine of each height wants done.
 *
 * In: that something is pending, timeouts, the machine's effects. Out: signed messages, a sign record that is
 * durable before any of them leaves, and committed blocks. The machine never waits and never touches the
 * world; this room does both for it. Inputs are taken one at a time; once they are used up, what was decided
 * becomes the head, or else everything that was signed is recorded with one durable write.
 */

import type { Json } from '../codec/json.ts'
import { Consensus, type ConsensusOptions } from '../consensus/consensus.ts'
import type { Effect } from '../consensus/effect.ts'
import type { Input } from '../consensus/input.ts'
import type { SignState } from '../consensus/sign-state.ts'
import type { ConsensusView } from '../consensus/view.ts'
import { assert, TautlineError } from '../errors.ts'
import type { Dropped, Mempool } from '../mempool/mempool.ts'
import type { Block } from '../objects/block.ts'
import { decodeTransaction } from '../objects/transaction.ts'
import { verified } from '../objects/verified.ts'
import { type Certificate, messageSigningText, type UnsignedMessage } from '../objects/vote.ts'
import type { Clock } from '../ports/clock.ts'
import type { Signer } from '../ports/keys.ts'
import type { Log } from '../ports/log.ts'
import type { SignRecordStore } from '../ports/sign-record-store.ts'
import { type BlockHash, nextHeight, type Round, type UnixMs, unixMs } from '../units.ts'
import type { Candidate, Chain } from './chain.ts'
import type { Door } from './door.ts'
import { type SignRecord, writeSignRecord } from './sign-record.ts'

/** How long a proposer waits for transactions that are at the door already: full blocks cost less than many small ones. */
export const lingerMs = 20
/** How long until a commit is tried again that the storage refused. */
export const retryMs = 1_000
/** How long until a heartbeat that is due is asked for again. */
const leastHeartbeatCheckMs = 10_000

export interface DeciderParts {
  readonly chain: Chain
  readonly mempool: Mempool
  readonly door: Door
  /** Absent for a node that only observes. */
  readonly signer: Signer | undefined
  readonly records: SignRecordStore
  readonly clock: Clock
  readonly log: Log
  readonly onCommitted: (candidate: Candidate) => void
  readonly onDropped: (dropped: readonly Dropped[]) => void
  /** A broken invariant: nothing is decided any more. */
  readonly onHalt: (error: unknown) => void
}

export class Decider {
  readonly #parts: DeciderParts
  readonly #inputs: Input[] = []
  readonly #timers = new Set<() => void>()
  readonly #candidates = new Map<BlockHash, Candidate>()
  #machine: Consensus
  /** Signed, but not recorded yet. */
  #unrecorded: SignState | undefined
  /** To be written, or being written, behind its block. */
  #behind: SignRecord | undefined
  #writtenBehind: Promise<void> = Promise.resolve()
  #decided: Certificate | undefined
  #heartbeat: (() => void) | undefined
  /** When the present round began, or when in it there began to be something to agree on. */
  #since: UnixMs
  #isWorking = false
  /** Resolves when the work that was begun last is done. */
  #work: Promise<void> = Promise.resolve()
  readonly #closing = new AbortController()

  private constructor(parts: DeciderParts, restored: SignState | undefined) {
    this.#parts = parts
    this.#machine = this.#newMachine(restored)
    this.#since = parts.clock.now()
  }

  /**
   * Resolves when what was begun before a crash has been taken up again, as far as this node alone can.
   *
   * @param record - what this node's key has signed so far; its network is the chain's
   */
  static async start(parts: DeciderParts, { signed, blocks }: SignRecord): Promise<Decider> {
    const isPresent = signed?.height === nextHeight(parts.chain.head.height)
    const decider = new Decider(parts, isPresent ? signed : undefined)
    if (isPresent) for (const text of blocks) await decider.#restoreCandidate(JSON.parse(text) as Block)
    decider.#beginHeight()
    await decider.#work
    return decider
  }

  /** Something was admitted that a block could include. */
  wake(): void {
    const isTold = this.#inputs.some((input) => input.kind === 'pending' && input.has)
    if (!isTold) this.#take({ kind: 'pending', has: true })
  }

  /** Where the present height stands, and since when. */
  view(): ConsensusView & { readonly since: UnixMs } {
    return { ...this.#machine.view(), since: this.#since }
  }

  /** Resolves when nothing is being decided any more. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#cancelTimers()
    this.#heartbeat?.()
    await this.#work
    await this.#writtenBehind
  }

  #take(input: Input): void {
    this.#inputs.push(input)
    this.#run()
  }

  #run(): void {
    if (this.#isWorking || this.#closing.signal.aborted) return
    this.#isWorking = true
    this.#work = this.#workOff()
  }

  async #workOff(): Promise<void> {
    try {
      while (!this.#closing.signal.aborted) {
        const input = this.#inputs.shift()
        if (input) await this.#perform(this.#step(input))
        else if (this.#decided) await this.#commit(this.#decided)
        else if (this.#unrecorded) await this.#record(this.#unrecorded)
        else return
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#isWorking = false // in the step that found nothing left: an input that comes later starts anew
    }
  }

  #step(input: Input): readonly Effect[] {
    const wasActive = this.#machine.active
    const effects = this.#machine.step(input)
    if (this.#machine.active && !wasActive) this.#since = this.#parts.clock.now()
    return effects
  }

  #fail(error: unknown): void {
    const { log, clock, onHalt } = this.#parts
    if (isStorageFailure(error)) {
      log.error(`no block can be made final: ${error.message}; trying again`, { retryMs })
      this.#timers.add(clock.schedule(retryMs, () => this.#run()))
    } else {
      onHalt(error)
    }
  }

  async #perform(effects: readonly Effect[]): Promise<void> {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'propose':
          await this.#propose(effect.round)
          break
        case 'sign':
          await this.#sign(effect.message, effect.state)
          break
        case 'schedule':
          this.#schedule(effect.delayMs, { kind: 'timeout', timeout: effect.timeout })
          break
        case 'cancel-timers':
          this.#cancelTimers()
          break
        case 'decide':
          this.#decided = effect.certificate
          break
        case 'accuse':
          this.#parts.log.warn('a validator has contradicted itself', {
            validator: effect.conflict[0].validator,
          })
          break
        case 'foreign-signature':
          this.#parts.log.error(
            'a message of this key is not in its sign record: the record is an old copy, or the key is in use elsewhere; this node signs nothing more',
            { height: effect.message.height },
          )
          break
        case 'round':
          this.#since = this.#parts.clock.now()
          break
      }
    }
  }

  async #propose(round: Round): Promise<void> {
    try {
      const candidate = await this.#buildBlock()
      if (candidate) this.#candidates.set(candidate.block.hash, candidate)
      this.#inputs.push(candidate ? { kind: 'value', round, block: candidate.block.hash } : this.#pending())
    } catch (error) {
      if (!isStorageFailure(error)) throw error
      // The timeout of this step starts another round, and then a block is asked for again.
      this.#parts.log.error(`no block can be built: ${error.message}`, { round })
    }
  }

  #pending(): Input {
    const time = this.#blockTime()
    return { kind: 'pending', has: this.#parts.mempool.hasIncludable(time) || this.#isHeartbeatDue(time) }
  }

  /** @returns undefined when there is nothing that a block could hold, and no heartbeat due */
  async #buildBlock(): Promise<Candidate | undefined> {
    const { chain, mempool, onDropped } = this.#parts
    const { maxBlockTransactions, maxBlockBytes } = chain.genesis.parameters
    await this.#linger(maxBlockTransactions)
    const time = this.#blockTime()
    this.#warnWhenLate(time)
    onDropped(mempool.expire(time))
    const selected = mempool.select({
      timeMs: time,
      maxTransactions: maxBlockTransactions,
      maxBytes: maxBlockBytes,
    })
    const candidate = await chain.execute(selected, time, this.#signerAddress())
    const refused = candidate.execution.refused.map(({ transaction }) => transaction.id)
    if (refused.length > 0) onDropped(mempool.invalidate(refused))
    return candidate.execution.included.length > 0 || this.#isHeartbeatDue(time) ? candidate : undefined
  }

  async #linger(enough: number): Promise<void> {
    const { door, mempool, clock } = this.#parts
    if (door.isEmpty || mempool.size.transactions >= enough) return
    const over = new AbortController()
    const cancel = clock.schedule(lingerMs, () => over.abort())
    await door.empty(over.signal)
    cancel()
  }

  #warnWhenLate(time: UnixMs): void {
    const { clock, chain, log } = this.#parts
    const behindMs = time - clock.now()
    if (behindMs <= chain.genesis.parameters.clockPrecisionMs) return
    log.warn(
      "this machine's clock is behind the last block: no block of its own can be valid until it has caught up",
      { behindMs },
    )
  }

  #blockTime(): UnixMs {
    const { chain, clock } = this.#parts
    return unixMs(Math.max(clock.now(), chain.head.time + 1))
  }

  #isHeartbeatDue(time: UnixMs): boolean {
    const { head, genesis } = this.#parts.chain
    return time >= head.time + genesis.parameters.heartbeatMs
  }

  async #sign(message: UnsignedMessage, state: SignState): Promise<void> {
    const { signer } = this.#parts
    assert(signer, 'only a node with a key is asked to sign')
    const signature = await signer.sign(messageSigningText(message))
    this.#unrecorded = state
    if (message.kind === 'proposal') {
      this.#inputs.push({
        kind: 'proposal',
        message: verified({ ...message, signature }),
        ...this.#judge(message.block),
      })
    } else {
      this.#inputs.push({ kind: 'vote', message: verified({ ...message, signature }) })
    }
  }

  /** A block is valid when it was executed here; it is timely when its time is not ahead of this clock. */
  #judge(block: BlockHash): { valid: boolean; timely: boolean } {
    const { clock, chain } = this.#parts
    const candidate = this.#candidates.get(block)
    if (!candidate) return { valid: false, timely: false }
    const { clockPrecisionMs } = chain.genesis.parameters
    return { valid: true, timely: candidate.block.header.time <= clock.now() + clockPrecisionMs }
  }

  async #record(state: SignState): Promise<void> {
    await writeSignRecord(this.#parts.records, this.#recordOf(state))
    this.#unrecorded = undefined
  }

  /** With the blocks that the state names. */
  #recordOf(signed: SignState): SignRecord {
    const { locked, valid, said } = signed
    const named = new Set([locked?.block, valid?.block, ...said.map(({ block }) => block)])
    const blocks = [...named].flatMap((hash) => (hash && this.#candidates.get(hash)?.block.text) ?? [])
    return { signed, blocks }
  }

  /** While one is written only the newest of those that come after it is kept. */
  #recordBehind(record: SignRecord): void {
    const isWriting = this.#behind !== undefined
    this.#behind = record
    if (!isWriting) this.#writtenBehind = this.#writeBehind()
  }

  async #writeBehind(): Promise<void> {
    const { records, log } = this.#parts
    for (let record = this.#behind; record !== undefined; ) {
      await writeSignRecord(records, record).catch((error: unknown) =>
        log.warn('the sign record could not be written behind its block', { error: String(error) }),
      )
      record = this.#behind === record ? undefined : this.#behind
      this.#behind = record
    }
  }

  /**
   * What was signed for a height is safe once its block is durable, since nothing is signed at or below the head.
   * So its record follows behind, for a storage that one day forgets its newest blocks without a word: it names
   * the block, and holds it. Where a head survives less than the record does, nobody sees it before both are
   * written.
   */
  async #commit(certificate: Certificate): Promise<void> {
    const candidate = this.#candidates.get(certificate.block)
    assert(candidate, 'the decided block was executed')
    const { chain, records, onCommitted } = this.#parts
    const record = this.#unrecorded && this.#recordOf(this.#unrecorded)
    const isHeadSafe = chain.durability === 'power-loss'
    await chain.commit(candidate, certificate, {
      ...(record && !isHeadSafe && { alongside: writeSignRecord(records, record) }),
      onPublished: () => onCommitted(candidate),
    })
    if (record && isHeadSafe) this.#recordBehind(record)
    this.#unrecorded = undefined
    this.#decided = undefined
    this.#candidates.clear()
    this.#cancelTimers()
    this.#inputs.length = 0 // they were about the height that is over
    this.#machine = this.#newMachine()
    this.#beginHeight()
  }

  #newMachine(restored?: SignState): Consensus {
    const { chain, signer } = this.#parts
    const options: ConsensusOptions = {
      network: chain.network,
      height: nextHeight(chain.head.height),
      validators: chain.head.validators,
    }
    return new Consensus({
      ...options,
      ...(signer && { self: signer.address }),
      ...(restored && { restored }),
    })
  }

  #beginHeight(): void {
    this.#armHeartbeat()
    this.#take(this.#pending())
  }

  #armHeartbeat(): void {
    const { chain, clock } = this.#parts
    const untilDueMs = chain.head.time + chain.genesis.parameters.heartbeatMs - clock.now()
    this.#heartbeat?.()
    this.#heartbeat = clock.schedule(Math.max(untilDueMs, leastHeartbeatCheckMs), () => {
      this.wake()
      this.#armHeartbeat() // a clock that was set back, or a block that found no quorum: it is still due then
    })
  }

  async #restoreCandidate({ header, transactions }: Block): Promise<void> {
    const decoded = transactions.map((transaction) => decodeTransaction(transaction as unknown as Json))
    const candidate = await this.#parts.chain.execute(decoded, header.time, header.proposer)
    this.#candidates.set(candidate.block.hash, candidate)
  }

  #schedule(delayMs: number, input: Input): void {
    const cancel = this.#parts.clock.schedule(delayMs, () => {
      this.#timers.delete(cancel)
      this.#take(input)
    })
    this.#timers.add(cancel)
  }

  #cancelTimers(): void {
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
  }

  #signerAddress() {
    const { signer } = this.#parts
    assert(signer, 'only a node with a key proposes')
    return signer.address
  }
}

const isStorageFailure = (error: unknown): error is TautlineError =>
  error instanceof TautlineError && error.code === 'storage-unavailable'
