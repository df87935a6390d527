import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Edge, GossipWorld, line, mesh, ring, star } from './gossip-world.ts'

const shapes: Readonly<Record<string, (size: number) => readonly Edge[]>> = { mesh, ring, star, line }

const world = fc
  .record({ shape: fc.constantFrom(...Object.keys(shapes)), size: fc.integer({ min: 3, max: 6 }) })
  .map(({ shape, size }) => ({ size, edges: shapes[shape]!(size), shape }))

const place = fc.nat(6)
const step = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('deliver' as const), choice: fc.nat(40) }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('submit' as const), place }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('prevote' as const), place }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('proposal' as const), place }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('tick' as const), place }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lose' as const), choice: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('lack' as const), place, which: fc.nat(20) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('lie' as const), place, count: fc.constantFrom(2, 300) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('break' as const), edge: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('mend' as const), edge: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('climb' as const), place }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), place }) },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

const play = (all: GossipWorld, edges: readonly Edge[], move: Step): void => {
  const edge = 'edge' in move ? edges[move.edge % edges.length]! : edges[0]!
  const at = 'place' in move ? move.place % all.nodes.length : 0
  switch (move.kind) {
    case 'deliver':
      all.deliver(move.choice)
      break
    case 'submit':
      all.submit(at)
      break
    case 'tick':
      all.tick(at)
      break
    case 'lose':
      all.lose(move.choice)
      break
    case 'lack': {
      const known = all.nodes.flatMap(({ mempool }) => [...mempool])
      if (known.length > 0) all.lack(at, known[move.which % known.length]!)
      break
    }
    case 'lie':
      all.lie(at, move.count)
      break
    case 'break':
      all.break(edge)
      break
    case 'mend':
      all.notice(edge)
      all.open(edge)
      break
    case 'climb':
      all.climb(at)
      break
    case 'restart':
      all.restart(at)
      break
    default:
      all.say(at, move.kind)
  }
}

/** More than a peer that stands still is given before it is told everything anew. */
const enoughTicks = 12

/** Everybody is linked, in one height, and has something to say in it, so that ticks repeat. */
const healed = (size: number, edges: readonly Edge[], steps: readonly Step[]): GossipWorld => {
  const all = new GossipWorld(size, edges)
  for (const move of steps) play(all, edges, move)
  all.heal()
  for (const at of all.nodes.keys()) all.say(at)
  for (let count = 0; count < enoughTicks; count++) all.tickAll()
  return all
}

describe('three to six nodes whose links lose and break, whose heads differ, who restart and who lie', () => {
  test('what anybody has when all is well again, everybody gets', () => {
    fc.assert(
      fc.property(world, fc.array(step, { maxLength: 120 }), ({ size, edges }, steps) => {
        const all = healed(size, edges, steps)

        const transactions = [...new Set(all.nodes.flatMap(({ mempool }) => [...mempool]))].sort()
        const messages = [...new Set(all.nodes.flatMap(({ messages }) => [...messages.keys()]))].sort()
        for (const node of all.nodes) {
          expect([...node.mempool].sort()).toEqual(transactions)
          expect([...node.messages.keys()].sort()).toEqual(messages)
        }
      }),
      { numRuns: 300 },
    )
  })

  test('once all are gone, nobody says anything more', () => {
    fc.assert(
      fc.property(world, fc.array(step, { maxLength: 80 }), ({ size, edges }, steps) => {
        const all = healed(size, edges, steps)
        for (const hash of all.nodes[0]!.mempool) all.depart(hash)
        for (const at of all.nodes.keys()) all.climb(at)
        for (let count = 0; all.nodes.some(({ gossip }) => gossip.needsTicks); count++) {
          expect(count).toBeLessThan(200)
          all.tickAll()
        }

        const { sent } = all
        for (let count = 0; count < 100; count++) all.tickAll()
        expect(all.sent).toBe(sent)
      }),
      { numRuns: 60 },
    )
  })
})

describe('a full mesh of four that loses nothing', () => {
  const links = 6

  test('each message crosses each link once at most, whatever the order of deliveries and ticks', () => {
    const calm = step.filter(({ kind }) => ['deliver', 'prevote', 'proposal'].includes(kind))
    fc.assert(
      fc.property(fc.array(calm, { maxLength: 200 }), (steps) => {
        const all = new GossipWorld(4, mesh(4))
        for (const move of steps) play(all, mesh(4), move)
        all.settle()
        for (let count = 0; count < 5; count++) all.tickAll()

        const said = all.nodes[0]!.messages.size
        for (const { messages } of all.nodes) expect(messages.size).toBe(said)
        expect(Math.max(0, ...all.carried.values())).toBeLessThanOrEqual(1)
      }),
      { numRuns: 100 },
    )
  })

  test('without a tick a vote is sent three times, straight from its author', () => {
    const all = new GossipWorld(4, mesh(4))
    const { sent } = all
    all.say(0)
    all.settle()
    expect(all.sent - sent).toBe(3)
    expect(all.nodes.map(({ messages }) => messages.size)).toEqual([1, 1, 1, 1])
  })

  test('each transaction is sent to each peer once, and not announced', () => {
    const all = new GossipWorld(4, mesh(4))
    const { sent } = all
    for (let count = 0; count < 100; count++) all.submit(count % 4)
    all.settle()
    expect(all.sent - sent).toBe(300)
    expect([...all.texts.values()]).toEqual(Array(300).fill(1))
    for (const { mempool } of all.nodes) expect(mempool.size).toBe(100)
  })

  test('what waits for long is announced once over each link, and pulled by nobody', () => {
    const all = new GossipWorld(4, mesh(4))
    all.submit(0)
    all.settle()
    const { sent } = all
    for (let count = 0; count < 50; count++) all.tickAll()
    expect(all.sent - sent).toBe(links - 3)
    expect(all.texts.size).toBe(3)
  })
})

describe('a ring of twelve', () => {
  test('without a tick a vote and a transaction reach everyone', () => {
    const all = new GossipWorld(12, ring(12))
    all.submit(3)
    all.say(3)
    all.say(7, 'proposal')
    all.settle()
    for (const { mempool, messages } of all.nodes) {
      expect(mempool.size).toBe(1)
      expect(messages.size).toBe(2)
    }
    expect(Math.max(...all.texts.values())).toBeLessThanOrEqual(2)
  })
})
