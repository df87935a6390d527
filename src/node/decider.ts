/**
 * Decides blocks: carries out what the consensus machine of each height wants done.
 *
 * In: what others say, blocks that they have made final, that something is pending, timeouts. Out: signed
 * messages, each shown to nobody before the sign record that knows of it is durable, and committed blocks. The
 * machine never waits and never touches the world; this room does both for it. One thing is done at a time:
 * inputs first; once they are used up, what was decided becomes the head, or else everything that was signed is
 * recorded with one durable write, and leaves.
 */
import type { Json } from '../codec/json.ts'
import { Consensus } from '../consensus/consensus.ts'
import type { Effect } from '../consensus/effect.ts'
import type { Input } from '../consensus/input.ts'
import type { Conflict } from '../consensus/message-log.ts'
import type { SignState } from '../consensus/sign-state.ts'
import { isTimely } from '../consensus/timely.ts'
import type { ConsensusView } from '../consensus/view.ts'
import { assert, TautlineError } from '../errors.ts'
import type { CompactBlock } from '../messages/peer-message.ts'
import { type Block, hashHeader } from '../objects/block.ts'
import { type DecodedTransaction, decodeTransaction } from '../objects/transaction.ts'
import { type Verified, verified } from '../objects/verified.ts'
import {
  type Certificate,
  type ConsensusMessage,
  messageSigningText,
  type Proposal,
  type UnsignedMessage,
  type Vote,
} from '../objects/vote.ts'
import type { Clock } from '../ports/clock.ts'
import type { Signer } from '../ports/keys.ts'
import type { Log } from '../ports/log.ts'
import type { SignRecordStore } from '../ports/sign-record-store.ts'
import { type BlockHash, type Hash, type Height, nextHeight, type Round, type UnixMs } from '../units.ts'
import type { BlockBuilder } from './block-builder.ts'
import { type BlockSink, type DecodedBlock, executeProven } from './block-sink.ts'
import type { Candidate, Chain, Head } from './chain.ts'
import { EarlyMessages } from './early-messages.ts'
import { compactBlock, type HeardProposal } from './heard-proposal.ts'
import { type SignRecord, writeSignRecord } from './sign-record.ts'

/** How long until a commit is tried again that the storage refused. */
export const retryMs = 1_000
/** How long until a heartbeat that is due is asked for again. */
const leastHeartbeatCheckMs = 10_000
/** Most blocks of one height that are kept beside those that locks and decisions are about. */
export const maxCandidates = 16

export interface DeciderParts {
  readonly chain: Chain
  readonly builder: BlockBuilder
  /** Absent for a node that only observes. */
  readonly signer: Signer | undefined
  readonly records: SignRecordStore
  readonly clock: Clock
  readonly log: Log
  readonly onCommitted: (candidate: Candidate) => void
  /** This node's own message may leave: what it says is durable. */
  readonly onSaid: (message: Verified<ConsensusMessage>) => void
  /** The head or the round has changed. */
  readonly onMoved: () => void
  readonly onAccused: (conflict: Conflict) => void
  /** A broken invariant: nothing is decided any more. */
  readonly onHalt: (error: unknown) => void
}

/** Work on the present height that takes its turn among the inputs of the machine. */
interface Job {
  readonly height: Height
  run(): Promise<void>
  /** Called instead when the height is over. */
  skip(): void
}

export class Decider implements BlockSink {
  readonly #parts: DeciderParts
  readonly #inputs: Input[] = []
  #jobs: Job[] = []
  readonly #timers = new Set<() => void>()
  readonly #candidates = new Map<BlockHash, Candidate>()
  readonly #early = new EarlyMessages()
  #machine: Consensus
  /** What the storage failed with last, until it takes a block again. */
  #complaint: string | undefined
  /** Of the height before, which is decided; it still knows who has said what. */
  #before: Consensus | undefined
  /** What the key had signed when this node started; of use until its height is over. */
  #restored: SignRecord
  /** Signed, but not recorded yet. */
  #unrecorded: SignState | undefined
  /** Signed, and not to be seen by anybody before it is recorded. */
  #unsaid: Verified<ConsensusMessage>[] = []
  /** To be written, or being written, behind its block. */
  #behind: SignRecord | undefined
  #writtenBehind: Promise<void> = Promise.resolve()
  #decided: Certificate | undefined
  /** What the machine was told last. */
  #isPending = false
  /** Those who wait for the block that is being made final. */
  readonly #applied: (() => void)[] = []
  /** When the present round began, or when in it there began to be something to agree on. */
  #since: UnixMs
  #heartbeat: (() => void) | undefined
  /** The key has signed something that its record doesn't know. */
  #isForeign = false
  #isWorking = false
  /** Resolves when the work that was begun last is done. */
  #work: Promise<void> = Promise.resolve()
  readonly #closing = new AbortController()

  private constructor(parts: DeciderParts, restored: SignRecord) {
    this.#parts = parts
    this.#restored = restored
    this.#since = parts.clock.now()
    this.#machine = this.#newMachine()
  }

  /**
   * Resolves when what was begun before a crash has been taken up again, as far as this node alone can.
   *
   * @param record - what this node's key has signed so far; its network is the chain's
   */
  static async start(parts: DeciderParts, record: SignRecord): Promise<Decider> {
    const decider = new Decider(parts, record)
    await decider.#beginHeight()
    decider.#run()
    await decider.#work
    return decider
  }

  /** Something may have become includable in a block. */
  wake(): void {
    if (!this.#isPending) this.#take(this.#pending())
  }

  /**
   * Takes in a vote of whatever height: those for the next one are kept until it begins, those for the one before
   * can only accuse.
   */
  hear(vote: Verified<Vote>): void {
    if (vote.height === this.height) this.#take({ kind: 'vote', message: vote })
    else if (vote.height === nextHeight(this.height)) this.#hearEarly(vote, () => this.#early.addVote(vote))
    else if (nextHeight(vote.height) === this.height) this.#hearLate({ kind: 'vote', message: vote })
  }

  /** Executes a proposed block and takes the proposal in, as {@link hear} does a vote. */
  hearProposal(proposal: HeardProposal): void {
    const { message } = proposal
    if (message.height === this.height) this.#enqueue(this.height, () => this.#judgeHeard(proposal))
    else if (message.height === nextHeight(this.height))
      this.#hearEarly(message, () => this.#early.addProposal(proposal))
  }

  /** A proposal for the height before: whose block it has, nobody needs to know any more. */
  hearLateProposal(message: Verified<Proposal>): void {
    if (nextHeight(message.height) === this.height)
      this.#hearLate({ kind: 'proposal', message, valid: false, timely: false })
  }

  get head(): Head {
    return this.#parts.chain.head
  }

  apply(block: Verified<DecodedBlock>, certificate: Verified<Certificate>): Promise<void> {
    const { height } = block.header
    if (height !== this.height) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const run = async (): Promise<void> => {
        try {
          await this.#decideOn(block, certificate)
          this.#applied.push(resolve)
        } catch (error) {
          reject(error)
        }
      }
      this.#enqueue(height, run, resolve)
    })
  }

  async #decideOn(block: Verified<DecodedBlock>, certificate: Verified<Certificate>): Promise<void> {
    const { height } = certificate
    await this.#execute(block)
    await this.#perform(this.#step({ kind: 'certificate', certificate }))
    if (this.#decided?.block === certificate.block) return
    const fork = new Error(`the ledger has forked: two blocks of height ${height} have certificates`)
    this.#parts.onHalt(fork)
    throw fork
  }

  /** That which is being decided: one above the head. */
  get height(): Height {
    return nextHeight(this.#parts.chain.head.height)
  }

  get round(): Round {
    return this.#machine.round
  }

  /** Where the present height stands, and since when. */
  view(): ConsensusView & { readonly since: UnixMs } {
    return { ...this.#machine.view(), since: this.#since }
  }

  /** What everybody in this height should have heard. */
  recent(): readonly Verified<ConsensusMessage>[] {
    return this.#machine.recent().filter((message) => !this.#unsaid.includes(message))
  }

  /** There is something that everybody in this height should have heard. */
  get isTalking(): boolean {
    return this.#parts.chain.head.validators.list.length > 1 && this.recent().length > 0
  }

  /** A block of this height that is held here. */
  blockOf(hash: BlockHash): CompactBlock | undefined {
    const candidate = this.#candidates.get(hash)
    return candidate && compactBlock({ ...candidate.block, evidence: candidate.execution.evidence })
  }

  /** A transaction of a block of this height that is held here, by the hash of the whole signed transaction. */
  transactionOf(hash: Hash): DecodedTransaction | undefined {
    for (const { block } of this.#candidates.values()) {
      const found = block.transactions.find((transaction) => transaction.hash === hash)
      if (found) return found
    }
    return undefined
  }

  /** Resolves when nothing is being decided any more. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#cancelTimers()
    this.#heartbeat?.()
    await this.#work
    await this.#writtenBehind
    for (const job of this.#jobs.splice(0)) job.skip()
  }

  #hearEarly(message: Verified<ConsensusMessage>, keep: () => void): void {
    const { chain, signer } = this.#parts
    const signedTo = this.#restored.signed?.height ?? 0
    if (message.validator === signer?.address && message.height > signedTo) this.#becomeForeign(message)
    else if (chain.head.validators.stakes.has(message.validator)) keep()
  }

  #hearLate(input: Extract<Input, { kind: 'proposal' | 'vote' }>): void {
    for (const effect of this.#before?.step(input) ?? [])
      if (effect.kind === 'accuse') this.#accuse(effect.conflict)
  }

  #take(input: Input): void {
    this.#inputs.push(input)
    this.#run()
  }

  #enqueue(height: Height, run: () => Promise<void>, skip: () => void = () => undefined): void {
    this.#jobs.push({ height, run, skip })
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
        const work = this.#workOnce()
        if (!work) return
        await work
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#isWorking = false // in the step that found nothing left: an input that comes later starts anew
    }
  }

  /** @returns undefined when nothing is left to do */
  #workOnce(): Promise<void> | undefined {
    const input = this.#inputs.shift()
    if (input) return this.#feed(input)
    if (this.#decided && this.#candidates.has(this.#decided.block)) return this.#commit(this.#decided)
    if (this.#unrecorded) return this.#record(this.#unrecorded)
    const job = this.#jobs.shift()
    return job && this.#runJob(job)
  }

  /** Time passes between timeouts: what was pending may have expired, and then there is nothing to wait for. */
  async #feed(input: Input): Promise<void> {
    if (input.kind === 'timeout') await this.#perform(this.#step(this.#pending()))
    await this.#perform(this.#step(input))
  }

  #step(input: Input): readonly Effect[] {
    const wasActive = this.#machine.active
    const effects = this.#machine.step(input)
    if (this.#machine.active && !wasActive) this.#since = this.#parts.clock.now()
    return effects
  }

  async #runJob({ height, run, skip }: Job): Promise<void> {
    if (height === this.height) await run()
    else skip()
  }

  #fail(error: unknown): void {
    const { log, clock, onHalt } = this.#parts
    if (isStorageFailure(error)) {
      if (error.message !== this.#complaint)
        log.error(`no block can be made final: ${error.message}; trying again`, { retryMs })
      this.#complaint = error.message
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
          this.#accuse(effect.conflict)
          break
        case 'foreign-signature':
          this.#becomeForeign(effect.message)
          break
        case 'round':
          this.#since = this.#parts.clock.now()
          this.#parts.onMoved()
      }
    }
  }

  #accuse(conflict: Conflict): void {
    const { validator, height, round } = conflict[0]
    this.#parts.log.warn('a validator has contradicted itself', { validator, height, round })
    this.#parts.onAccused(conflict)
  }

  /** The machine of this height signs nothing more by itself, and there is to be none after it that does. */
  #becomeForeign({ height }: ConsensusMessage): void {
    if (this.#isForeign) return
    this.#isForeign = true
    this.#parts.log.error(
      'a message of this key is not in its sign record: the record is an old copy, or the key is in use elsewhere; ' +
        'this node signs nothing more: make sure that the key runs here alone, then start again',
      { height },
    )
    if (height !== this.height) this.#machine = this.#newMachine()
  }

  async #propose(round: Round): Promise<void> {
    try {
      const candidate = await this.#parts.builder.build(this.#signerAddress())
      if (candidate) this.#keep(candidate)
      this.#inputs.push(candidate ? { kind: 'value', round, block: candidate.block.hash } : this.#pending())
    } catch (error) {
      if (!isStorageFailure(error)) throw error
      // The timeout of this step starts another round, and then a block is asked for again.
      this.#parts.log.error(`no block can be built: ${error.message}`, { round })
    }
  }

  #pending(): Input {
    this.#isPending = this.#parts.builder.hasContent
    return { kind: 'pending', has: this.#isPending }
  }

  /** The newest few, and what locks and decisions are about. */
  #keep(candidate: Candidate): void {
    this.#candidates.set(candidate.block.hash, candidate)
    if (this.#candidates.size <= maxCandidates) return
    const { locked, valid } = this.#machine.view()
    const needed = new Set([locked?.block, valid?.block, this.#decided?.block, candidate.block.hash])
    const oldest = [...this.#candidates.keys()].find((hash) => !needed.has(hash))
    if (oldest) this.#candidates.delete(oldest)
  }

  async #sign(message: UnsignedMessage, state: SignState): Promise<void> {
    const { signer, clock } = this.#parts
    assert(signer, 'only a node with a key is asked to sign')
    const signature = await signer.sign(messageSigningText(message))
    const signed = verified({ ...message, signature }) as Verified<ConsensusMessage>
    this.#unrecorded = state
    this.#unsaid.push(signed)
    if (signed.kind === 'proposal') {
      const candidate = this.#candidates.get(signed.block)
      const timely =
        candidate !== undefined && this.#isTimely(candidate.block.header.time, clock.now(), signed.round)
      this.#inputs.push({ kind: 'proposal', message: signed, valid: candidate !== undefined, timely })
    } else {
      this.#inputs.push({ kind: 'vote', message: signed })
    }
  }

  #isTimely(time: UnixMs, heardAt: UnixMs, round: Round): boolean {
    return isTimely(time, heardAt, round, this.#parts.chain.genesis.parameters)
  }

  async #judgeHeard({ message, block, heardAt }: HeardProposal): Promise<void> {
    const flaw = await this.#flawOf(block)
    if (flaw !== undefined) {
      const { validator, height, round } = message
      this.#parts.log.warn(`a proposed block is invalid: ${flaw}`, { proposer: validator, height, round })
    }
    const timely = this.#isTimely(block.header.time, heardAt, message.round)
    this.#inputs.push({ kind: 'proposal', message, valid: flaw === undefined, timely })
  }

  /** @returns what is wrong with a block that follows the head; without a flaw it is held from now on */
  async #flawOf(block: Verified<DecodedBlock>): Promise<string | undefined> {
    try {
      await this.#execute(block)
      return undefined
    } catch (error) {
      if (error instanceof TautlineError && error.code === 'ledger-mismatch') return error.message
      throw error
    }
  }

  /** @throws TautlineError `ledger-mismatch`, `storage-unavailable` */
  async #execute(block: Verified<DecodedBlock>): Promise<void> {
    if (!this.#candidates.has(block.hash)) this.#keep(await executeProven(this.#parts.chain, block))
  }

  async #record(state: SignState): Promise<void> {
    await this.#writtenBehind // or else the older record could land last, and be what is found after a crash
    await writeSignRecord(this.#parts.records, this.#recordOf(state))
    this.#unrecorded = undefined
    this.#sayAll()
  }

  #sayAll(): void {
    for (const message of this.#unsaid.splice(0)) this.#parts.onSaid(message)
  }

  /** With the blocks that the state promises something about: a prevote alone promises nothing. */
  #recordOf(signed: SignState): SignRecord {
    const { locked, valid, said } = signed
    const promised = said.filter(({ kind }) => kind !== 'prevote').map(({ block }) => block)
    const named = new Set([locked?.block, valid?.block, ...promised])
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
    const { chain, records, onCommitted, onMoved } = this.#parts
    const record = this.#unrecorded && this.#recordOf(this.#unrecorded)
    const isHeadSafe = chain.durability === 'power-loss'
    await chain.commit(candidate, certificate, {
      ...(record && !isHeadSafe && { alongside: writeSignRecord(records, record) }),
      onPublished: () => onCommitted(candidate),
    })
    if (record && isHeadSafe) this.#recordBehind(record)
    this.#unrecorded = undefined
    this.#sayAll() // the others may need this node's vote to come as far
    this.#endHeight()
    await this.#beginHeight()
    onMoved()
    for (const resolve of this.#applied.splice(0)) resolve()
  }

  #endHeight(): void {
    this.#decided = undefined
    this.#complaint = undefined
    this.#candidates.clear()
    this.#cancelTimers()
    this.#inputs.length = 0 // they were about the height that is over
    this.#before = this.#machine
    this.#machine = this.#newMachine()
  }

  /** With the sign record when it is of this height; as an observer while the key has signed beyond it. */
  #newMachine(): Consensus {
    const { chain, signer } = this.#parts
    const { height } = this
    const { signed } = this.#restored
    const maySign =
      signer !== undefined && !this.#isForeign && (signed === undefined || signed.height <= height)
    return new Consensus({
      network: chain.network,
      height,
      validators: chain.head.validators,
      ...(maySign && { self: signer.address }),
      ...(maySign && signed?.height === height && { restored: signed }),
    })
  }

  async #beginHeight(): Promise<void> {
    const { signed, blocks } = this.#restored
    if (signed && signed.height < this.height) this.#restored = { blocks: [] }
    if (signed?.height === this.height)
      for (const text of blocks) await this.#restoreCandidate(JSON.parse(text) as Block)
    this.#armHeartbeat()
    this.#inputs.push(this.#pending())
    const { votes, proposals } = this.#early.take(this.height)
    for (const message of votes) this.#inputs.push({ kind: 'vote', message })
    for (const proposal of proposals)
      this.#jobs.push({
        height: this.height,
        run: () => this.#judgeHeard(proposal),
        skip: () => undefined,
      })
  }

  #armHeartbeat(): void {
    const { clock, builder } = this.#parts
    this.#heartbeat?.()
    this.#heartbeat = clock.schedule(Math.max(builder.untilHeartbeatMs, leastHeartbeatCheckMs), () => {
      this.wake()
      this.#armHeartbeat() // a clock that was set back, or a block that found no quorum: it is still due then
    })
  }

  /** What the record holds was checked before it was promised something about. */
  async #restoreCandidate({ header, evidence, transactions }: Block): Promise<void> {
    const decoded = transactions.map((transaction) => decodeTransaction(transaction as unknown as Json))
    const block = {
      header,
      hash: hashHeader(header),
      evidence: evidence.map(verified),
      transactions: decoded,
    }
    const flaw = await this.#flawOf(verified(block))
    if (flaw !== undefined) this.#parts.log.error(`a block of the sign record is invalid here: ${flaw}`)
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
