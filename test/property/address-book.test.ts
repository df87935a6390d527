/**
 * Four made-up nodes for each honest one, in up to four network groups: a newcomer that knew one honest node is never
 * surrounded by them; and with stake known, half of whom it dials is honest.
 */
import { expect, it, vi } from 'vitest'
import { AddressBook, type Linked } from '../../src/discovery/address-book.ts'
import { outboundSlots, stakedSlots } from '../../src/discovery/limits.ts'
import type { Card } from '../../src/objects/card.ts'
import { type Address, type NetworkId, type Signature, type UnixMs, unixMs } from '../../src/units.ts'
import { type Random, seededRandom } from '../crash/random.ts'

/** Of the tests below, on a machine with much else to do. */
vi.setConfig({ testTimeout: 300_000 })

const seeds = 1_000
const rounds = 25
const roundMs = 15_000
/** Of one message; the rest of what there may be would be told in the next round. */
const cardsTold = 8

interface Peer {
  readonly card: Card
  readonly isHonest: boolean
  readonly isStaked: boolean
}

const cardOf = (name: string, url: string, now: UnixMs): Card => ({
  key: name as Address,
  network: 'ab'.repeat(32) as NetworkId,
  sequence: 1,
  time: now,
  url,
  signature: '00' as Signature,
})

class World {
  readonly book = new AddressBook('newcomer' as Address)
  readonly #random: Random
  readonly #peers = new Map<Address, Peer>()
  readonly #honest: readonly Peer[]
  readonly #sybils: readonly Peer[]
  readonly staked: ReadonlySet<Address>
  #linked: Linked[] = []
  #rounds = 0
  now = unixMs(1_800_000_000_000)

  constructor(seed: number, { knowsStake }: { knowsStake: boolean }) {
    this.#random = seededRandom(seed)
    const honest = 12 + this.#below(30)
    const groups = 1 + this.#below(4)
    this.#honest = Array.from({ length: honest }, (_, at) =>
      this.#add(`h${at}`, `http://${20 + at}.${this.#below(200)}.0.1`, true, knowsStake && at < 6),
    )
    this.#sybils = Array.from({ length: honest * 4 }, (_, at) =>
      this.#add(`s${at}`, `http://200.${at % groups}.${at >> 8}.${at & 255}`, false, false),
    )
    this.staked = new Set(this.#honest.filter(({ isStaked }) => isStaked).map(({ card }) => card.key))
    if (knowsStake) this.book.knowStaked(this.staked)
    // The operator has named one honest node; whoever else knows of the newcomer gets in touch with it.
    const [named] = this.#honest
    this.#linked.push({ peer: named!.card.key, url: named!.card.url })
    this.#hearFrom(named!)
    for (const sybil of this.#sybils) if (this.#below(4) === 0) this.#hearFrom(sybil)
  }

  round(): void {
    this.now = unixMs(this.now + roundMs)
    // Links break, honest ones more often; not before the newcomer has had a look around.
    this.#linked = this.#linked.filter(({ peer }) => {
      const breaks = this.#rounds > 0 && this.#below(this.#peers.get(peer)!.isHonest ? 12 : 60) === 0
      if (breaks) this.book.failed(peer, this.now)
      return !breaks
    })
    this.#letSurplusGo()
    for (let at = 0; at < outboundSlots; at++) {
      const card = this.book.choose(this.#linked, this.now, this.#below(1_000) / 1_000)
      if (!card) break
      const peer = this.#peers.get(card.key)!
      if (peer.isHonest && this.#below(5) === 0) this.book.failed(card.key, this.now)
      else {
        this.#linked.push({ peer: card.key, url: card.url })
        this.book.linked(card.key, true, this.now)
        this.#hearFrom(peer)
      }
    }
    this.#rounds++
    // Those who are linked, and strangers that dialled, tell of others again and again.
    for (const { peer } of this.#linked) if (this.#below(6) === 0) this.#hearFrom(this.#peers.get(peer)!)
    this.#hearFrom(this.#sybils[this.#below(this.#sybils.length)]!)
    // As a node does whenever it has heard of somebody.
    this.#letSurplusGo()
  }

  /** Cards of keys with stake that have come to the newcomer. */
  get stakedKnown(): number {
    return this.#honest.filter(({ isStaked, card }) => isStaked && !this.book.isNews(card)).length
  }

  get dialled(): readonly Peer[] {
    return this.#linked.map(({ peer }) => this.#peers.get(peer)!)
  }

  #letSurplusGo(): void {
    for (let one = this.book.surplus(this.#linked); one; one = this.book.surplus(this.#linked)) {
      const surplus = one
      this.#linked = this.#linked.filter(({ peer }) => peer !== surplus)
    }
  }

  /** Honest ones tell of anybody that they know, the made-up ones only of each other. */
  #hearFrom({ card, isHonest }: Peer): void {
    this.book.hear(card, card.key, this.now)
    for (let at = 0; at < cardsTold; at++) {
      const among = isHonest && this.#below(5) > 0 ? this.#honest : this.#sybils
      this.book.hear(among[this.#below(among.length)]!.card, card.key, this.now)
    }
  }

  #add(name: string, url: string, isHonest: boolean, isStaked: boolean): Peer {
    const peer: Peer = { card: cardOf(name, url, this.now), isHonest, isStaked }
    this.#peers.set(peer.card.key, peer)
    return peer
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit)
  }
}

it('without any stake known, an honest peer is always among those that it dials', () => {
  const surrounded: string[] = []
  for (let seed = 1; seed <= seeds; seed++) {
    const world = new World(seed, { knowsStake: false })
    for (let round = 0; round < rounds; round++) {
      world.round()
      if (!world.dialled.some(({ isHonest }) => isHonest)) surrounded.push(`seed ${seed}, round ${round}`)
    }
  }
  expect(surrounded).toEqual([])
})

it('with cards of keys known that hold stake, at least half of them are honest', () => {
  const outweighed: string[] = []
  let judged = 0
  for (let seed = 1; seed <= seeds; seed++) {
    const world = new World(seed, { knowsStake: true })
    for (let round = 0; round < rounds; round++) {
      world.round()
      const { dialled } = world
      if (world.stakedKnown < stakedSlots) continue
      judged++
      const honest = dialled.filter(({ isHonest }) => isHonest).length
      if (honest * 2 < dialled.length)
        outweighed.push(`seed ${seed}, round ${round}: ${honest} of ${dialled.length}`)
    }
    expect(world.dialled.length).toBeLessThanOrEqual(outboundSlots + stakedSlots)
  }
  expect(outweighed).toEqual([])
  expect(judged).toBeGreaterThan(seeds * rounds * 0.8)
})

it('a table full of cards that lead nowhere still takes in a new honest one', () => {
  const world = new World(1, { knowsStake: false })
  const { book, now } = world
  for (let at = 0; at < 5_000; at++)
    book.hear(
      cardOf(`x${at}`, `http://${30 + (at % 150)}.${at % 256}.0.1`, now),
      `y${at % 100}` as Address,
      now,
    )
  const full = book.size
  for (let later = 0; later < 200; later++) {
    const at = unixMs(now + later * 3_600_000)
    const card = book.choose([], at, 0.5)
    if (card) book.failed(card.key, at)
  }
  expect(book.size).toBeLessThanOrEqual(full)
  expect(book.hear(cardOf('late', 'http://8.8.8.8', now), 'friend' as Address, now)).toBe(true)
})
