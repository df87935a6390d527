/**
 * Sync: which blocks to ask of whom, and which answer to use next.
 *
 * In come where peers stand, answers and what became of them; out go requests, segments to use in their order,
 * and peers to be left alone for a while. It is the one way to catch up: at the start of a node, in the middle of
 * its life, and when it was away for a moment.
 *
 * Several peers are asked at a time, each for one range of blocks, so that a slow or lying one costs its own
 * range only, which another is asked for then. A bounded number of answers waits for its turn, and they are used
 * strictly in the order of their heights. A peer's height is a claim: it decides who is asked for what, and
 * nothing is believed for it. What an answer holds is checked outside; here a false one costs its peer the
 * trust, for a time that doubles with each fault and has an end, since the only peer there is may get well again.
 *
 * A peer that is a few blocks ahead for a moment is asked for nothing: consensus decides those blocks here, too.
 * Only a head that stands still, or is far behind, is helped.
 *
 * A pure machine: no clock, randomness, socket or storage. Its time is counted in ticks, which come while
 * {@link Sync.needsTicks}; so a clock that is set makes no peer late.
 */
import { assert } from '../errors.ts'
import { maxSegmentBlocks, maxSegmentBytes } from '../messages/limits.ts'
import { type Address, height as asHeight, type Height } from '../units.ts'
import {
  aimBytes,
  eagerBlocks,
  falseBanTicks,
  firstBlocks,
  graceTicks,
  maxAheadBytes,
  maxBanTicks,
  maxGrowth,
  maxInUse,
  maxSpans,
  pauseTicks,
  requestTicks,
  slowBanTicks,
  stallTicks,
  tickMs,
} from './limits.ts'

/** Names a request, and the segment that answered it. */
export type RequestId = number

/** Too slow is a peer's misfortune; false, or against the rules, its fault. */
export type Fault = 'slow' | 'false'

export type SyncInput =
  /** The head is at this height now, by what was used or in another way. */
  | { readonly kind: 'head'; readonly height: Height }
  /** A peer that can be asked says that its head is at this height, and which block is the first that it has. */
  | { readonly kind: 'stands'; readonly peer: Address; readonly height: Height; readonly oldest: Height }
  /** It can't be asked any more. */
  | { readonly kind: 'gone'; readonly peer: Address }
  | {
      readonly kind: 'answered'
      readonly request: RequestId
      readonly blocks: number
      readonly sizeBytes: number
      /** The validators change after its last block, or another block would have made it too big. */
      readonly mayBeShort: boolean
    }
  /** There was no answer, or none that can be read. */
  | { readonly kind: 'failed'; readonly request: RequestId; readonly fault: Fault; readonly reason: string }
  /** A segment in use is false. Those in use behind it are given back, and named again when it is their turn. */
  | { readonly kind: 'refused'; readonly request: RequestId; readonly reason: string }
  /** A segment in use can't be used now, through no fault of its own. All in use are given back. */
  | { readonly kind: 'postponed' }
  | { readonly kind: 'tick' }

export type SyncEffect =
  | {
      readonly kind: 'request'
      readonly request: RequestId
      readonly peer: Address
      readonly from: Height
      /** Most blocks. */
      readonly blocks: number
    }
  /** Check, and apply when those before it are applied. */
  | { readonly kind: 'use'; readonly request: RequestId }
  /** The answer, come or to come, isn't needed any more. */
  | { readonly kind: 'forget'; readonly request: RequestId }
  /** A peer isn't asked for so many ticks. */
  | {
      readonly kind: 'drop'
      readonly peer: Address
      readonly fault: Fault
      readonly reason: string
      readonly ticks: number
    }

export interface SyncView {
  readonly head: Height
  /** The highest that a peer which may be asked claims to have. */
  readonly target: Height
  /** Peers that may be asked and stand higher than the head. */
  readonly sources: number
  readonly requests: number
  /** Bytes of answers that wait or are in use. */
  readonly heldBytes: number
  /** Peers that are not asked for a while. */
  readonly banned: number
  /** Nobody has the block after the head any more: the lowest that anybody has, when that is the case. */
  readonly lowest: Height | undefined
}

interface Source {
  /** As it says; undefined once it is gone, while its faults are still remembered. */
  height: Height | undefined
  oldest: Height
  /** Faults since it was last of use. */
  strikes: number
  /** In ticks of the machine. */
  bannedUntil: number
  lastAsked: number
}

/** A range of blocks that is asked for, waits to be used, or is in use. */
interface Span {
  readonly request: RequestId
  readonly peer: Address
  readonly from: Height
  blocks: number
  state: 'asked' | 'held' | 'used'
  sizeBytes: number
  readonly askedAt: number
}

export class Sync {
  #head: Height
  readonly #sources = new Map<Address, Source>()
  /** In the order of their heights; they don't overlap. */
  #spans: Span[] = []
  #ticks = 0
  #requests = 0
  #pausedUntil = 0
  /** Since when others are ahead and the head hasn't moved. */
  #stillSince = 0
  /** Blocks of a request, after what was seen of their size. */
  #blocksEach = firstBlocks
  #effects: SyncEffect[] = []

  constructor(head: Height) {
    this.#head = head
  }

  step(input: SyncInput): readonly SyncEffect[] {
    this.#take(input)
    this.#use()
    this.#ask()
    return this.#effects.splice(0)
  }

  /** There is something that only time can change. */
  get needsTicks(): boolean {
    return this.#spans.length > 0 || this.#target() > this.#head || this.#banned() > 0
  }

  view(): SyncView {
    const ahead = [...this.#sources.values()].filter((source) => this.#canServe(source, this.#head + 1))
    return {
      head: this.#head,
      target: this.#target(),
      sources: ahead.length,
      requests: this.#spans.filter(({ state }) => state === 'asked').length,
      heldBytes: this.#heldBytes(),
      banned: this.#banned(),
      lowest: this.#lowest(),
    }
  }

  #take(input: SyncInput): void {
    switch (input.kind) {
      case 'head':
        this.#moveTo(input.height)
        break
      case 'stands':
        this.#hear(input)
        break
      case 'gone':
        this.#lose(input.peer)
        break
      case 'answered':
        this.#hold(input)
        break
      case 'failed':
        this.#fail(input.request, input.fault, input.reason)
        break
      case 'refused':
        this.#refuse(input.request, input.reason)
        break
      case 'postponed':
        this.#giveBack()
        this.#pausedUntil = this.#ticks + pauseTicks
        break
      case 'tick':
        this.#tick()
    }
  }

  #moveTo(head: Height): void {
    if (head <= this.#head) return
    this.#head = head
    this.#stillSince = this.#ticks
    for (const span of this.#spans.filter((span) => lastOf(span) <= head)) {
      if (span.state === 'used') this.#source(span.peer).strikes = 0
      this.#remove(span)
    }
  }

  #hear({ peer, height, oldest }: Extract<SyncInput, { kind: 'stands' }>): void {
    if (this.#target() === this.#head) this.#stillSince = this.#ticks
    const source = this.#source(peer)
    const before = source.height
    source.height = height
    source.oldest = oldest
    if (before !== undefined && height < before)
      this.#drop(peer, 'false', `its head went back from height ${before} to ${height}`)
  }

  #lose(peer: Address): void {
    const source = this.#sources.get(peer)
    if (!source) return
    source.height = undefined
    if (this.#isAsked(peer)) this.#drop(peer, 'slow', 'it left without an answer')
    if (!this.#isBanned(source)) this.#sources.delete(peer)
    const isAlone = [...this.#sources.values()].every(({ height }) => height === undefined)
    if (isAlone) for (const span of this.#spans.filter(({ state }) => state === 'held')) this.#remove(span)
  }

  #hold({ request, blocks, sizeBytes, mayBeShort }: Extract<SyncInput, { kind: 'answered' }>): void {
    const span = this.#find(request, 'asked')
    if (!span) return void this.#effects.push({ kind: 'forget', request })
    const asked = span.blocks
    if (blocks > 0 && blocks <= asked) {
      span.state = 'held'
      span.blocks = blocks
      span.sizeBytes = sizeBytes
      this.#blocksEach = nextBlocks(asked, sizeBytes / blocks)
    }
    if (blocks === asked || (span.state === 'held' && mayBeShort)) return
    this.#drop(span.peer, 'false', `it gave ${blocks} blocks where it has the ${asked} that were asked for`)
  }

  #fail(request: RequestId, fault: Fault, reason: string): void {
    const span = this.#find(request, 'asked')
    if (!span) return
    this.#remove(span)
    this.#drop(span.peer, fault, reason)
  }

  #refuse(request: RequestId, reason: string): void {
    const span = this.#find(request, 'used')
    if (!span) return
    this.#giveBack()
    this.#remove(span)
    this.#drop(span.peer, 'false', reason)
  }

  #giveBack(): void {
    for (const span of this.#spans) if (span.state === 'used') span.state = 'held'
  }

  #tick(): void {
    this.#ticks++
    for (const [peer, source] of this.#sources)
      if (source.height === undefined && !this.#isBanned(source)) this.#sources.delete(peer)
    for (const span of this.#spans.filter(({ state }) => state === 'asked')) {
      const waited = this.#ticks - span.askedAt
      if (waited >= requestTicks || (waited >= this.#stallTicks(span) && this.#isWaitedFor(span))) {
        this.#remove(span)
        this.#drop(
          span.peer,
          'slow',
          `it took more than ${(waited * tickMs) / 1_000} s for ${span.blocks} blocks`,
        )
      }
    }
  }

  /** More for one that was dropped before: otherwise others that never answer could keep a slow one out for ever. */
  #stallTicks({ peer }: Span): number {
    return stallTicks * 2 ** this.#source(peer).strikes
  }

  /** Nothing can go on without it, and another could give it. */
  #isWaitedFor(span: Span): boolean {
    return span === this.#spans[0] && this.#nextSource(span.from) !== undefined
  }

  /** No answer of this peer is waited for, nor is it asked again before its time. */
  #drop(peer: Address, fault: Fault, reason: string): void {
    const source = this.#source(peer)
    const first = fault === 'slow' ? slowBanTicks : falseBanTicks
    const ticks = Math.min(first * 2 ** source.strikes, maxBanTicks)
    source.strikes++
    source.bannedUntil = this.#ticks + ticks
    this.#withdraw(peer)
    this.#effects.push({ kind: 'drop', peer, fault, reason, ticks })
  }

  #withdraw(peer: Address): void {
    for (const span of this.#spans.filter((span) => span.peer === peer && span.state === 'asked'))
      this.#remove(span)
  }

  /** Held segments that follow the head without a gap, as many as may be in use. */
  #use(): void {
    if (this.#ticks < this.#pausedUntil) return
    let next = this.#head + 1
    for (const span of this.#spans.slice(0, maxInUse)) {
      if (span.state === 'asked' || span.from > next) return
      if (span.state === 'held') {
        span.state = 'used'
        this.#effects.push({ kind: 'use', request: span.request })
      }
      next = lastOf(span) + 1
    }
  }

  #ask(): void {
    for (;;) {
      const gap = this.#firstGap()
      const source = this.#nextSource(gap.from)
      // What the head waits for always has room: otherwise answers that wait behind it could keep it out.
      if (!source || !(gap.at === 0 || this.#hasRoom())) return
      const isFarBehind = this.#target() - gap.from + 1 >= eagerBlocks
      if (!isFarBehind && this.#ticks - this.#stillSince < graceTicks) return
      const blocks = Math.min(this.#blocksEach, gap.blocks, source.height - gap.from + 1)
      const span: Span = {
        request: ++this.#requests,
        peer: source.peer,
        from: gap.from,
        blocks,
        state: 'asked',
        sizeBytes: 0,
        askedAt: this.#ticks,
      }
      this.#spans.splice(gap.at, 0, span)
      this.#source(source.peer).lastAsked = span.request
      this.#effects.push({ kind: 'request', request: span.request, peer: span.peer, from: span.from, blocks })
    }
  }

  /** The lowest blocks that nobody was asked for, and where their span has its place. */
  #firstGap(): { readonly at: number; readonly from: Height; readonly blocks: number } {
    let from = this.#head + 1
    for (const [at, span] of this.#spans.entries()) {
      if (span.from > from) return { at, from: asHeight(from), blocks: span.from - from }
      from = lastOf(span) + 1
    }
    return { at: this.#spans.length, from: asHeight(from), blocks: maxSegmentBlocks }
  }

  /** Of those that have this block and aren't being asked: the most reliable, and of these the one that rested longest. */
  #nextSource(from: Height): { readonly peer: Address; readonly height: Height } | undefined {
    let best: { peer: Address; source: Source } | undefined
    for (const [peer, source] of this.#sources) {
      if (!this.#canServe(source, from) || this.#isAsked(peer)) continue
      if (!best || isPreferred(source, best.source)) best = { peer, source }
    }
    return best && { peer: best.peer, height: best.source.height! }
  }

  #target(): Height {
    let target = this.#head
    for (const source of this.#sources.values())
      if (this.#canServe(source, target + 1)) target = source.height!
    return target
  }

  #lowest(): Height | undefined {
    const next = this.#head + 1
    const ahead = [...this.#sources.values()].filter(({ height }) => height !== undefined && height >= next)
    if (ahead.length === 0 || ahead.some(({ oldest }) => oldest <= next)) return undefined
    return asHeight(Math.min(...ahead.map(({ oldest }) => oldest)))
  }

  #hasRoom(): boolean {
    const asked = this.#spans.filter(({ state }) => state === 'asked').length
    return this.#spans.length < maxSpans && this.#heldBytes() + (asked + 1) * maxSegmentBytes <= maxAheadBytes
  }

  #heldBytes(): number {
    return this.#spans.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  }

  #canServe(source: Source, from: number): boolean {
    return (
      source.height !== undefined && source.oldest <= from && source.height >= from && !this.#isBanned(source)
    )
  }

  #banned(): number {
    return [...this.#sources.values()].filter((source) => this.#isBanned(source)).length
  }

  #isAsked(peer: Address): boolean {
    return this.#spans.some((span) => span.peer === peer && span.state === 'asked')
  }

  #isBanned({ bannedUntil }: Source): boolean {
    return this.#ticks < bannedUntil
  }

  #find(request: RequestId, state: Span['state']): Span | undefined {
    return this.#spans.find((span) => span.request === request && span.state === state)
  }

  #remove(span: Span): void {
    const at = this.#spans.indexOf(span)
    assert(at >= 0, 'a span is removed once')
    this.#spans.splice(at, 1)
    this.#effects.push({ kind: 'forget', request: span.request })
  }

  #source(peer: Address): Source {
    const known = this.#sources.get(peer)
    if (known) return known
    const source: Source = {
      height: undefined,
      oldest: asHeight(1),
      strikes: 0,
      bannedUntil: 0,
      lastAsked: 0,
    }
    this.#sources.set(peer, source)
    return source
  }
}

const lastOf = ({ from, blocks }: Span): number => from + blocks - 1

const isPreferred = (one: Source, other: Source): boolean =>
  one.strikes === other.strikes ? one.lastAsked < other.lastAsked : one.strikes < other.strikes

/** @param eachBytes - of a block of the last answer */
const nextBlocks = (asked: number, eachBytes: number): number =>
  Math.max(1, Math.min(Math.floor(aimBytes / eachBytes), asked * maxGrowth, maxSegmentBlocks))
