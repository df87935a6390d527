import { describe, expect, it } from 'vitest'
import { maxReleases } from '../../../src/ledger/execute-block.ts'
import { maxUnbondings } from '../../../src/ledger/operations.ts'
import { bond, person, SmallLedger, transfer, unbond } from './small-ledger.ts'

const [alice, bob, carol] = [person(1), person(2), person(3)]
const day = 24 * 60 * 60 * 1_000

const statusesOf = ({ outcomes }: { outcomes: readonly { status: string }[] }) =>
  outcomes.map(({ status }) => status)

describe('transfers', () => {
  it('move units, and the fee goes to the proposer', () => {
    const ledger = new SmallLedger()
    const { outcomes } = ledger.block([ledger.transaction(alice, [transfer(bob, 250)])])
    expect(outcomes).toEqual([{ status: 'committed' }])
    expect(ledger.account(alice)).toMatchObject({ balance: 99_999_749n, nonce: 1, history: 1 })
    expect(ledger.account(bob)).toMatchObject({ balance: 100_000_250n, nonce: 0, history: 1 })
    expect(ledger.account(ledger.proposer).balance).toBe(100_000_001n)
  })

  it('to oneself cost the fee alone, and stand once in the history', () => {
    const ledger = new SmallLedger()
    ledger.block([ledger.transaction(alice, [transfer(alice, 250)])])
    expect(ledger.account(alice)).toMatchObject({ balance: 99_999_999n, history: 1 })
  })

  it('all take effect, or none', () => {
    const ledger = new SmallLedger()
    const { outcomes } = ledger.block([
      ledger.transaction(alice, [transfer(bob, 1), transfer(carol, 1_000_000_000)]),
    ])
    expect(outcomes).toMatchObject([
      { status: 'failed', reason: { code: 'insufficient-funds', operation: 1 } },
    ])
    expect(ledger.account(bob)).toMatchObject({ balance: 100_000_000n, history: 0 })
    expect(ledger.account(alice)).toMatchObject({ balance: 99_999_999n, nonce: 1, history: 1 })
  })

  it('can spend in the same block what came in before', () => {
    const ledger = new SmallLedger({ balance: 1_000 })
    const { outcomes } = ledger.block([
      ledger.transaction(alice, [transfer(bob, 900)]),
      ledger.transaction(bob, [transfer(carol, 1_800)]),
    ])
    expect(statusesOf({ outcomes })).toEqual(['committed', 'committed'])
  })
})

describe('what a block may not include', () => {
  const cases = {
    'nonce-used': (ledger: SmallLedger) => {
      ledger.block([ledger.transaction(alice, [transfer(bob, 1)])])
      return ledger.transaction(alice, [transfer(bob, 1)], { nonce: 0 })
    },
    'nonce-too-far': (ledger: SmallLedger) => ledger.transaction(alice, [transfer(bob, 1)], { nonce: 1 }),
    'fee-too-low': (ledger: SmallLedger) => ledger.transaction(alice, [transfer(bob, 1)], { fee: 0 }),
    'insufficient-funds': (ledger: SmallLedger) =>
      ledger.transaction(alice, [transfer(bob, 1)], { fee: 100_000_001 }),
    expired: (ledger: SmallLedger) =>
      ledger.transaction(alice, [transfer(bob, 1)], { validUntil: ledger.time / 1_000 }),
    'expires-too-late': (ledger: SmallLedger) =>
      ledger.transaction(alice, [transfer(bob, 1)], { validUntil: ledger.time / 1_000 + 24 * 60 * 60 + 2 }),
  }
  it.each(Object.entries(cases))('%s', (code, make) => {
    const ledger = new SmallLedger()
    const transaction = make(ledger)
    const before = ledger.account(alice)
    const { included, refused } = ledger.block([transaction])
    expect(included).toEqual([])
    expect(refused).toMatchObject([{ refusal: { code } }])
    expect(ledger.account(alice)).toEqual(before)
  })

  it('a transaction at the very edges of its validity is included', () => {
    const ledger = new SmallLedger()
    const last = ledger.transaction(alice, [transfer(bob, 1)], { validUntil: ledger.time / 1_000 + 1 })
    const first = ledger.transaction(bob, [transfer(alice, 1)], {
      validUntil: ledger.time / 1_000 + 1 + 24 * 60 * 60,
    })
    expect(statusesOf(ledger.block([last, first]))).toEqual(['committed', 'committed'])
  })
})

describe('stake', () => {
  it('bonded makes a validator of the next block, sorted into the set', () => {
    const ledger = new SmallLedger()
    const { validators } = ledger.block([ledger.transaction(alice, [bond(5_000_000)])])
    expect(validators).toHaveLength(2)
    expect(validators.map(({ address }) => address)).toEqual([alice, ledger.proposer].sort())
    expect(ledger.account(alice).stake).toBe(5_000_000n)
    expect(ledger.validators).toEqual(validators)
  })

  it('below the minimum is not bonded', () => {
    const ledger = new SmallLedger()
    const { outcomes } = ledger.block([ledger.transaction(alice, [bond(999_999)])])
    expect(outcomes).toMatchObject([{ reason: { code: 'stake-below-minimum' } }])
  })

  it('beyond the maximum number of validators is not bonded, but those in the set can add', () => {
    const ledger = new SmallLedger({ parameters: { maxValidators: 2 } })
    ledger.block([ledger.transaction(alice, [bond(1_000_000)])])
    const { outcomes } = ledger.block([
      ledger.transaction(bob, [bond(1_000_000)]),
      ledger.transaction(alice, [bond(1)]),
    ])
    expect(outcomes).toMatchObject([{ reason: { code: 'too-many-validators' } }, { status: 'committed' }])
  })

  it('unbonded comes back when its time is over, by the first block from then on', () => {
    const ledger = new SmallLedger()
    ledger.block([ledger.transaction(alice, [bond(5_000_000)])])
    const { validators } = ledger.block([ledger.transaction(alice, [unbond(5_000_000)])])
    expect(validators).toHaveLength(1)
    const { balance } = ledger.account(alice)
    ledger.block([], 21 * day - 1)
    expect(ledger.account(alice)).toMatchObject({ balance, stake: 0n, unbonding: [{ amount: 5_000_000n }] })
    ledger.block([], 1)
    expect(ledger.account(alice)).toMatchObject({ balance: balance + 5_000_000n, unbonding: [] })
  })

  it('leaves nothing behind in the state once it has come back', () => {
    const ledger = new SmallLedger()
    const before = ledger.size
    ledger.block([ledger.transaction(alice, [bond(5_000_000)])])
    ledger.block([ledger.transaction(alice, [unbond(5_000_000)])])
    expect(ledger.size).toBe(before + 1)
    ledger.block([], 21 * day)
    expect(ledger.size).toBe(before)
  })

  it('can be unbonded in parts, each above the minimum or all', () => {
    const ledger = new SmallLedger()
    ledger.block([ledger.transaction(alice, [bond(5_000_000)])])
    expect(ledger.block([ledger.transaction(alice, [unbond(4_500_000)])]).outcomes).toMatchObject([
      { reason: { code: 'stake-below-minimum' } },
    ])
    expect(ledger.block([ledger.transaction(alice, [unbond(5_000_001)])]).outcomes).toMatchObject([
      { reason: { code: 'insufficient-stake' } },
    ])
    expect(statusesOf(ledger.block([ledger.transaction(alice, [unbond(4_000_000)])]))).toEqual(['committed'])
    expect(ledger.account(alice).stake).toBe(1_000_000n)
  })

  it('of the last validator stays', () => {
    const ledger = new SmallLedger()
    const { outcomes } = ledger.block([ledger.transaction(ledger.proposer, [unbond(10_000_000)])])
    expect(outcomes).toMatchObject([{ reason: { code: 'last-validator' } }])
    expect(ledger.validators).toHaveLength(1)
  })

  it('has a bounded number of parts on their way', () => {
    const ledger = new SmallLedger()
    ledger.block([ledger.transaction(alice, [bond(50_000_000)])])
    for (let part = 0; part < maxUnbondings; part++) {
      expect(statusesOf(ledger.block([ledger.transaction(alice, [unbond(1_000_000)])]))).toEqual([
        'committed',
      ])
    }
    expect(ledger.block([ledger.transaction(alice, [unbond(1_000_000)])]).outcomes).toMatchObject([
      { reason: { code: 'too-many-unbondings' } },
    ])
  })

  it('is given back a bounded number of times in one block, and the rest by the next', () => {
    const people = 70
    const ledger = new SmallLedger({ people: people + 1, parameters: { maxValidators: 100 } })
    const all = Array.from({ length: people }, (_, at) => person(at + 1))
    ledger.block(all.map((one) => ledger.transaction(one, [bond(1_000_000)])))
    ledger.block(all.map((one) => ledger.transaction(one, [unbond(1_000_000)])))
    const waiting = () => all.filter((one) => ledger.account(one).unbonding.length > 0).length
    ledger.block([], 21 * day)
    expect(waiting()).toBe(people - maxReleases)
    ledger.block([], 1)
    expect(waiting()).toBe(0)
    expect(ledger.countSupply()).toBe(ledger.supply)
  })

  it('bonded by a transaction that fails later is not bonded', () => {
    const ledger = new SmallLedger()
    const { outcomes, validators } = ledger.block([
      ledger.transaction(alice, [bond(5_000_000), unbond(1_000_000), transfer(bob, 1_000_000_000)]),
    ])
    expect(statusesOf({ outcomes })).toEqual(['failed'])
    expect(validators).toHaveLength(1)
    expect(ledger.account(alice)).toMatchObject({ balance: 99_999_999n, stake: 0n, unbonding: [] })
  })
})
