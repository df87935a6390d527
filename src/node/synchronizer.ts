/**
 * Synchronizer: how this node catches up with others, at its start and whenever it has fallen behind.
 *
 * In: where peers stand that can be asked, and segments that others push. Out: blocks that are checked and handed
 * to the sink in their order. The machine (`sync/sync.ts`) chooses what to ask of whom; this room asks, takes
 * answers apart within limits, and has them replayed. Only URLs that the operator gave are asked: whoever calls
 * {@link Synchronizer.stands} sees to that. A false answer is held against its peer, and against nobody else.
 */
import type { Json } from '../codec/json.ts'
import { TautlineError } from '../errors.ts'
import { printable } from '../messages/printable.ts'
import type { Header } from '../objects/block.ts'
import type { Parameters } from '../objects/parameters.ts'
import type { Clock } from '../ports/clock.ts'
import type { Verifier } from '../ports/keys.ts'
import type { Log } from '../ports/log.ts'
import type { PlainAnswer, Transport } from '../ports/transport.ts'
import { requestTicks, tickMs } from '../sync/limits.ts'
import { type RequestId, Sync, type SyncEffect, type SyncInput } from '../sync/sync.ts'
import { type Address, height as asHeight, type Height, type NetworkId } from '../units.ts'
import type { BlockSink } from './block-sink.ts'
import { maxHandedBytes, mayEndAfter, parseHandedSegment, readHandedSegment } from './handed-segment.ts'
import { Replay, type UncheckedBlock } from './replay.ts'
import type { SyncProgress } from './service.ts'
import { Ticker } from './ticker.ts'

/** How often the log says how far it has come. */
const progressMs = 10_000
/** How long no segment is taken by push after a false one: that bounds what checking false ones may cost. */
const restAfterFalseMs = 1_000
/** Text of answers that are kept as they were parsed until they are used: what is in use, and what comes next. */
const maxParsedBytes = 12 * 1024 * 1024
/** Characters of a reason, much of which may be a peer's own words. */
const maxDetail = 300

export interface SynchronizerParts {
  readonly sink: BlockSink
  readonly network: NetworkId
  readonly parameters: Parameters
  readonly transport: Pick<Transport, 'request'>
  readonly verifier: Verifier
  readonly clock: Clock
  readonly log: Log
  /** A peer has given what no honest one gives. */
  readonly onFalse: (peer: Address, reason: string) => void
  /** A broken invariant: nothing is synchronized any more. */
  readonly onHalt: (error: unknown) => void
}

interface Answer {
  readonly from: Height
  readonly text: string
  /** Absent when too much is parsed already: waiting texts take a third of the memory, and are parsed anew when used. */
  readonly segment?: readonly UncheckedBlock[]
}

export class Synchronizer {
  readonly #parts: SynchronizerParts
  readonly #machine: Sync
  readonly #ticker: Ticker
  readonly #urls = new Map<Address, string>()
  /** Answers that the machine holds or uses. */
  readonly #answers = new Map<RequestId, Answer>()
  #replay: Replay
  /** Inputs of the machine: one may lead to another before all its effects are carried out. */
  readonly #inputs: SyncInput[] = []
  #isStepping = false
  #refused: SyncProgress['refused']
  /** As the operator was told. */
  #lowest: Height | undefined
  #ticksToReport = progressMs / tickMs
  #isTakingPush = false
  #isClosed = false

  constructor(parts: SynchronizerParts) {
    this.#parts = parts
    this.#machine = new Sync(parts.sink.head.height)
    this.#ticker = new Ticker(parts.clock, tickMs, () => this.#tick())
    this.#replay = this.#newReplay()
  }

  /** Blocks are being fetched or taken in. */
  get isSyncing(): boolean {
    const { requests, heldBytes } = this.#machine.view()
    return requests > 0 || heldBytes > 0
  }

  /** Undefined while there is nothing to fetch, and nobody who was no good at it. */
  progress(): SyncProgress | undefined {
    const { target, sources, banned } = this.#machine.view()
    if (!this.isSyncing && banned === 0) return undefined
    return { target, sources, ...(this.#refused && { refused: this.#refused }) }
  }

  /**
   * A peer says where its head is.
   *
   * @param url - at which the operator lets it be asked
   */
  stands(peer: Address, url: string, { height, oldest }: { height: Height; oldest: Height }): void {
    this.#urls.set(peer, url)
    this.#step({ kind: 'stands', peer, height, oldest })
    this.#warnWhenTooLate()
  }

  /** A peer can't be asked any more. */
  gone(peer: Address): void {
    this.#urls.delete(peer)
    this.#step({ kind: 'gone', peer })
  }

  /** The sink's head has moved. */
  headMoved(): void {
    this.#step({ kind: 'head', height: this.#parts.sink.head.height })
  }

  /**
   * Takes a segment that somebody sends unasked. One that doesn't follow the head, or comes while this node helps
   * itself, is not needed, and passed over.
   *
   * @throws TautlineError `malformed-request`, `segment-refused` with what is false; `too-many-requests` when
   *   another is being checked, or was false a moment ago; `storage-unavailable`
   */
  async takePushed(value: Json): Promise<void> {
    const segment = readHandedSegment(value)
    if (typeof segment === 'string')
      throw new TautlineError('malformed-request', `the segment can't be read: ${segment}`)
    const from = claimedHeight(segment[0])
    const next = this.#parts.sink.head.height + 1
    const isNeeded = from !== undefined && from <= next && next < from + segment.length
    if (!isNeeded || this.#machine.view().requests > 0 || this.#isClosed) return
    if (this.#isTakingPush)
      throw new TautlineError('too-many-requests', 'this node checks one segment at a time: try again')
    this.#isTakingPush = true
    try {
      await this.#newReplay().use(from, segment)
      this.#isTakingPush = false
    } catch (error) {
      this.#parts.clock.schedule(restAfterFalseMs, () => {
        this.#isTakingPush = false
      })
      throw refusalOf(error)
    }
  }

  /** Asks for nothing more; what is being applied is finished by the sink. */
  close(): void {
    this.#isClosed = true
    this.#ticker.need(false)
  }

  #step(input: SyncInput): void {
    this.#inputs.push(input)
    if (this.#isStepping) return
    this.#isStepping = true
    for (let next = this.#inputs.shift(); next && !this.#isClosed; next = this.#inputs.shift())
      for (const effect of this.#machine.step(next)) this.#perform(effect)
    this.#isStepping = false
    this.#ticker.need(!this.#isClosed && this.#machine.needsTicks)
  }

  #perform(effect: SyncEffect): void {
    switch (effect.kind) {
      case 'request':
        void this.#ask(effect)
        break
      case 'use':
        void this.#use(effect.request, this.#replay)
        break
      case 'forget':
        this.#answers.delete(effect.request)
        break
      case 'drop':
        this.#tellDropped(effect)
    }
  }

  async #ask({ request, peer, from, blocks }: Extract<SyncEffect, { kind: 'request' }>): Promise<void> {
    const { transport, parameters } = this.#parts
    const url = this.#urls.get(peer)
    if (url === undefined) return // it has left in this moment, and the machine is about to hear of it
    try {
      const answer = await transport.request(url, {
        method: 'GET',
        path: `/v1/blocks?from=${from}&limit=${blocks}&certificates=true`,
        maxBytes: maxHandedBytes(parameters),
        timeoutMs: requestTicks * tickMs,
      })
      this.#step(this.#read(request, from, answer))
    } catch (error) {
      this.#step({
        kind: 'failed',
        request,
        fault: 'slow',
        reason: `it does not answer: ${messageOf(error)}`,
      })
    }
  }

  #read(request: RequestId, from: Height, { status, text }: PlainAnswer): SyncInput {
    if (status !== 200) {
      const reason = `it answers ${status}: ${printable(text, maxDetail)}`
      return { kind: 'failed', request, fault: 'slow', reason }
    }
    const segment = parseHandedSegment(text)
    if (typeof segment === 'string')
      return { kind: 'failed', request, fault: 'false', reason: printable(segment, maxDetail) }
    const isKept = this.#parsedBytes + text.length <= maxParsedBytes
    this.#answers.set(request, { from, text, ...(isKept && { segment }) })
    const last = segment.at(-1)
    const mayBeShort = last !== undefined && mayEndAfter(last, text.length, this.#parts.parameters)
    return { kind: 'answered', request, blocks: segment.length, sizeBytes: text.length, mayBeShort }
  }

  get #parsedBytes(): number {
    let bytes = 0
    for (const { text, segment } of this.#answers.values()) if (segment) bytes += text.length
    return bytes
  }

  /** @param replay - the present one; when it is another by then, the segment was given back meanwhile */
  async #use(request: RequestId, replay: Replay): Promise<void> {
    const { from, text, segment = parseHandedSegment(text) } = this.#answers.get(request)!
    try {
      await replay.use(from, segment as readonly UncheckedBlock[]) // it could be read when it came
      this.headMoved()
    } catch (error) {
      if (replay !== this.#replay || this.#isClosed) return
      this.#replay = this.#newReplay()
      this.#fail(request, error)
    }
  }

  #fail(request: RequestId, error: unknown): void {
    const { log, onHalt } = this.#parts
    const code = error instanceof TautlineError ? error.code : undefined
    if (code === 'ledger-mismatch')
      this.#step({ kind: 'refused', request, reason: printable(messageOf(error), maxDetail) })
    else if (code === 'storage-unavailable') {
      log.error(`blocks can't be taken in: ${messageOf(error)}; trying again`)
      this.#step({ kind: 'postponed' })
    } else {
      this.close()
      onHalt(error)
    }
  }

  #newReplay(): Replay {
    const { sink, network, verifier } = this.#parts
    return new Replay({ sink, network, verifier, onApplied: () => this.headMoved() })
  }

  #tellDropped({ peer, fault, reason, ticks }: Extract<SyncEffect, { kind: 'drop' }>): void {
    const { log, onFalse } = this.#parts
    const seconds = Math.round((ticks * tickMs) / 1_000)
    log.warn(`a peer is not asked for blocks for ${seconds} s: ${reason}`, { peer })
    this.#refused = { peer, reason }
    if (fault === 'false') onFalse(peer, reason)
  }

  #warnWhenTooLate(): void {
    const { lowest } = this.#machine.view()
    if (lowest !== undefined && this.#lowest === undefined) {
      this.#parts.log.warn(
        `no peer has the blocks after ${this.#parts.sink.head.height} any more, the oldest is ${lowest}: ` +
          'dial a node that keeps more with --peer, or join anew in an empty folder with --snapshot',
      )
    }
    this.#lowest = lowest
  }

  #tick(): void {
    this.#step({ kind: 'tick' })
    if (!this.progress()) this.#refused = undefined
    if (this.isSyncing) this.#ticksToReport--
    if (this.isSyncing && this.#ticksToReport > 0) return
    if (this.isSyncing) this.#report()
    this.#ticksToReport = progressMs / tickMs
  }

  #report(): void {
    const { target, sources } = this.#machine.view()
    this.#parts.log.info('catching up', { height: this.#parts.sink.head.height, target, sources })
  }
}

/** What the first block of a segment says its height is: enough to see that it isn't needed. */
const claimedHeight = (first: UncheckedBlock | undefined): Height | undefined => {
  const height = ((first?.block ?? {}) as { header?: Partial<Header> }).header?.height
  return typeof height === 'number' ? asHeight(height) : undefined
}

const refusalOf = (error: unknown): unknown =>
  error instanceof TautlineError && error.code === 'ledger-mismatch'
    ? new TautlineError('segment-refused', error.message, error.details)
    : error

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
