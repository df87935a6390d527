/** Sync among peers of every kind: whatever most of them do, the highest honest head is reached. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assert } from '../../src/errors.ts'
import { maxSegmentBytes } from '../../src/messages/limits.ts'
import { maxAheadBytes, maxBanTicks, maxInUse, maxSpans, requestTicks } from '../../src/sync/limits.ts'
import { Sync, type SyncEffect, type SyncInput } from '../../src/sync/sync.ts'
import { type Address, height } from '../../src/units.ts'

/**
 * - `honest`: answers after some ticks, as much as fits
 * - `silent`: never answers
 * - `failing`: says each time that there is no answer
 * - `short`: gives fewer blocks than asked for
 * - `forging`: its segments are false
 * - `shrinking`: says each tick that it is lower than before, and answers like an honest one
 * - `flapping`: leaves and comes back all the time, never answering
 */
const kinds = ['honest', 'silent', 'failing', 'short', 'forging', 'shrinking', 'flapping'] as const
type Kind = (typeof kinds)[number]

interface Peer {
  readonly kind: Kind
  readonly claims: number
  readonly delayTicks: number
}

const anyPeer = fc.record({
  kind: fc.constantFrom(...kinds),
  claims: fc.integer({ min: 0, max: 600 }),
  delayTicks: fc.integer({ min: 0, max: requestTicks - 1 }),
})

interface World {
  readonly peers: readonly Peer[]
  /** Of a block, by its height. */
  readonly blockBytes: readonly number[]
  /** After how many blocks the validators change, again and again. */
  readonly epoch: number
  /** The storage refuses once in so many times, at no regular ticks. */
  readonly storageFails: number
}

const anyWorld = fc.record({
  peers: fc
    .tuple(
      fc.record({
        kind: fc.constant('honest' as const),
        claims: fc.integer({ min: 1, max: 600 }),
        delayTicks: fc.nat(3),
      }),
      fc.array(anyPeer, { maxLength: 7 }),
    )
    .map(([honest, others]) => [honest, ...others]),
  blockBytes: fc.array(fc.integer({ min: 100, max: 400_000 }), { minLength: 1, maxLength: 20 }),
  epoch: fc.integer({ min: 20, max: 300 }),
  storageFails: fc.integer({ min: 3, max: 50 }),
})

interface Asked {
  readonly peer: Peer
  readonly from: number
  readonly blocks: number
  readonly dueTick: number
}

const scatter = (tick: number): number => Math.imul(tick, 0x9e3779b1) >>> 16

const name = (at: number): Address => `taut1${at}` as Address

/** A network of peers around one machine, tick by tick; it checks the machine's word at every step. */
class Play {
  readonly machine = new Sync(height(0))
  readonly #world: World
  readonly #asked = new Map<number, Asked>()
  readonly #held = new Map<number, { readonly from: number; readonly blocks: number; readonly peer: Peer }>()
  #inUse: number[] = []
  readonly #bannedUntil = new Map<Address, number>()
  readonly #claims = new Map<Address, number>()
  #head = 0
  #tick = 0

  constructor(world: World) {
    this.#world = world
    for (const [at, { claims }] of world.peers.entries()) this.#stand(at, claims)
  }

  get head(): number {
    return this.#head
  }

  get target(): number {
    return Math.max(...this.#world.peers.filter(({ kind }) => kind === 'honest').map(({ claims }) => claims))
  }

  tick(): void {
    this.#tick++
    this.#tell({ kind: 'tick' })
    for (const [at, peer] of this.#world.peers.entries()) {
      if (peer.kind === 'shrinking') this.#stand(at, Math.max(0, peer.claims - this.#tick))
      if (peer.kind === 'flapping') {
        this.#claims.delete(name(at))
        this.#tell({ kind: 'gone', peer: name(at) })
        this.#stand(at, peer.claims)
      }
    }
    for (const [request, asked] of [...this.#asked])
      if (asked.dueTick <= this.#tick) this.#answer(request, asked)
    this.#apply()
  }

  #stand(at: number, claims: number): void {
    this.#claims.set(name(at), claims)
    this.#tell({ kind: 'stands', peer: name(at), height: height(claims), oldest: height(1) })
  }

  #answer(request: number, { peer, from, blocks }: Asked): void {
    if (peer.kind === 'silent' || peer.kind === 'flapping') return
    this.#asked.delete(request)
    if (peer.kind === 'failing') {
      this.#tell({ kind: 'failed', request, fault: 'slow', reason: 'no answer' })
      return
    }
    const { blockBytes, epoch } = this.#world
    let given = 0
    let sizeBytes = 0
    let endsEpoch = false
    while (given < blocks && !endsEpoch) {
      const next = blockBytes[(from + given) % blockBytes.length]!
      if (given > 0 && sizeBytes + next > maxSegmentBytes) break
      sizeBytes += next
      endsEpoch = (from + given) % epoch === 0
      given++
    }
    if (peer.kind === 'short') given = Math.floor(given / 2)
    const mayBeShort = peer.kind !== 'short' && given < blocks
    this.#held.set(request, { from, blocks: given, peer })
    this.#tell({ kind: 'answered', request, blocks: given, sizeBytes, mayBeShort })
  }

  #apply(): void {
    const [request] = this.#inUse
    if (request === undefined) return
    if (scatter(this.#tick) % this.#world.storageFails === 0) {
      this.#inUse = []
      this.#tell({ kind: 'postponed' })
      return
    }
    const { from, blocks, peer } = this.#held.get(request)!
    assert(from <= this.#head + 1, 'segments are used in order')
    if (peer.kind === 'forging') {
      this.#inUse = []
      this.#tell({ kind: 'refused', request, reason: 'forged' })
      return
    }
    this.#head = Math.max(this.#head, from + blocks - 1)
    this.#tell({ kind: 'head', height: height(this.#head) })
  }

  #tell(input: SyncInput): void {
    for (const effect of this.machine.step(input)) this.#perform(effect)
    const { requests, heldBytes } = this.machine.view()
    assert(this.#inUse.length <= maxInUse, 'few segments are in use')
    assert(requests + this.#held.size <= maxSpans + 1, 'few answers wait')
    assert(heldBytes <= maxAheadBytes + maxSegmentBytes, 'few bytes wait')
  }

  #perform(effect: SyncEffect): void {
    switch (effect.kind) {
      case 'request': {
        const peer = this.#world.peers[Number(effect.peer.slice(5))]!
        assert(this.#tick >= (this.#bannedUntil.get(effect.peer) ?? 0), 'nobody is asked before its time')
        const last = effect.from + effect.blocks - 1
        assert(effect.blocks > 0 && last <= (this.#claims.get(effect.peer) ?? -1), 'what it says it has')
        assert(effect.from > this.#head, 'nothing is asked for that is here')
        this.#asked.set(effect.request, { ...effect, peer, dueTick: this.#tick + peer.delayTicks })
        return
      }
      case 'use':
        assert(this.#held.has(effect.request), 'only what is held is used')
        this.#inUse.push(effect.request)
        return
      case 'forget':
        this.#asked.delete(effect.request)
        this.#held.delete(effect.request)
        this.#inUse = this.#inUse.filter((request) => request !== effect.request)
        return
      case 'drop':
        assert(effect.ticks <= maxBanTicks, 'bans end')
        this.#bannedUntil.set(effect.peer, this.#tick + effect.ticks)
    }
  }
}

/** Enough for every segment to come one by one from the slowest honest peer, and bans to pass in between. */
const patienceTicks = 60_000

describe('sync among peers that lie, are slow, give little, go back or come and go', () => {
  test('reaches the highest honest head, within its bounds', () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        const play = new Play(world)
        for (let tick = 0; tick < patienceTicks && play.head < play.target; tick++) play.tick()
        expect(play.head).toBeGreaterThanOrEqual(play.target)
      }),
      { numRuns: 150 },
    )
  })

  test('the same inputs give the same effects', () => {
    const inputs: readonly SyncInput[] = [
      { kind: 'stands', peer: name(1), height: height(500), oldest: height(1) },
      { kind: 'stands', peer: name(2), height: height(900), oldest: height(1) },
      { kind: 'failed', request: 1, fault: 'slow', reason: 'no answer' },
      { kind: 'answered', request: 2, blocks: 32, sizeBytes: 9_000, mayBeShort: false },
      { kind: 'tick' },
    ]
    const run = () => {
      const machine = new Sync(height(0))
      return inputs.map((input) => machine.step(input))
    }
    expect(run()).toEqual(run())
  })
})
