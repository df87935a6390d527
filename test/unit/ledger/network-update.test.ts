import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxNoticeBlocks } from '../../../src/ledger/network-update.ts'
import type { Operation } from '../../../src/objects/operation.ts'
import type { Address } from '../../../src/units.ts'
import { height } from '../../../src/units.ts'
import { against, bond, person, SmallLedger, unbond } from './small-ledger.ts'

const [alice, bob, carol, dave] = [person(1), person(2), person(3), person(4)]
const stake = 10_000_000
const hour = 60 * 60 * 1_000

const removal = (removeValidator: Address, fromHeight: number): Operation => ({
  type: 'network.update',
  removeValidator,
  fromHeight: height(fromHeight),
})

/** Person 0, Alice, Bob and Carol with the same stake, after block 1; Dave has none. */
const fourValidators = () => {
  const ledger = new SmallLedger({ people: 5 })
  ledger.block([alice, bob, carol].map((address) => ledger.transaction(address, [bond(stake)])))
  return ledger
}

const vote = (ledger: SmallLedger, voters: readonly Address[], removed: Address, fromHeight: number) =>
  ledger.block(voters.map((from) => ledger.transaction(from, [removal(removed, fromHeight)])))

const members = (ledger: SmallLedger) => ledger.validators.map(({ address }) => address)

describe('a member that never comes back', () => {
  it('is out from the very block that three of four have signed for', () => {
    const ledger = fourValidators()
    const size = ledger.size
    vote(ledger, [ledger.proposer], carol, 5) // block 2
    vote(ledger, [alice, bob], carol, 5) // block 3
    expect(members(ledger)).toContain(carol)
    const { validators } = ledger.block([]) // block 4: the last that knows Carol
    expect(validators.map(({ address }) => address)).toEqual([ledger.proposer, alice, bob].sort())
    expect(ledger.openUpdates).toEqual([])
    expect(ledger.account(carol)).toMatchObject({
      stake: 0n,
      expelled: false,
      unbonding: [{ amount: 10_000_000n }],
    })
    expect(ledger.size).toBe(size + 1) // the ticket of Carol's stake
    expect(ledger.countSupply()).toBe(ledger.supply)
  })

  it('has its stake back after the unbonding period, all of it', () => {
    const ledger = fourValidators()
    vote(ledger, [ledger.proposer, alice, bob], carol, 3)
    const before = ledger.account(carol).balance
    ledger.block([], ledger.parameters.unbondingPeriodMs - 1)
    expect(ledger.account(carol).balance).toBe(before)
    ledger.block([], 1)
    expect(ledger.account(carol)).toMatchObject({ balance: before + 10_000_000n, unbonding: [] })
  })

  it('is still punished for what it did, and may bond again if it did nothing', () => {
    const ledger = fourValidators()
    vote(ledger, [ledger.proposer, alice, bob], carol, 3)
    ledger.block([ledger.transaction(carol, [bond(stake)])])
    expect(members(ledger)).toContain(carol)
    ledger.block([], hour, [against(carol)])
    expect(members(ledger)).not.toContain(carol)
    expect(ledger.burned).toBe(2_000_000n)
    expect(ledger.countSupply()).toBe(ledger.supply)
  })
})

describe('a removal lapses', () => {
  it('when exactly two thirds of the stake stand behind it', () => {
    const ledger = fourValidators()
    ledger.block([ledger.transaction(carol, [unbond(stake)])])
    vote(ledger, [ledger.proposer, alice], bob, 4)
    expect(members(ledger)).toContain(bob)
    expect(ledger.openUpdates).toEqual([])
  })

  it('when one of the three has changed its mind', () => {
    const ledger = fourValidators()
    vote(ledger, [ledger.proposer, alice, bob], carol, 5)
    vote(ledger, [bob], carol, 6)
    ledger.block([])
    ledger.block([])
    expect(members(ledger)).toContain(carol)
    expect(ledger.openUpdates).toEqual([])
  })

  it('when the votes name different heights or members', () => {
    const ledger = fourValidators()
    ledger.block([
      ledger.transaction(ledger.proposer, [removal(carol, 3)]),
      ledger.transaction(alice, [removal(carol, 3)]),
      ledger.transaction(bob, [removal(alice, 3)]),
    ])
    expect(ledger.validators).toHaveLength(4)
  })

  it('when stake has come in that did not sign: it counts as it is at the end', () => {
    const ledger = fourValidators()
    vote(ledger, [ledger.proposer, alice, bob], carol, 4)
    ledger.block([ledger.transaction(dave, [bond(5_000_001)])])
    expect(members(ledger)).toContain(carol)
  })

  it('and takes effect when those who did not sign have unbonded', () => {
    const ledger = fourValidators()
    vote(ledger, [ledger.proposer, alice], carol, 4)
    ledger.block([ledger.transaction(bob, [unbond(1_000_001 + 4_000_000)])])
    expect(members(ledger)).toContain(carol) // 20 of 35
    vote(ledger, [ledger.proposer, alice], carol, 6)
    ledger.block([ledger.transaction(carol, [unbond(6_000_000)])])
    expect(members(ledger)).not.toContain(carol) // 20 of 29
    expect(ledger.account(carol).unbonding).toHaveLength(2)
  })

  it('when who signed has left by then', () => {
    const ledger = fourValidators()
    vote(ledger, [ledger.proposer, alice, bob], carol, 4)
    ledger.block([ledger.transaction(bob, [unbond(stake)])])
    expect(members(ledger)).toContain(carol) // 20 of 30
  })
})

describe('a vote is refused', () => {
  const reasonOf = (ledger: SmallLedger, from: Address, operation: Operation) =>
    ledger.block([ledger.transaction(from, [operation])]).outcomes[0]

  it.each([
    ['not-a-validator', dave, removal(carol, 9)],
    ['not-a-validator', alice, removal(dave, 9)],
    ['height-passed', alice, removal(carol, 2)],
    ['height-too-far', alice, removal(carol, 3 + maxNoticeBlocks)],
  ])('%s', (code, from, operation) => {
    const ledger = fourValidators()
    const { size } = ledger
    expect(reasonOf(ledger, from, operation)).toMatchObject({ status: 'failed', reason: { code } })
    expect(ledger.openUpdates).toEqual([])
    expect(ledger.size).toBe(size)
  })

  it('last-validator', () => {
    const ledger = new SmallLedger()
    expect(reasonOf(ledger, ledger.proposer, removal(ledger.proposer, 9))).toMatchObject({
      reason: { code: 'last-validator' },
    })
  })

  it('not at the edges of the heights', () => {
    const ledger = fourValidators()
    expect(reasonOf(ledger, alice, removal(carol, 3))).toEqual({ status: 'committed' })
    expect(reasonOf(ledger, alice, removal(carol, 3 + maxNoticeBlocks))).toEqual({ status: 'committed' })
  })
})

it('whoever bonds, votes and leaves, again and again, keeps no vote open', () => {
  const ledger = fourValidators()
  for (let times = 0; times < 5; times++) {
    ledger.block([ledger.transaction(dave, [bond(stake), removal(carol, 90), unbond(stake)])])
    vote(ledger, [alice], carol, 91)
    expect(ledger.openUpdates.map(({ validator }) => validator)).toEqual([alice])
  }
})

it('when only one validator is left by then, it stays', () => {
  const ledger = fourValidators()
  ledger.block([ledger.transaction(alice, [unbond(stake)]), ledger.transaction(bob, [unbond(stake)])])
  ledger.block([
    ledger.transaction(carol, [removal(ledger.proposer, 4), unbond(stake)]),
    ledger.transaction(ledger.proposer, [removal(carol, 5)]),
  ])
  expect(members(ledger)).toEqual([ledger.proposer])
})

const step = fc.record({
  from: fc.nat(4),
  to: fc.nat(4),
  notice: fc.integer({ min: 1, max: 3 }),
  kind: fc.constantFrom('vote', 'vote', 'vote', 'bond', 'unbond'),
})

it('whatever is voted, bonded and unbonded, every unit is somebody’s, and open votes stay bounded', () => {
  fc.assert(
    fc.property(fc.array(fc.array(step, { maxLength: 5 }), { maxLength: 30 }), (blocks) => {
      const ledger = fourValidators()
      for (const steps of blocks) {
        const firsts = steps.filter(({ from }, at) => steps.findIndex((other) => other.from === from) === at)
        ledger.block(
          firsts.map(({ from, to, notice, kind }) => {
            if (kind === 'vote')
              return ledger.transaction(person(from), [removal(person(to), ledger.height + 1 + notice)])
            return ledger.transaction(person(from), [(kind === 'bond' ? bond : unbond)(2_000_000)])
          }),
          7 * 24 * hour,
        )
        expect(ledger.countSupply()).toBe(ledger.supply)
        expect(ledger.openUpdates.length).toBeLessThanOrEqual(5)
        expect(ledger.validators.length).toBeGreaterThan(0)
        for (const { address, stake: held } of ledger.validators)
          expect(ledger.account(address).stake).toBe(BigInt(held))
      }
    }),
    { numRuns: 50 },
  )
})
