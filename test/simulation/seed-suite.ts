/** What is asked of the seeds of one kind that continuous integration runs. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Kind } from './scenario.ts'
import { describeFailures, runSeeds, type Tally } from './seed-runner.ts'
import { ciSizes, seedsOf, sizesFrom } from './sizes.ts'

const sizes = sizesFrom(process.env, ciSizes)

export const describeSeeds = (kind: Kind, situation: string): void => {
  describe(`${kind} seeds: ${situation}`, () => {
    let tally: Tally
    beforeAll(async () => {
      tally = await runSeeds(seedsOf({ short: 0, long: 0, [kind]: sizes[kind] }))
    }, 890_000)

    it('no rule is ever broken, and after the healing all make new blocks within a few rounds', () => {
      expect(describeFailures(tally.failed)).toBe('')
      expect(tally.runs).toBe(sizes[kind])
    })

    // Without these the other tests could pass in a world where nothing happens.
    it('the seeds are hard: rounds fail, machines crash, validators lie', () => {
      const { heights, rounds, crashes, liars, transactions } = tally.figures
      expect(heights).toBeGreaterThan(2 * sizes[kind])
      expect(rounds).toBeGreaterThan(sizes[kind] / 2)
      expect(crashes).toBeGreaterThan(2 * sizes[kind])
      expect(liars).toBeGreaterThan(sizes[kind] / 2)
      expect(transactions).toBeGreaterThan(2 * sizes[kind])
    })
  })
}
