/**
 * Who is told of which transactions.
 *
 * Where a transaction enters the network, it is pushed to all peers whole. Who has it from a peer announces it to
 * those that have no link with that one; the others are trusted to have it from there, and hear of it on a
 * tick if it still waits then. Who opens a link, and who stands still, is told of all that waits, one portion a
 * tick.
 */
import { maxHashes, maxNamedLinks } from '../messages/limits.ts'
import type { Address, Hash } from '../units.ts'
import type { Emit } from './effect.ts'
import { maxAnswered, maxArriving, maxPast, maxUntold, maxWaiting } from './limits.ts'
import type { Link } from './link.ts'
import { Memory } from './memory.ts'
import { portions } from './portions.ts'

export class Announcements {
  readonly #emit: Emit
  /** Transactions that wait here, oldest first, and the links whose other end has named them or asked for them. */
  readonly #waiting = new Map<Hash, Link[]>()
  readonly #past = new Memory<Hash>(maxPast)
  readonly #arriving = new Memory<Hash>(maxArriving)

  constructor(emit: Emit) {
    this.#emit = emit
  }

  /** Begins to tell a peer of all that waits, except what it names itself from now on. */
  tellAll(link: Link): void {
    for (const holders of this.#waiting.values()) remove(holders, link)
    link.untold = [...this.#waiting.keys()].slice(0, maxUntold)
    this.#ripen(link)
    this.#tell(link)
  }

  admitted(hashes: readonly Hash[], from: Address | undefined, links: ReadonlyMap<Address, Link>): void {
    const bringer = from && links.get(from)
    for (const hash of hashes) this.#hold(hash, bringer)
    const pushed: Link[] = []
    const told: Link[] = []
    for (const link of links.values()) {
      this.#answer(link, hashes)
      if (from === undefined) pushed.push(link)
      else if (!link.hears(from)) told.push(link)
      else if (link !== bringer) link.untold.push(...hashes.slice(0, maxUntold - link.untold.length))
    }
    this.#spread(hashes, pushed, (peers, lacking) => this.#push(peers, lacking))
    this.#spread(hashes, told, (peers, lacking) => this.#announce(peers, lacking))
  }

  /** They have arrived, and are being judged. */
  received(hashes: readonly Hash[]): void {
    for (const hash of hashes) {
      this.#arriving.add(hash)
      this.#past.add(hash)
    }
  }

  /** Arrived a moment ago, and may turn up any time. */
  isArriving(hash: Hash): boolean {
    return this.#arriving.has(hash)
  }

  departed(hashes: readonly Hash[]): void {
    for (const hash of hashes) {
      this.#waiting.delete(hash)
      this.#past.add(hash)
    }
  }

  /**
   * A peer may ask for what is on its way to this node: it gets that as soon as it is here. It may also ask for
   * the same without end: it gets that once between two ticks.
   */
  wanted(hashes: readonly Hash[], by: Link): void {
    const due: Hash[] = []
    for (const hash of hashes) {
      if (by.answered.has(hash)) continue
      if (by.answered.size >= maxAnswered) break
      by.answered.add(hash)
      due.push(hash)
      if (!this.#waiting.has(hash)) by.awaited.add(hash)
    }
    if (due.length > 0) this.#push([by.peer], due)
  }

  /** @returns those that are new to this node */
  announced(hashes: readonly Hash[], by: Link): readonly Hash[] {
    return hashes.filter((hash) => {
      const holders = this.#waiting.get(hash)
      if (holders === undefined) return !this.#past.has(hash)
      if (!holders.includes(by) && holders.length < maxNamedLinks) holders.push(by)
      return false
    })
  }

  tick(links: Iterable<Link>): void {
    this.#arriving.age()
    for (const link of links) {
      link.answered.clear()
      link.awaited.age()
      this.#tell(link)
      this.#ripen(link)
    }
  }

  #hold(hash: Hash, bringer: Link | undefined): void {
    if (this.#waiting.has(hash)) return
    this.#waiting.set(hash, bringer ? [bringer] : [])
    if (this.#waiting.size <= maxWaiting) return
    for (const oldest of this.#waiting.keys()) {
      this.#waiting.delete(oldest)
      return
    }
  }

  /** Pushes what the peer has asked for before it was here. */
  #answer(link: Link, hashes: readonly Hash[]): void {
    const awaited = hashes.filter((hash) => link.awaited.has(hash) && this.#lacks(link, hash))
    if (awaited.length === 0) return
    for (const hash of awaited) this.#waiting.get(hash)!.push(link)
    this.#push([link.peer], awaited)
  }

  #lacks(link: Link, hash: Hash): boolean {
    return this.#waiting.get(hash)?.includes(link) === false
  }

  #ripen(link: Link): void {
    link.ripe = link.untold.length
  }

  /** One portion of what was there on the tick before. */
  #tell(link: Link): void {
    const portion: Hash[] = []
    let seen = 0
    while (seen < link.ripe && portion.length < maxHashes) {
      const hash = link.untold[seen++]!
      if (this.#lacks(link, hash)) portion.push(hash)
    }
    link.untold.splice(0, seen)
    this.#announce([link.peer], portion)
  }

  /** Once to all who lack them all, and to each who lacks some. */
  #spread(hashes: readonly Hash[], links: readonly Link[], tell: Tell): void {
    const lackingAll: Address[] = []
    for (const link of links) {
      const lacking = hashes.filter((hash) => this.#lacks(link, hash))
      if (lacking.length === hashes.length) lackingAll.push(link.peer)
      else if (lacking.length > 0) tell([link.peer], lacking)
    }
    if (lackingAll.length > 0) tell(lackingAll, hashes)
  }

  #push(peers: readonly Address[], hashes: readonly Hash[]): void {
    this.#emit({ kind: 'push', peers, hashes })
  }

  #announce(peers: readonly Address[], all: readonly Hash[]): void {
    for (const hashes of portions(all)) {
      this.#emit({ kind: 'send', peers, message: { kind: 'announce', hashes } })
    }
  }
}

type Tell = (peers: readonly Address[], hashes: readonly Hash[]) => void

const remove = (links: Link[], link: Link): void => {
  const at = links.indexOf(link)
  if (at >= 0) links.splice(at, 1)
}
