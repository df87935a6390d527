/**
 * Transactions that peers have and this node hasn't: asked for one peer at a time, the next when a link closes
 * or a peer lets its time pass.
 *
 * An announcement may be a lie. What it can cost is bounded: each peer has room for {@link maxOffered} hashes of
 * its own, is asked for no more than its window at once, and loses for each hash its turn when others have named
 * it too. What the blocks of the present height lack goes before all that, and is asked of one peer after the
 * other for as long as the height lasts.
 */
import type { Hash } from '../units.ts'
import type { Emit } from './effect.ts'
import { blockPatienceTicks, maxNeeded, maxOffered, patienceTicks, requestWindow } from './limits.ts'
import type { Link } from './link.ts'
import { portions } from './portions.ts'

interface Want {
  /** Those who have named it and have had no turn yet, and the one whose turn it is. */
  readonly holders: Link[]
  /** Whose turn it is. */
  asked: Link | undefined
  /** Ticks of this turn. */
  ticks: number
  /** Turns that were for nothing. */
  lapses: number
}

export class Requests {
  readonly #emit: Emit
  readonly #wants = new Map<Hash, Want>()
  /** Those that blocks of the present height lack, oldest first. */
  readonly #needed = new Set<Hash>()
  /** What to ask for when a step is over. */
  readonly #batches = new Map<Link, Hash[]>()

  constructor(emit: Emit) {
    this.#emit = emit
  }

  get isEmpty(): boolean {
    return this.#wants.size === 0
  }

  announced(hashes: readonly Hash[], by: Link): void {
    for (const hash of hashes) {
      if (by.offered.has(hash)) continue
      if (by.offered.size >= maxOffered) break
      const want = this.#wantOf(hash)
      want.holders.push(by)
      by.offered.add(hash)
      this.#askNext(hash, want)
    }
    this.#send()
  }

  /**
   * @param sources - who may have them, the likeliest first
   * @param isArriving - no reason to ask before the next tick
   */
  need(hashes: readonly Hash[], sources: readonly Link[], isArriving: (hash: Hash) => boolean): void {
    for (const hash of hashes) {
      this.#needed.add(hash)
      const want = this.#wantOf(hash)
      this.#prefer(hash, want, sources[0])
      if (!isArriving(hash)) this.#askNext(hash, want)
    }
    this.#boundNeeds()
    this.#send()
  }

  /** The height is over, and what its blocks lacked is like all the rest. */
  forgetNeeds(): void {
    this.#needed.clear()
  }

  /** These are here, or of no use any more. */
  settle(hashes: readonly Hash[], by?: Link): void {
    const askedBefore = by?.asked ?? 0
    for (const hash of hashes) this.#settleOne(hash, by)
    if (by && askedBefore > by.window / 2 && by.asked <= by.window / 2) this.#refill(by)
    this.#send()
  }

  /** @param sources - who else may have what a block lacks */
  closed(link: Link, sources: readonly Link[]): void {
    for (const hash of link.offered) {
      const want = this.#wants.get(hash)!
      this.#drop(hash, want, link)
      this.#advance(hash, want, sources)
    }
    this.#send()
  }

  /** @param sources - who else may have what a block lacks */
  tick(sources: readonly Link[]): void {
    const late = new Set<Link>()
    for (const [hash, want] of this.#wants) {
      const { asked } = want
      const patience = this.#needed.has(hash) ? blockPatienceTicks : patienceTicks
      if (asked !== undefined && ++want.ticks > patience) {
        late.add(asked)
        this.#drop(hash, want, asked)
      }
      this.#advance(hash, want, sources)
    }
    for (const link of late) link.window = Math.max(requestWindow.least, Math.floor(link.window / 2))
    this.#send()
  }

  #wantOf(hash: Hash): Want {
    const present = this.#wants.get(hash)
    if (present !== undefined) return present
    const want: Want = { holders: [], asked: undefined, ticks: 0, lapses: 0 }
    this.#wants.set(hash, want)
    return want
  }

  #prefer(hash: Hash, want: Want, source: Link | undefined): void {
    if (source === undefined || source.offered.has(hash)) return
    want.holders.unshift(source)
    source.offered.add(hash)
  }

  /** Gives the turn to the first who has room, unless somebody has it. */
  #askNext(hash: Hash, want: Want): void {
    if (want.asked !== undefined) return
    const isNeeded = this.#needed.has(hash)
    const next = want.holders.find(({ asked, window }) => isNeeded || asked < window)
    if (next === undefined) return
    want.asked = next
    want.ticks = 0
    next.asked++
    const batch = this.#batches.get(next)
    if (batch) batch.push(hash)
    else this.#batches.set(next, [hash])
  }

  /** A holder is one no more. */
  #drop(hash: Hash, want: Want, link: Link): void {
    link.offered.delete(hash)
    want.holders.splice(want.holders.indexOf(link), 1)
    if (want.asked !== link) return
    want.asked = undefined
    want.lapses++
    link.asked--
  }

  #advance(hash: Hash, want: Want, sources: readonly Link[]): void {
    if (want.holders.length === 0) {
      if (!this.#needed.has(hash)) this.#wants.delete(hash)
      else this.#prefer(hash, want, sources[want.lapses % sources.length])
    }
    this.#askNext(hash, want)
  }

  #settleOne(hash: Hash, by: Link | undefined): void {
    this.#needed.delete(hash)
    const want = this.#wants.get(hash)
    if (want === undefined) return
    this.#wants.delete(hash)
    for (const link of want.holders) link.offered.delete(hash)
    if (want.asked === undefined) return
    want.asked.asked--
    if (want.asked === by) by.window = Math.min(by.window + 1, requestWindow.most)
  }

  #refill(link: Link): void {
    for (const hash of link.offered) {
      if (link.asked >= link.window) return
      this.#askNext(hash, this.#wants.get(hash)!)
    }
  }

  /** The newest proposals are those that matter. */
  #boundNeeds(): void {
    for (const oldest of this.#needed) {
      if (this.#needed.size <= maxNeeded) return
      this.#needed.delete(oldest)
    }
  }

  #send(): void {
    for (const [link, batch] of this.#batches) {
      for (const hashes of portions(batch)) {
        this.#emit({ kind: 'send', peers: [link.peer], message: { kind: 'want', hashes } })
      }
    }
    this.#batches.clear()
  }
}
