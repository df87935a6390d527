import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  approximateRate,
  compareFeeRates,
  type FeeRate,
  isReplacingFee,
  leastReplacingFee,
} from '../../src/mempool/fee-rate.ts'
import { createFrontier } from '../../src/mempool/frontier.ts'
import { createHeap } from '../../src/mempool/heap.ts'
import type { MempoolLimits } from '../../src/mempool/limits.ts'
import { createMempool, type Dropped } from '../../src/mempool/mempool.ts'
import type { DecodedTransaction } from '../../src/objects/transaction.ts'
import { type Address, unixMs } from '../../src/units.ts'
import { makeTransaction, now, nowSeconds } from '../unit/mempool/transactions.ts'
import { createModel, type ModelDrop } from './mempool-model.ts'

const limits: MempoolLimits = {
  maxBytes: 2_000,
  maxTransactions: 12,
  maxAheadPerSender: 6,
  maxWaitingPerSender: 2,
}
const senders = ['alice', 'bob', 'carol', 'dave'] as Address[]

const stepArbitrary = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('add' as const),
      from: fc.constantFrom(...senders),
      /** Relative to the account's. */
      ahead: fc.oneof(
        { weight: 3, arbitrary: fc.nat(3) },
        { weight: 1, arbitrary: fc.integer({ min: -1, max: 7 }) },
      ),
      fee: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 400 })),
      sizeBytes: fc.constantFrom(50, 100, 150, 200, 300, 700),
      lifeSeconds: fc.oneof(fc.nat(40), fc.constant(24 * 60 * 60 + 5)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('again' as const), which: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('commit' as const),
      maxTransactions: fc.nat(5),
      maxBytes: fc.constantFrom(300, 2_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('foreign block' as const), from: fc.constantFrom(...senders) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), seconds: fc.nat(6) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('invalidate' as const), which: fc.nat(20) }) },
)
type Step = typeof stepArbitrary extends fc.Arbitrary<infer Value> ? Value : never

/** A pool and its model side by side, with the world around them: accounts, the time, an account of every id. */
const createWorld = () => {
  const nonces = new Map<Address, number>(senders.map((sender) => [sender, 0]))
  const nonceOf = (sender: Address): number => nonces.get(sender)!
  const pool = createMempool(limits)
  const model = createModel(limits, nonceOf)
  /** Added, and neither reported as dropped nor included in a block since. */
  const expectedIds = new Set<string>()
  let timeMs = now
  const log: unknown[] = []

  const note = (dropped: readonly Dropped[], modelled: readonly ModelDrop[]): void => {
    const spell = (id: string, reason: string): string => `${id} ${reason}`
    const seen = dropped.map(({ transaction, reason }) => spell(transaction.id, reason))
    expect([...seen].sort()).toEqual(modelled.map(([{ id }, reason]) => spell(id, reason)).sort())
    for (const { transaction } of dropped) expect(expectedIds.delete(transaction.id)).toBe(true)
    log.push(seen)
  }

  const add = (transaction: DecodedTransaction): void => {
    const accountNonce = nonceOf(transaction.transaction.from)
    const hadRoom = pool.hasRoom(transaction, accountNonce)
    const admission = pool.add(transaction, accountNonce)
    const { outcome, dropped } = model.add(transaction)
    expect(admission.kind === 'refused' ? admission.code : admission.kind).toBe(outcome)
    expect(hadRoom).toBe(outcome !== 'mempool-full')
    note(admission.dropped, dropped)
    if (admission.kind === 'added') expectedIds.add(transaction.id)
    log.push(outcome)
  }

  const commit = (block: readonly DecodedTransaction[]): void => {
    for (const { id, transaction } of block) {
      nonces.set(transaction.from, transaction.nonce + 1)
      expectedIds.delete(id)
    }
    note(pool.committed(block), model.committed(block))
  }

  const pick = (which: number): DecodedTransaction | undefined => {
    const list = model.list()
    return list[which % Math.max(1, list.length)]
  }

  const take = (step: Step): void => {
    if (step.kind === 'add') {
      const { from, ahead, fee, sizeBytes, lifeSeconds } = step
      const nonce = Math.max(0, nonceOf(from) + ahead)
      add(makeTransaction({ from, nonce, fee, sizeBytes, validUntil: timeMs / 1_000 + lifeSeconds }))
    } else if (step.kind === 'again') {
      const known = pick(step.which)
      if (known !== undefined) add(known)
    } else if (step.kind === 'commit') {
      commit(pool.select({ timeMs, ...step }))
    } else if (step.kind === 'foreign block') {
      commit([makeTransaction({ from: step.from, nonce: nonceOf(step.from), fee: 1_000 })])
    } else if (step.kind === 'pass') {
      timeMs = unixMs(timeMs + step.seconds * 1_000)
      note(pool.expire(timeMs), model.expire(timeMs))
    } else {
      const doomed = pick(step.which)
      if (doomed !== undefined) note(pool.invalidate([doomed.id]), model.invalidate(doomed))
    }
  }

  const checkBounds = (): void => {
    expect(pool.size.transactions).toBeLessThanOrEqual(limits.maxTransactions)
    expect(pool.size.bytes).toBeLessThanOrEqual(limits.maxBytes)
    for (const sender of senders) {
      const held = model.list().filter(({ transaction }) => transaction.from === sender).length
      const ready = pool.pendingOf(sender).length
      expect(ready).toBeLessThanOrEqual(limits.maxAheadPerSender)
      expect(held - ready).toBeLessThanOrEqual(limits.maxWaitingPerSender)
    }
  }

  const checkNothingLost = (): void => {
    const held = model.list()
    expect(pool.size).toEqual({
      transactions: expectedIds.size,
      bytes: held.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    })
    expect(new Set(held.map(({ id }) => id as string))).toEqual(expectedIds)
    for (const transaction of held) expect(pool.get(transaction.id)).toBe(transaction)
  }

  const checkViews = (): void => {
    for (const sender of senders) {
      const ready = pool.pendingOf(sender)
      expect(ready).toEqual(model.readyOf(sender))
      expect(pool.nextNonce(sender, nonceOf(sender))).toBe(nonceOf(sender) + ready.length)
    }
    const expiries = model.list().map(({ transaction }) => transaction.validUntil * 1_000 + 1)
    expect(pool.earliestExpiry()).toBe(expiries.length === 0 ? undefined : Math.min(...expiries))
  }

  const checkSelections = (): void => {
    for (const maxBytes of [120, 450, 2_000]) {
      for (const maxTransactions of [0, 1, 3, 12]) {
        const selection = { timeMs, maxTransactions, maxBytes }
        const selected = pool.select(selection)
        expect(selected).toEqual(model.select(selection))
        log.push(selected.map(({ id }) => id))
      }
    }
    const anything = model.select({ timeMs, maxTransactions: 1, maxBytes: limits.maxBytes }).length > 0
    expect(pool.hasIncludable(timeMs)).toBe(anything)
  }

  return {
    log,
    take: (step: Step): void => {
      take(step)
      checkBounds()
      checkNothingLost()
      checkViews()
      checkSelections()
    },
  }
}

const run = (steps: readonly Step[]): readonly unknown[] => {
  const world = createWorld()
  for (const step of steps) world.take(step)
  return world.log
}

describe('the mempool', () => {
  it('does what the naive one does, within its bounds, and loses nothing without a word', () => {
    fc.assert(
      fc.property(fc.array(stepArbitrary, { maxLength: 60, size: 'max' }), (steps) => {
        run(steps)
      }),
      { numRuns: 120 },
    )
  })

  it('gives the same answers, in the same order, to the same calls', () => {
    fc.assert(
      fc.property(fc.array(stepArbitrary, { maxLength: 40, size: 'max' }), (steps) => {
        expect(run(steps)).toEqual(run(steps))
      }),
      { numRuns: 30 },
    )
  })

  it('selects in nonce order and within the block’s bounds from many senders', () => {
    const many = fc.array(
      fc.record({
        sender: fc.nat(30),
        fee: fc.integer({ min: 1, max: 9 }),
        sizeBytes: fc.constantFrom(90, 100),
      }),
      { maxLength: 300, size: 'max' },
    )
    fc.assert(
      fc.property(many, fc.nat(200), fc.nat(20_000), (all, maxTransactions, maxBytes) => {
        const pool = createMempool()
        const next = new Map<number, number>()
        for (const { sender, fee, sizeBytes } of all) {
          const nonce = next.get(sender) ?? 0
          next.set(sender, nonce + 1)
          pool.add(makeTransaction({ from: `${sender}`, nonce, fee, sizeBytes, validUntil: nowSeconds }), 0)
        }
        const selected = pool.select({ timeMs: now, maxTransactions, maxBytes })
        expect(selected.length).toBeLessThanOrEqual(maxTransactions)
        expect(selected.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBeLessThanOrEqual(maxBytes)
        const seen = new Map<string, number>()
        for (const { transaction } of selected) {
          expect(transaction.nonce).toBe(seen.get(transaction.from) ?? 0)
          seen.set(transaction.from, transaction.nonce + 1)
        }
        expect(pool.size.transactions).toBe(all.length)
      }),
      { numRuns: 40 },
    )
  })
})

describe('fee rates', () => {
  const rateOf = (fee: bigint, sizeBytes: number): FeeRate => ({
    fee,
    sizeBytes,
    feePerByte: approximateRate(fee, sizeBytes),
  })
  const feeArbitrary = fc.oneof(fc.bigInt(0n, 20n), fc.bigInt(0n, (1n << 128n) - 1n))
  const sizeArbitrary = fc.integer({ min: 1, max: 65_536 })

  it('are in the order of the exact quotients', () => {
    fc.assert(
      fc.property(
        feeArbitrary,
        sizeArbitrary,
        feeArbitrary,
        sizeArbitrary,
        (fee, size, otherFee, otherSize) => {
          const exact = fee * BigInt(otherSize) - otherFee * BigInt(size)
          const order = compareFeeRates(rateOf(fee, size), rateOf(otherFee, otherSize))
          expect(Math.sign(order)).toBe(exact < 0n ? -1 : exact > 0n ? 1 : 0)
        },
      ),
    )
  })

  it('that no double can tell apart are told apart', () => {
    fc.assert(
      fc.property(fc.bigInt(1n << 60n, 1n << 100n), sizeArbitrary, sizeArbitrary, (base, size, otherSize) => {
        const one = rateOf(base * BigInt(size), size)
        const equal = rateOf(base * BigInt(otherSize), otherSize)
        const above = rateOf(base * BigInt(otherSize) + 1n, otherSize)
        expect(compareFeeRates(one, equal)).toBe(0)
        expect(compareFeeRates(one, above)).toBeLessThan(0)
        expect(compareFeeRates(above, one)).toBeGreaterThan(0)
      }),
    )
  })

  it('the least fee that replaces is the least', () => {
    fc.assert(
      fc.property(feeArbitrary, (fee) => {
        const least = leastReplacingFee(fee)
        expect(isReplacingFee(least, fee)).toBe(true)
        expect(isReplacingFee(least - 1n, fee)).toBe(false)
      }),
    )
  })
})

describe('a heap', () => {
  interface Item {
    rank: number
    readonly serial: number
    slot: number
  }
  const before = (one: Item, other: Item): boolean =>
    one.rank === other.rank ? one.serial < other.serial : one.rank < other.rank
  const inOrder = (items: readonly Item[]): readonly Item[] =>
    [...items].sort((one, other) => (before(one, other) ? -1 : 1))
  const opArbitrary = fc.record({
    op: fc.constantFrom('push', 'push', 'remove', 'change', 'substitute'),
    rank: fc.nat(8),
    which: fc.nat(1_000),
  })

  it('walks and empties in order after any pushes, removals and changes, and every item knows its slot', () => {
    fc.assert(
      fc.property(fc.array(opArbitrary, { maxLength: 120, size: 'max' }), (ops) => {
        const heap = createHeap<Item>(before, (item, slot) => {
          item.slot = slot
        })
        const held = new Set<Item>()
        ops.forEach(({ op, rank, which }, serial) => {
          const item = [...held][which % Math.max(1, held.size)]
          const fresh = { rank, serial, slot: -1 }
          if (op === 'push' || item === undefined) {
            heap.push(fresh)
            held.add(fresh)
          } else if (op === 'remove') {
            expect(heap.removeAt(item.slot)).toBe(item)
            expect(item.slot).toBe(-1)
            held.delete(item)
          } else if (op === 'change') {
            item.rank = rank
            heap.replaceAt(item.slot, item)
          } else {
            heap.replaceAt(item.slot, fresh)
            held.delete(item)
            held.add(fresh)
          }
          expect(heap.items.length).toBe(held.size)
          for (const known of held) expect(heap.items[known.slot]).toBe(known)
        })
        const frontier = createFrontier(heap.items, before)
        const walked = Array.from(heap.items, () => frontier.next())
        expect(frontier.next()).toBeUndefined()
        expect(walked).toEqual(inOrder([...held]))
        const emptied = Array.from(held, () => heap.removeAt(0))
        expect(emptied).toEqual(walked)
      }),
      { numRuns: 150 },
    )
  })
})
