import { describe, expect, it } from 'vitest'
import { maxUnbondings } from '../../../src/ledger/operations.ts'
import type { Address } from '../../../src/units.ts'
import { against, bond, person, SmallLedger, transfer, unbond } from './small-ledger.ts'

const [alice, bob, carol] = [person(1), person(2), person(3)]
const day = 24 * 60 * 60 * 1_000
const period = 21 * day

/** A ledger where these have bonded, besides person 0. */
const withStakes = (stakes: readonly (readonly [Address, number])[], options = {}): SmallLedger => {
  const ledger = new SmallLedger({ balance: 1_000_000_000, ...options })
  ledger.block(stakes.map(([address, stake]) => ledger.transaction(address, [bond(stake)])))
  return ledger
}
const codesOf = ({ outcomes }: ReturnType<SmallLedger['block']>) =>
  outcomes.map((outcome) => (outcome.status === 'failed' ? outcome.reason.code : outcome.status))

describe('evidence against a validator', () => {
  it('burns a tenth of its stake, and sends the rest on its way back', () => {
    const ledger = withStakes([[alice, 5_000_000]])
    const { evidence, validators } = ledger.block([], 1_000, [against(alice)])
    expect(evidence).toEqual([against(alice)])
    expect(validators.map(({ address }) => address)).toEqual([ledger.proposer])
    expect(ledger.account(alice)).toMatchObject({
      stake: 0n,
      expelled: true,
      unbonding: [{ amount: 4_500_000n, time: ledger.time + period }],
    })
    expect(ledger.burned).toBe(500_000n)
    expect(ledger.countSupply()).toBe(ledger.supply)
  })

  it('gives the rest back after the unbonding period, and leaves no ticket behind', () => {
    const ledger = withStakes([[alice, 5_000_000]])
    const { balance } = ledger.account(alice)
    const size = ledger.size
    ledger.block([], 1_000, [against(alice)])
    ledger.block([], period - 1)
    expect(ledger.account(alice).balance).toBe(balance)
    ledger.block([], 1)
    expect(ledger.account(alice)).toMatchObject({ balance: balance + 4_500_000n, unbonding: [] })
    expect(ledger.size).toBe(size)
  })

  it('burns of every part that is on its way back too, each rounded up', () => {
    const ledger = withStakes([[alice, 5_000_003]])
    ledger.block([ledger.transaction(alice, [unbond(1_000_001)])])
    ledger.block([ledger.transaction(alice, [unbond(1_000_009)])])
    ledger.block([], 1_000, [against(alice)])
    expect(ledger.account(alice).unbonding.map(({ amount }) => amount)).toEqual([
      900_000n,
      900_008n,
      2_699_993n,
    ])
    expect(ledger.burned).toBe(100_001n + 100_001n + 300_000n)
    expect(ledger.countSupply()).toBe(ledger.supply)
  })

  it('takes effect once', () => {
    const ledger = withStakes([[alice, 5_000_000]])
    expect(ledger.block([], 1_000, [against(alice), against(alice, 9)]).evidence).toHaveLength(1)
    const before = ledger.account(alice)
    expect(ledger.block([], 1_000, [against(alice, 9)]).evidence).toEqual([])
    expect(ledger.account(alice)).toEqual(before)
    expect(ledger.burned).toBe(500_000n)
  })

  it('comes before the transactions of the block, whose unbond then finds no stake', () => {
    const ledger = withStakes([[alice, 5_000_000]])
    const leaving = ledger.transaction(alice, [unbond(5_000_000)])
    expect(codesOf(ledger.block([leaving], 1_000, [against(alice)]))).toEqual(['insufficient-stake'])
  })

  it('burns of what would be given back by the same block', () => {
    const ledger = withStakes([[alice, 5_000_000]])
    ledger.block([ledger.transaction(alice, [unbond(5_000_000)])])
    const { balance } = ledger.account(alice)
    ledger.block([], period, [against(alice)])
    expect(ledger.account(alice)).toMatchObject({ balance: balance + 4_500_000n, unbonding: [] })
    expect(ledger.burned).toBe(500_000n)
  })

  it('leaves its balance alone, and it pays on', () => {
    const ledger = withStakes([[alice, 5_000_000]])
    const { balance } = ledger.account(alice)
    ledger.block([], 1_000, [against(alice)])
    expect(ledger.account(alice).balance).toBe(balance)
    expect(codesOf(ledger.block([ledger.transaction(alice, [transfer(bob, 1)])]))).toEqual(['committed'])
  })

  it('never lets it bond again, not even when all its stake is back', () => {
    const ledger = withStakes([[alice, 5_000_000]])
    ledger.block([], 1_000, [against(alice)])
    expect(codesOf(ledger.block([ledger.transaction(alice, [bond(2_000_000)])]))).toEqual(['expelled'])
    ledger.block([], period)
    expect(codesOf(ledger.block([ledger.transaction(alice, [bond(2_000_000)])]))).toEqual(['expelled'])
    expect(ledger.block([], 1_000, [against(alice, 9)]).evidence).toEqual([])
  })

  it('with as many parts on their way as may be adds one more, and all come back', () => {
    const ledger = withStakes([[alice, 50_000_000]])
    for (let part = 0; part < maxUnbondings; part++)
      ledger.block([ledger.transaction(alice, [unbond(1_000_000)])])
    ledger.block([], 1_000, [against(alice)])
    expect(ledger.account(alice).unbonding).toHaveLength(maxUnbondings + 1)
    ledger.block([], period)
    expect(ledger.account(alice).unbonding).toEqual([])
    expect(ledger.countSupply()).toBe(ledger.supply)
  })

  it('that costs everything leaves nothing to come back, and the queue goes on', () => {
    const ledger = withStakes(
      [
        [alice, 5_000_000],
        [bob, 5_000_000],
      ],
      { parameters: { slashPercent: 100 } },
    )
    const { balance } = ledger.account(alice)
    ledger.block([ledger.transaction(alice, [unbond(1_000_000)], { fee: 1 })])
    ledger.block([ledger.transaction(bob, [unbond(5_000_000)])])
    ledger.block([], 1_000, [against(alice)])
    expect(ledger.burned).toBe(5_000_000n)
    ledger.block([], period)
    expect(ledger.account(alice)).toMatchObject({ balance: balance - 1n, unbonding: [] })
    expect(ledger.account(bob).unbonding).toEqual([])
    expect(ledger.countSupply()).toBe(ledger.supply)
  })
})

describe('evidence that has no effect', () => {
  it('is that against a key without stake', () => {
    const ledger = withStakes([[alice, 5_000_000]])
    const { evidence, changes } = ledger.block([], 1_000, [against(carol)])
    expect(evidence).toEqual([])
    expect(changes.size).toBe(0)
  })

  it('is that against a key whose stake has all come back', () => {
    const ledger = withStakes([[alice, 5_000_000]])
    ledger.block([ledger.transaction(alice, [unbond(5_000_000)])])
    ledger.block([], period)
    expect(ledger.block([], 1_000, [against(alice)]).evidence).toEqual([])
    expect(ledger.account(alice).expelled).toBe(false)
  })

  it('is that against the only validator, until there is another', () => {
    const ledger = new SmallLedger()
    const { proposer } = ledger
    expect(ledger.block([], 1_000, [against(proposer)]).evidence).toEqual([])
    ledger.block([ledger.transaction(alice, [bond(5_000_000)])])
    expect(ledger.block([], 1_000, [against(proposer)]).evidence).toHaveLength(1)
    expect(ledger.validators.map(({ address }) => address)).toEqual([alice])
  })

  it('is the last of that against everybody', () => {
    const ledger = withStakes([
      [alice, 5_000_000],
      [bob, 5_000_000],
    ])
    const all = [against(ledger.proposer), against(alice), against(bob)]
    expect(ledger.block([], 1_000, all).evidence).toEqual(all.slice(0, 2))
    expect(ledger.validators.map(({ address }) => address)).toEqual([bob])
  })
})

describe('evidence against a key that votes no more', () => {
  it('takes effect on what is on its way back, even beside a single validator', () => {
    const ledger = withStakes([[alice, 5_000_000]])
    ledger.block([ledger.transaction(alice, [unbond(5_000_000)])])
    const { evidence, validators } = ledger.block([], 1_000, [against(alice)])
    expect(evidence).toHaveLength(1)
    expect(validators).toHaveLength(1)
    expect(ledger.account(alice)).toMatchObject({ expelled: true, unbonding: [{ amount: 4_500_000n }] })
  })
})
