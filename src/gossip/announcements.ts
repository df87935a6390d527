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
import { maxPast, maxUntold, maxWaiting } from './limits.ts'
import type { Link } from './link.ts'
import { Memory } from './memory.ts'
import { portions } from './portions.ts'

export class Announcements {
  readonly #emit: Emit
  /** Transactions that wait here, oldest first, and the links over which their other end has named them. */
  readonly #waiting = new Map<Hash, Link[]>()
  readonly #past = new Memory<Hash>(maxPast)

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
    for (const link of links.values()) {
      const lacking = hashes.filter((hash) => this.#lacks(link, hash))
      if (lacking.length === 0) continue
      if (from === undefined) this.#emit({ kind: 'push', peer: link.peer, hashes: lacking })
      else if (link.hears(from)) link.untold.push(...lacking.slice(0, maxUntold - link.untold.length))
      else this.#announce(link, lacking)
    }
  }

  /** Of no use to anybody any more, or arrived just now and not admitted yet. */
  passed(hashes: readonly Hash[]): void {
    for (const hash of hashes) this.#past.add(hash)
  }

  departed(hashes: readonly Hash[]): void {
    for (const hash of hashes) this.#waiting.delete(hash)
    this.passed(hashes)
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
    for (const link of links) {
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
    this.#announce(link, portion)
  }

  #announce(link: Link, hashes: readonly Hash[]): void {
    for (const portion of portions(hashes)) {
      this.#emit({ kind: 'send', peer: link.peer, message: { kind: 'announce', hashes: portion } })
    }
  }
}

const remove = (links: Link[], link: Link): void => {
  const at = links.indexOf(link)
  if (at >= 0) links.splice(at, 1)
}
