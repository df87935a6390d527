/** The proposers of a height: a permutation drawn by stake. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { proposersOf } from '../../src/consensus/proposer.ts'
import { height, type NetworkId, round } from '../../src/units.ts'
import { addresses, network, setOf } from '../unit/consensus/actor.ts'

const anyStakes = fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 16 })
const anyHeight = fc.integer({ min: 1, max: 1_000_000_000 }).map(height)

describe('the proposers of a height', () => {
  test('each validator once per cycle, and every cycle alike', () => {
    fc.assert(
      fc.property(anyStakes, anyHeight, (stakes, at) => {
        const validators = setOf(...stakes)
        const proposerOf = proposersOf(network, at, validators)
        const cycle = stakes.map((_, place) => proposerOf(round(place)))
        expect([...cycle].sort()).toEqual(validators.list.map(({ address }) => address))
        expect(stakes.map((_, place) => proposerOf(round(place + 7 * stakes.length)))).toEqual(cycle)
      }),
      { numRuns: 200 },
    )
  })

  test('the same for everyone, whichever round is asked for first', () => {
    fc.assert(
      fc.property(anyStakes, anyHeight, fc.nat(100), (stakes, at, later) => {
        const validators = setOf(...stakes)
        const inOrder = proposersOf(network, at, validators)
        for (let before = 0; before < later; before++) inOrder(round(before))
        expect(proposersOf(network, at, validators)(round(later))).toBe(inOrder(round(later)))
      }),
      { numRuns: 100 },
    )
  })

  test('round 0 goes by stake over many heights', () => {
    const stakes = [50, 25, 15, 9, 1]
    const heights = 4_000
    const opened = new Map<string, number>()
    for (let at = 1; at <= heights; at++) {
      const opener = proposersOf(network, height(at), setOf(...stakes))(round(0))
      opened.set(opener, (opened.get(opener) ?? 0) + 1)
    }
    for (const [place, stake] of stakes.entries()) {
      const expected = (heights * stake) / 100
      // Five standard deviations; the heights are the same on every run.
      const tolerance = 5 * Math.sqrt(expected * (1 - stake / 100))
      expect(Math.abs((opened.get(addresses[place]!) ?? 0) - expected)).toBeLessThan(tolerance)
    }
  })

  test('another network, another order', () => {
    const validators = setOf(...Array<number>(16).fill(1))
    const orderIn = (id: NetworkId) =>
      addresses.map((_, place) => proposersOf(id, height(1), validators)(round(place)))
    expect(orderIn('cd'.repeat(32) as NetworkId)).not.toEqual(orderIn(network))
  })
})
