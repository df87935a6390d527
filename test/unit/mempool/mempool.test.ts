import { describe, expect, it } from 'vitest'
import { defaultMempoolLimits, type MempoolLimits } from '../../../src/mempool/limits.ts'
import { createMempool, type Dropped, type Mempool, maxMisfits } from '../../../src/mempool/mempool.ts'
import { type DecodedTransaction, maxValidityMs } from '../../../src/objects/transaction.ts'
import { type Address, unixMs } from '../../../src/units.ts'
import { makeTransaction, now, nowSeconds, type Traits } from './transactions.ts'

const limited = (limits: Partial<MempoolLimits>): Mempool =>
  createMempool({ ...defaultMempoolLimits, ...limits })

/** Adds transactions of accounts that have sent none before. */
const fill = (pool: Mempool, ...all: readonly Traits[]): readonly DecodedTransaction[] =>
  all.map((traits) => {
    const transaction = makeTransaction(traits)
    expect(pool.add(transaction, 0)).toEqual({ kind: 'added', dropped: [] })
    return transaction
  })

const wholeBlock = { timeMs: now, maxTransactions: 1_000, maxBytes: 1_000_000 }
const noncesOf = (transactions: readonly DecodedTransaction[]): readonly string[] =>
  transactions.map(({ transaction }) => `${transaction.from} ${transaction.nonce}`)
const readyOf = (pool: Mempool, sender: string): readonly number[] =>
  pool.pendingOf(sender as Address).map(({ transaction }) => transaction.nonce)
const summary = (dropped: readonly Dropped[]): readonly string[] =>
  dropped.map(
    ({ transaction: { transaction }, reason }) => `${transaction.from} ${transaction.nonce} ${reason}`,
  )

describe('a block', () => {
  it('takes the best fee per byte first, not the best fee', () => {
    const pool = createMempool()
    fill(
      pool,
      { from: 'big', nonce: 0, fee: 30, sizeBytes: 400 },
      { from: 'small', nonce: 0, fee: 20, sizeBytes: 100 },
    )
    expect(noncesOf(pool.select(wholeBlock))).toEqual(['small 0', 'big 0'])
  })

  it('keeps a sender’s nonce order, however much the later ones pay', () => {
    const pool = createMempool()
    fill(
      pool,
      { from: 'alice', nonce: 0, fee: 1 },
      { from: 'alice', nonce: 1, fee: 100 },
      { from: 'bob', nonce: 0, fee: 50 },
    )
    expect(noncesOf(pool.select(wholeBlock))).toEqual(['bob 0', 'alice 0', 'alice 1'])
  })

  it('takes equal rates in order of arrival, also where sizes differ', () => {
    const pool = createMempool()
    fill(
      pool,
      { from: 'carol', nonce: 0, fee: 3, sizeBytes: 300 },
      { from: 'alice', nonce: 0, fee: 1, sizeBytes: 100 },
      { from: 'bob', nonce: 0, fee: 2, sizeBytes: 200 },
    )
    expect(noncesOf(pool.select(wholeBlock))).toEqual(['carol 0', 'alice 0', 'bob 0'])
  })

  it('passes over what is too big for the room left, with its sender’s later ones, and takes the next', () => {
    const pool = createMempool()
    fill(
      pool,
      { from: 'alice', nonce: 0, fee: 50, sizeBytes: 100 },
      { from: 'alice', nonce: 1, fee: 400, sizeBytes: 901 },
      { from: 'alice', nonce: 2, fee: 40, sizeBytes: 100 },
      { from: 'bob', nonce: 0, fee: 1, sizeBytes: 100 },
    )
    const selected = pool.select({ ...wholeBlock, maxBytes: 1_000 })
    expect(noncesOf(selected)).toEqual(['alice 0', 'bob 0'])
  })

  it('stops at its number of transactions, and leaves them in the pool', () => {
    const pool = createMempool()
    fill(pool, { from: 'alice', nonce: 0 }, { from: 'alice', nonce: 1 }, { from: 'bob', nonce: 0 })
    expect(noncesOf(pool.select({ ...wholeBlock, maxTransactions: 2 }))).toEqual(['alice 0', 'alice 1'])
    expect(pool.size).toEqual({ transactions: 3, bytes: 300 })
  })

  it('is closed after too many in a row that do not fit', () => {
    const withBigOnes = (count: number): Mempool => {
      const pool = createMempool()
      fill(pool, { from: 'small', nonce: 0, fee: 1, sizeBytes: 10 })
      for (let n = 0; n < count; n++) fill(pool, { from: `big ${n}`, nonce: 0, fee: 100, sizeBytes: 100 })
      return pool
    }
    const tightBlock = { ...wholeBlock, maxBytes: 50 }
    expect(noncesOf(withBigOnes(maxMisfits - 1).select(tightBlock))).toEqual(['small 0'])
    expect(withBigOnes(maxMisfits).select(tightBlock)).toEqual([])
  })

  it('includes up to the last millisecond of validUntil and up to 24 hours ahead of it', () => {
    const pool = createMempool()
    const validUntil = nowSeconds
    const [transaction] = fill(pool, { from: 'alice', nonce: 0, validUntil })
    const includableAt = (timeMs: number): boolean => {
      const selected = pool.select({ ...wholeBlock, timeMs: unixMs(timeMs) })
      expect(pool.hasIncludable(unixMs(timeMs))).toBe(selected.length > 0)
      return selected[0] === transaction
    }
    expect(includableAt(now)).toBe(true)
    expect(includableAt(now + 1)).toBe(false)
    expect(includableAt(now - maxValidityMs)).toBe(true)
    expect(includableAt(now - maxValidityMs - 1)).toBe(false)
  })

  it('takes nothing behind a transaction that its time does not allow', () => {
    const pool = createMempool()
    fill(
      pool,
      { from: 'alice', nonce: 0 },
      { from: 'alice', nonce: 1, fee: 1_000, validUntil: nowSeconds - 1 },
      { from: 'alice', nonce: 2 },
    )
    expect(noncesOf(pool.select(wholeBlock))).toEqual(['alice 0'])
  })
})

describe('a gap before a nonce', () => {
  it('makes the later ones wait, and filling it makes them ready', () => {
    const pool = createMempool()
    fill(pool, { from: 'alice', nonce: 2 }, { from: 'alice', nonce: 1 })
    expect(readyOf(pool, 'alice')).toEqual([])
    expect(pool.hasIncludable(now)).toBe(false)
    expect(pool.nextNonce('alice' as Address, 0)).toBe(0)
    fill(pool, { from: 'alice', nonce: 0 })
    expect(readyOf(pool, 'alice')).toEqual([0, 1, 2])
    expect(pool.nextNonce('alice' as Address, 0)).toBe(3)
    expect(noncesOf(pool.select(wholeBlock))).toEqual(['alice 0', 'alice 1', 'alice 2'])
  })

  it('is filled by a block that somebody else made', () => {
    const pool = createMempool()
    fill(pool, { from: 'alice', nonce: 1 })
    expect(pool.committed([makeTransaction({ from: 'alice', nonce: 0 })])).toEqual([])
    expect(readyOf(pool, 'alice')).toEqual([1])
  })

  it('lets only so many wait, but the one that fills it is still welcome', () => {
    const pool = limited({ maxWaitingPerSender: 2 })
    fill(pool, { from: 'alice', nonce: 2 }, { from: 'alice', nonce: 3 })
    const third = makeTransaction({ from: 'alice', nonce: 1 })
    expect(pool.add(third, 0)).toMatchObject({ kind: 'refused', code: 'nonce-too-far' })
    fill(pool, { from: 'alice', nonce: 0 })
    expect(pool.add(third, 0)).toEqual({ kind: 'added', dropped: [] })
    expect(readyOf(pool, 'alice')).toEqual([0, 1, 2, 3])
  })

  it('gives no claim to a place: the waiting one yields to a ready one at any fee', () => {
    const pool = limited({ maxTransactions: 2 })
    fill(pool, { from: 'alice', nonce: 5, fee: 1_000_000 }, { from: 'bob', nonce: 0, fee: 2 })
    const admission = pool.add(makeTransaction({ from: 'carol', nonce: 0, fee: 1 }), 0)
    expect(admission.kind).toBe('added')
    expect(summary(admission.dropped)).toEqual(['alice 5 evicted'])
  })

  it('gives no way to push out a ready one, at any fee', () => {
    const pool = limited({ maxTransactions: 1 })
    fill(pool, { from: 'bob', nonce: 0, fee: 1 })
    const rich = makeTransaction({ from: 'alice', nonce: 5, fee: 1_000_000 })
    expect(pool.add(rich, 0)).toMatchObject({ kind: 'refused', code: 'mempool-full', dropped: [] })
  })
})

describe('a nonce', () => {
  it('that the account has used is refused', () => {
    const pool = createMempool()
    const refusal = pool.add(makeTransaction({ from: 'alice', nonce: 4 }), 5)
    expect(refusal).toMatchObject({
      kind: 'refused',
      code: 'nonce-used',
      message: 'nonce: 4 is used already; expected 5, the next one of alice',
      details: { nonce: 4, accountNonce: 5, nextNonce: 5 },
    })
    expect(pool.size).toEqual({ transactions: 0, bytes: 0 })
  })

  it('may be 4,095 ahead of the account’s, not 4,096', () => {
    const pool = createMempool()
    const farthest = makeTransaction({ from: 'alice', nonce: 7 + 4_095 })
    const tooFar = makeTransaction({ from: 'alice', nonce: 7 + 4_096 })
    expect(pool.add(farthest, 7).kind).toBe('added')
    expect(pool.add(tooFar, 7)).toMatchObject({ kind: 'refused', code: 'nonce-too-far' })
  })

  it('next in a line that is full has to wait for room', () => {
    const pool = limited({ maxAheadPerSender: 2 })
    const [first] = fill(pool, { from: 'alice', nonce: 0 }, { from: 'alice', nonce: 1 })
    const next = makeTransaction({ from: 'alice', nonce: 2 })
    expect(pool.hasRoom(next, 0)).toBe(false)
    expect(pool.add(next, 0)).toMatchObject({ kind: 'refused', code: 'mempool-full' })
    pool.committed([first!])
    expect(pool.hasRoom(next, 1)).toBe(true)
    expect(pool.add(next, 1)).toEqual({ kind: 'added', dropped: [] })
  })

  it('that moved on without a word is believed, and what it used up is reported', () => {
    const pool = createMempool()
    fill(pool, { from: 'alice', nonce: 0 }, { from: 'alice', nonce: 1 }, { from: 'alice', nonce: 3 })
    const admission = pool.add(makeTransaction({ from: 'alice', nonce: 2 }), 2)
    expect(summary(admission.dropped)).toEqual(['alice 0 replaced', 'alice 1 replaced'])
    expect(readyOf(pool, 'alice')).toEqual([2, 3])
  })
})

describe('the same transaction again', () => {
  it('is known, and changes nothing', () => {
    const pool = createMempool()
    const [transaction] = fill(pool, { from: 'alice', nonce: 0 })
    expect(pool.add(transaction!, 0)).toEqual({ kind: 'known', dropped: [] })
    expect(pool.size).toEqual({ transactions: 1, bytes: 100 })
    expect(pool.has(transaction!.id)).toBe(true)
    expect(pool.get(transaction!.id)).toBe(transaction)
  })

  it('is known also when the pool is full', () => {
    const pool = limited({ maxTransactions: 1 })
    const [transaction] = fill(pool, { from: 'alice', nonce: 0 })
    expect(pool.hasRoom(transaction!, 0)).toBe(true)
    expect(pool.add(transaction!, 0).kind).toBe('known')
  })
})

describe('replacing a pending transaction', () => {
  const replace = (fee: bigint, by: bigint) => {
    const pool = createMempool()
    fill(pool, { from: 'alice', nonce: 0, fee }, { from: 'alice', nonce: 1 })
    return { pool, admission: pool.add(makeTransaction({ from: 'alice', nonce: 0, fee: by }), 0) }
  }

  it.each([
    [100n, 110n],
    [101n, 112n],
    [1n, 2n],
    [0n, 1n],
    [10n ** 38n, 11n * 10n ** 37n],
  ])('a fee of %d gives way to %d: exactly enough', (fee, by) => {
    const { pool, admission } = replace(fee, by)
    expect(admission.kind).toBe('added')
    expect(summary(admission.dropped)).toEqual(['alice 0 replaced'])
    expect(admission.dropped[0]!.transaction.transaction.fee).toBe(`${fee}`)
    expect(pool.pendingOf('alice' as Address)[0]!.transaction.fee).toBe(`${by}`)
    expect(readyOf(pool, 'alice')).toEqual([0, 1])
  })

  it.each([
    [100n, 109n, 110n],
    [101n, 111n, 112n],
    [9n, 9n, 10n],
    [0n, 0n, 1n],
    [10n ** 38n, 11n * 10n ** 37n - 1n, 11n * 10n ** 37n],
  ])('a fee of %d does not give way to %d', (fee, by, least) => {
    const pool = createMempool()
    fill(pool, { from: 'alice', nonce: 0, fee })
    const other = makeTransaction({ from: 'alice', nonce: 0, fee: by, sizeBytes: 99 })
    expect(pool.add(other, 0)).toMatchObject({
      kind: 'refused',
      code: 'replacement-underpriced',
      details: { leastFee: `${least}` },
      dropped: [],
    })
    expect(readyOf(pool, 'alice')).toEqual([0])
  })

  it('works in the middle of what waits', () => {
    const pool = createMempool()
    fill(pool, { from: 'alice', nonce: 3 }, { from: 'alice', nonce: 5 }, { from: 'alice', nonce: 7 })
    const admission = pool.add(makeTransaction({ from: 'alice', nonce: 5, fee: 20 }), 0)
    expect(summary(admission.dropped)).toEqual(['alice 5 replaced'])
    expect(pool.size).toEqual({ transactions: 3, bytes: 300 })
  })

  it('in a full pool pushes nobody else out, unless it is bigger', () => {
    const pool = limited({ maxTransactions: 2, maxBytes: 200 })
    fill(pool, { from: 'alice', nonce: 0, fee: 50 }, { from: 'bob', nonce: 0, fee: 20 })
    const same = pool.add(makeTransaction({ from: 'alice', nonce: 0, fee: 60 }), 0)
    expect(summary(same.dropped)).toEqual(['alice 0 replaced'])
    const bigger = pool.add(makeTransaction({ from: 'alice', nonce: 0, fee: 90, sizeBytes: 101 }), 0)
    expect(summary(bigger.dropped)).toEqual(['bob 0 evicted', 'alice 0 replaced'])
    expect(pool.size).toEqual({ transactions: 1, bytes: 101 })
  })
})

describe('a full pool', () => {
  it('lets the worst go for a better one', () => {
    const pool = limited({ maxTransactions: 3 })
    fill(
      pool,
      { from: 'alice', nonce: 0, fee: 5 },
      { from: 'bob', nonce: 0, fee: 3 },
      { from: 'carol', nonce: 0, fee: 4 },
    )
    const admission = pool.add(makeTransaction({ from: 'dave', nonce: 0, fee: 6 }), 0)
    expect(summary(admission.dropped)).toEqual(['bob 0 evicted'])
  })

  it('lets only the last of a line go, so that nobody’s predecessor is missing', () => {
    const pool = limited({ maxTransactions: 3 })
    fill(
      pool,
      { from: 'alice', nonce: 0, fee: 1 },
      { from: 'alice', nonce: 1, fee: 8 },
      { from: 'bob', nonce: 0, fee: 9 },
    )
    const admission = pool.add(makeTransaction({ from: 'dave', nonce: 0, fee: 10 }), 0)
    expect(summary(admission.dropped)).toEqual(['alice 1 evicted'])
    expect(readyOf(pool, 'alice')).toEqual([0])
  })

  it('spares the newcomer’s own predecessors, and refuses it when nobody else is worse', () => {
    const pool = limited({ maxTransactions: 2 })
    fill(pool, { from: 'alice', nonce: 0, fee: 1 }, { from: 'bob', nonce: 0, fee: 9 })
    const refusal = pool.add(makeTransaction({ from: 'alice', nonce: 1, fee: 5 }), 0)
    expect(refusal).toMatchObject({ kind: 'refused', code: 'mempool-full', dropped: [] })
    expect(readyOf(pool, 'alice')).toEqual([0])
    const admission = pool.add(makeTransaction({ from: 'alice', nonce: 1, fee: 10 }), 0)
    expect(summary(admission.dropped)).toEqual(['bob 0 evicted'])
  })

  it('may let the newcomer’s own successors go', () => {
    const pool = limited({ maxTransactions: 2 })
    fill(pool, { from: 'alice', nonce: 1, fee: 1 }, { from: 'alice', nonce: 2, fee: 1 })
    const admission = pool.add(makeTransaction({ from: 'alice', nonce: 0, fee: 5 }), 0)
    expect(summary(admission.dropped)).toEqual(['alice 2 evicted'])
    expect(readyOf(pool, 'alice')).toEqual([0, 1])
  })

  it('keeps the line of a newcomer that pushes out all that was in it', () => {
    const pool = limited({ maxTransactions: 1 })
    fill(pool, { from: 'alice', nonce: 1 })
    const admission = pool.add(makeTransaction({ from: 'alice', nonce: 0 }), 0)
    expect(summary(admission.dropped)).toEqual(['alice 1 evicted'])
    expect(noncesOf(pool.select(wholeBlock))).toEqual(['alice 0'])
  })

  it('lets several small ones go for a big one, or none when that is not enough', () => {
    const pool = limited({ maxBytes: 300 })
    fill(
      pool,
      { from: 'alice', nonce: 0, fee: 1 },
      { from: 'bob', nonce: 0, fee: 2 },
      { from: 'carol', nonce: 0, fee: 30 },
    )
    const tooBig = makeTransaction({ from: 'dave', nonce: 0, fee: 60, sizeBytes: 201 })
    expect(pool.add(tooBig, 0)).toMatchObject({ kind: 'refused', code: 'mempool-full', dropped: [] })
    expect(pool.size).toEqual({ transactions: 3, bytes: 300 })
    const admission = pool.add(makeTransaction({ from: 'dave', nonce: 0, fee: 60, sizeBytes: 200 }), 0)
    expect(summary(admission.dropped)).toEqual(['alice 0 evicted', 'bob 0 evicted'])
    expect(pool.size).toEqual({ transactions: 2, bytes: 300 })
  })

  it('keeps who came first when a flood of one sender pays the same rate', () => {
    const pool = limited({ maxTransactions: 10 })
    const others = fill(
      pool,
      ...[0, 1, 2, 3, 4].map((n) => ({ from: `other ${n}`, nonce: 0, fee: 20, sizeBytes: 200 })),
    )
    const flood = Array.from({ length: 50 }, (_, nonce) => makeTransaction({ from: 'flood', nonce }))
    const kinds = flood.map((transaction) => pool.add(transaction, 0))
    expect(kinds.filter(({ kind }) => kind === 'added')).toHaveLength(5)
    expect(kinds.flatMap(({ dropped }) => dropped)).toEqual([])
    expect(others.every(({ id }) => pool.has(id))).toBe(true)
  })

  it('has room for the better only, and says so beforehand', () => {
    const pool = limited({ maxTransactions: 1 })
    fill(pool, { from: 'alice', nonce: 0, fee: 10 })
    expect(pool.hasRoom(makeTransaction({ from: 'bob', nonce: 0, fee: 10 }), 0)).toBe(false)
    expect(pool.hasRoom(makeTransaction({ from: 'bob', nonce: 0, fee: 11 }), 0)).toBe(true)
    expect(pool.size.transactions).toBe(1)
  })

  it('refuses in words that say what to do', () => {
    const pool = limited({ maxTransactions: 1 })
    fill(pool, { from: 'alice', nonce: 0, fee: 10 })
    expect(pool.add(makeTransaction({ from: 'bob', nonce: 0, fee: 10 }), 0)).toMatchObject({
      message:
        'the mempool holds all it may (1 transactions, 33554432 bytes) and none of them gives way to a fee of ' +
        '10 for 100 bytes; try again in a moment, or raise the fee',
    })
  })
})

describe('a committed block', () => {
  it('removes what it included without reporting it, and moves the sender on', () => {
    const pool = createMempool()
    const [zero, one] = fill(
      pool,
      { from: 'alice', nonce: 0 },
      { from: 'alice', nonce: 1 },
      { from: 'alice', nonce: 2 },
    )
    expect(pool.committed([zero!, one!])).toEqual([])
    expect(pool.has(zero!.id)).toBe(false)
    expect(readyOf(pool, 'alice')).toEqual([2])
    expect(pool.size).toEqual({ transactions: 1, bytes: 100 })
  })

  it('drops what lost its nonce to another transaction', () => {
    const pool = createMempool()
    fill(pool, { from: 'alice', nonce: 0 }, { from: 'alice', nonce: 1 }, { from: 'bob', nonce: 0 })
    const other = makeTransaction({ from: 'alice', nonce: 0, fee: 11 })
    expect(summary(pool.committed([other]))).toEqual(['alice 0 replaced'])
    expect(readyOf(pool, 'alice')).toEqual([1])
    expect(readyOf(pool, 'bob')).toEqual([0])
  })

  it('of senders who have nothing here changes nothing', () => {
    const pool = createMempool()
    fill(pool, { from: 'alice', nonce: 0 })
    expect(pool.committed([makeTransaction({ from: 'bob', nonce: 0 })])).toEqual([])
    expect(readyOf(pool, 'alice')).toEqual([0])
    expect(pool.nextNonce('bob' as Address, 1)).toBe(1)
  })
})

describe('expiry', () => {
  it('in the middle of a line makes the later ones wait until the gap is filled', () => {
    const pool = createMempool()
    fill(
      pool,
      { from: 'alice', nonce: 0 },
      { from: 'alice', nonce: 1, validUntil: nowSeconds },
      { from: 'alice', nonce: 2 },
    )
    expect(pool.earliestExpiry()).toBe(now + 1)
    expect(pool.expire(now)).toEqual([])
    expect(summary(pool.expire(unixMs(now + 1)))).toEqual(['alice 1 expired'])
    expect(readyOf(pool, 'alice')).toEqual([0])
    expect(pool.earliestExpiry()).toBe(now + 60_001)
    fill(pool, { from: 'alice', nonce: 1 })
    expect(readyOf(pool, 'alice')).toEqual([0, 1, 2])
  })

  it('of a first transaction leaves no more waiting than may, and reports the rest', () => {
    const pool = limited({ maxWaitingPerSender: 2 })
    fill(
      pool,
      { from: 'alice', nonce: 0, validUntil: nowSeconds },
      { from: 'alice', nonce: 1 },
      { from: 'alice', nonce: 2 },
      { from: 'alice', nonce: 3, validUntil: nowSeconds },
      { from: 'alice', nonce: 4 },
    )
    const dropped = pool.expire(unixMs(now + 1))
    expect(summary(dropped)).toEqual(['alice 0 expired', 'alice 3 expired', 'alice 4 evicted'])
    expect(pool.size).toEqual({ transactions: 2, bytes: 200 })
    expect(pool.hasIncludable(now)).toBe(false)
  })

  it('of everything leaves an empty pool', () => {
    const pool = createMempool()
    fill(pool, { from: 'alice', nonce: 0 }, { from: 'alice', nonce: 2 }, { from: 'bob', nonce: 0 })
    expect(pool.expire(unixMs(now + 60_001))).toHaveLength(3)
    expect(pool.size).toEqual({ transactions: 0, bytes: 0 })
    expect(pool.earliestExpiry()).toBeUndefined()
    expect(pool.select(wholeBlock)).toEqual([])
  })
})

describe('a transaction that the ledger turns out to be unable to include', () => {
  it('is dropped once, and the later ones wait', () => {
    const pool = createMempool()
    const [zero] = fill(pool, { from: 'alice', nonce: 0 }, { from: 'alice', nonce: 1 })
    expect(summary(pool.invalidate([zero!.id, zero!.id]))).toEqual(['alice 0 invalid'])
    expect(pool.hasIncludable(now)).toBe(false)
    expect(pool.invalidate([zero!.id])).toEqual([])
    fill(pool, { from: 'alice', nonce: 0, fee: 11 })
    expect(readyOf(pool, 'alice')).toEqual([0, 1])
  })
})
