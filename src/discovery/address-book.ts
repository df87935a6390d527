/**
 * The address book: which peers this node knows of, and whom of them it dials of its own accord.
 *
 * In: cards whose signatures hold, which keys hold stake, who is linked, how attempts went. Out: whom to dial next,
 * and what to tell others. Whoever makes up very many nodes must not be able to surround this one: half of the slots
 * are for keys that hold stake, which can't be made up; of the rest no two are in one network group; and neither a
 * group nor a peer fills the table.
 *
 * A pure machine: time and chance come in as arguments.
 */
import type { Card } from '../objects/card.ts'
import type { Address, UnixMs } from '../units.ts'
import {
  firstRetryMs,
  maxAnchors,
  maxCardAgeMs,
  maxCardAheadMs,
  maxCards,
  maxCardsHandedOut,
  maxCardsOfGroup,
  maxCardsOfSource,
  maxFailures,
  maxRemembered,
  maxRetryMs,
  outboundSlots,
  stakedSlots,
} from './limits.ts'
import { networkGroupOf } from './network-group.ts'

interface Entry {
  card: Card
  group: string
  /** Who brought it; absent for what was remembered over a restart. */
  readonly source: Address | undefined
  /** The key itself brought it, or answered under its URL. */
  isVouched: boolean
  /** Since it was last reached. */
  failures: number
  /** Not to be dialled before. */
  restsUntil: number
  lastLinked: number
}

/** A link that there is. */
export interface Linked {
  readonly peer: Address
  /** What was dialled; absent when the peer did. */
  readonly url?: string | undefined
}

export class AddressBook {
  readonly #self: Address
  readonly #entries = new Map<Address, Entry>()
  #staked: ReadonlySet<Address> = new Set()

  constructor(self: Address) {
    this.#self = self
  }

  get size(): number {
    return this.#entries.size
  }

  /** Keys that hold stake now. */
  knowStaked(keys: ReadonlySet<Address>): void {
    this.#staked = keys
  }

  /** Whether a card says anything new: others need not be verified. */
  isNews({ key, sequence }: Card): boolean {
    return key !== this.#self && sequence > (this.#entries.get(key)?.card.sequence ?? -1)
  }

  /**
   * Takes in a card whose signature holds.
   *
   * @param from - who brought it
   * @returns whether it is news that is kept, and to be passed on
   */
  hear(card: Card, from: Address | undefined, now: UnixMs): boolean {
    if (!this.isNews(card) || card.time > now + maxCardAheadMs || card.time < now - maxCardAgeMs) return false
    const known = this.#entries.get(card.key)
    if (known) {
      if (card.url !== known.card.url) this.#moved(known, card)
      known.card = card
      known.isVouched ||= from === card.key
      return true
    }
    const group = networkGroupOf(card.url)
    if (!this.#staked.has(card.key) && !this.#makeRoom(group, from)) return false
    this.#entries.set(card.key, {
      card,
      group,
      source: from,
      isVouched: from === card.key,
      failures: 0,
      restsUntil: 0,
      lastLinked: 0,
    })
    return true
  }

  /**
   * Whom to dial next.
   *
   * @param linked - all links that there are, and those that are being made
   * @param fraction - from 0 to below 1, at random: which of those that are equally good
   */
  choose(linked: readonly Linked[], now: UnixMs, fraction: number): Card | undefined {
    const taken = new Set(linked.map(({ peer }) => peer))
    const due = [...this.#entries.values()].filter(
      ({ card, restsUntil }) => !taken.has(card.key) && restsUntil <= now,
    )
    const { staked, others } = this.#outbound(linked)
    if (staked.length < stakedSlots) {
      const entry = pick(
        due.filter(({ card }) => this.#staked.has(card.key)),
        fraction,
      )
      if (entry) return entry.card
    }
    if (others.length >= this.#otherSlots(staked.length)) return undefined
    const groups = new Set(
      [...staked, ...others].map(({ peer, url }) => this.#entries.get(peer)?.group ?? networkGroupOf(url!)),
    )
    return pick(
      due.filter(({ card, group }) => !this.#staked.has(card.key) && !groups.has(group)),
      fraction,
    )?.card
  }

  /** Whom to let go, so that those who hold no stake don't outweigh those who do. */
  surplus(linked: readonly Linked[]): Address | undefined {
    const { staked, others } = this.#outbound(linked)
    return others.length > this.#otherSlots(staked.length) ? others.at(-1)!.peer : undefined
  }

  #outbound(linked: readonly Linked[]) {
    const outbound = linked.filter(({ url }) => url !== undefined)
    return {
      staked: outbound.filter(({ peer }) => this.#staked.has(peer)),
      others: outbound.filter(({ peer }) => !this.#staked.has(peer)),
    }
  }

  /** As many as keys with stake are linked, where there are enough of these: otherwise others are better than nobody. */
  #otherSlots(staked: number): number {
    const slots = outboundSlots - this.#reserved()
    const isOutweighable = staked > 0 && this.#reserved() === stakedSlots
    return isOutweighable ? Math.min(slots, staked) : slots
  }

  /** When somebody may be dialled who rests; undefined when nobody does, or there is no slot for anybody. */
  nextDue(now: UnixMs, linked: readonly Linked[]): number | undefined {
    const { staked, others } = this.#outbound(linked)
    const taken = new Set(linked.map(({ peer }) => peer))
    const lacksStaked = staked.length < stakedSlots
    const lacksOthers = others.length < this.#otherSlots(staked.length)
    let due: number | undefined
    for (const { card, restsUntil } of this.#entries.values()) {
      const isWanted = this.#staked.has(card.key) ? lacksStaked : lacksOthers
      if (!isWanted || taken.has(card.key) || restsUntil <= now) continue
      due = Math.min(due ?? restsUntil, restsUntil)
    }
    return due
  }

  /** It is linked. @param isReached - under the URL of its card */
  linked(peer: Address, isReached: boolean, now: UnixMs): void {
    const entry = this.#entries.get(peer)
    if (!entry) return
    entry.isVouched ||= isReached
    if (!isReached) return
    entry.failures = 0
    entry.lastLinked = now
  }

  /** It was dialled in vain, or the link with it is over. */
  failed(peer: Address, now: UnixMs): void {
    const entry = this.#entries.get(peer)
    if (!entry) return
    entry.restsUntil = now + Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(entry.failures, 16))
    entry.failures++
    const isHopeless = entry.failures >= maxFailures && entry.lastLinked === 0
    if (isHopeless && !this.#staked.has(peer)) this.#entries.delete(peer)
  }

  /** Cards to tell a peer: those that somebody stands behind, the ones first that were reached last. */
  handOut(to: Address): readonly Card[] {
    return this.#byUse()
      .filter(({ card, isVouched }) => isVouched && card.key !== to)
      .slice(0, maxCardsHandedOut)
      .map(({ card }) => card)
  }

  /** What to keep over a restart; the first ones are to be dialled first. */
  remembered(): readonly Card[] {
    return this.#byUse()
      .filter(({ lastLinked }) => lastLinked > 0)
      .slice(0, maxRemembered)
      .map(({ card }) => card)
  }

  #byUse(): readonly Entry[] {
    return [...this.#entries.values()].sort((one, other) => other.lastLinked - one.lastLinked)
  }

  /** Slots that keys with stake are known for. */
  #reserved(): number {
    let known = 0
    for (const key of this.#entries.keys()) if (this.#staked.has(key)) known++
    return Math.min(stakedSlots, known)
  }

  #moved(entry: Entry, { url }: Card): void {
    entry.group = networkGroupOf(url)
    entry.failures = 0
    entry.restsUntil = 0
    entry.lastLinked = 0
  }

  /** One that was never reached gives way to a new one; one that was, doesn't. */
  #makeRoom(group: string, source: Address | undefined): boolean {
    const others: Entry[] = []
    const ofGroup: Entry[] = []
    let ofSource = 0
    for (const entry of this.#entries.values()) {
      if (this.#staked.has(entry.card.key)) continue
      others.push(entry)
      if (entry.group === group) ofGroup.push(entry)
      if (source !== undefined && entry.source === source) ofSource++
    }
    if (ofSource >= maxCardsOfSource) return false
    if (ofGroup.length >= maxCardsOfGroup) return this.#replaceWorst(ofGroup)
    return others.length < maxCards || this.#replaceWorst(others)
  }

  #replaceWorst(entries: readonly Entry[]): boolean {
    const worst = entries
      .filter(({ failures, lastLinked }) => failures > 0 && lastLinked === 0)
      .sort((one, other) => other.failures - one.failures)[0]
    if (worst) this.#entries.delete(worst.card.key)
    return worst !== undefined
  }
}

/** Of those with the fewest failures. */
const pick = (entries: readonly Entry[], fraction: number): Entry | undefined => {
  const fewest = Math.min(...entries.map(({ failures }) => failures))
  const best = entries.filter(({ failures }) => failures === fewest)
  return best[Math.floor(fraction * best.length)]
}

/** Of cards that were kept over a restart, the ones that are dialled at once. */
export const anchorsOf = (remembered: readonly Card[]): readonly Card[] => remembered.slice(0, maxAnchors)
