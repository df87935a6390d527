import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Operation } from '../../src/objects/operation.ts'
import { against, bond, person, SmallLedger, transfer, unbond } from '../unit/ledger/small-ledger.ts'

const people = 5
const anyone = fc.integer({ min: 0, max: people - 1 }).map(person)
const value = fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 900_000, max: 40_000_000 }))
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.tuple(anyone, value).map(([to, amount]) => transfer(to, amount)),
  value.map(bond),
  value.map(unbond),
  fc.string({ maxLength: 20, unit: 'grapheme' }).map((data): Operation => ({ type: 'anchor', data })),
)
const draft = fc.record({
  from: anyone,
  operations: fc.array(operation, { minLength: 1, maxLength: 5 }),
  fee: fc.integer({ min: 0, max: 3_000 }),
})
const blocks = fc.array(
  fc.record({
    drafts: fc.array(draft, { maxLength: 8 }),
    afterMs: fc.integer({ min: 1, max: 15 * 24 * 60 * 60 * 1_000 }),
    accused: fc.uniqueArray(anyone, { maxLength: 2 }),
  }),
  { maxLength: 12 },
)

describe('whatever blocks hold', () => {
  it('supply is conserved, no amount is negative, and the validators are those with stake, but for the expelled', () => {
    fc.assert(
      fc.property(blocks, fc.integer({ min: 1, max: 100 }), (all, slashPercent) => {
        const ledger = new SmallLedger({ people, balance: 30_000_000, parameters: { slashPercent } })
        const expelled = new Set<string>()
        for (const { drafts, afterMs, accused } of all) {
          const nonces = new Map<string, number>()
          const transactions = drafts.map(({ from, operations, fee }) => {
            const nonce = nonces.get(from) ?? ledger.account(from).nonce
            nonces.set(from, nonce + 1)
            return ledger.transaction(from, operations, {
              nonce,
              fee,
              validUntil: Math.ceil((ledger.time + afterMs) / 1_000),
            })
          })
          const execution = ledger.block(
            transactions,
            afterMs,
            accused.map((key) => against(key)),
          )
          const { evidence, included, outcomes, refused, validators } = execution
          expect(included.length + refused.length).toBe(transactions.length)
          expect(outcomes).toHaveLength(included.length)
          expect(ledger.countSupply()).toBe(ledger.supply)
          for (const { first } of evidence) {
            expect(expelled.has(first.validator)).toBe(false)
            expelled.add(first.validator)
          }
          const accounts = Array.from({ length: people }, (_, at) => ledger.account(person(at)))
          for (const { balance, stake, unbonding } of accounts) {
            expect(balance >= 0n && stake >= 0n && unbonding.every(({ amount }) => amount >= 0n)).toBe(true)
          }
          const staked = accounts.flatMap(({ stake }, at) =>
            stake > 0n ? [{ address: person(at), stake: stake.toString() }] : [],
          )
          expect(validators).toEqual(staked.sort((one, other) => (one.address < other.address ? -1 : 1)))
          expect(validators.length).toBeGreaterThan(0)
          expect(validators.filter(({ address }) => expelled.has(address))).toEqual([])
        }
      }),
      { numRuns: 300 },
    )
  })
})
