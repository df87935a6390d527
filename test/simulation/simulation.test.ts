import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { ed25519Keys, hashKeys } from './keys.ts'
import { drawScenario } from './scenario.ts'
import { describeFailures, runSeeds, seedsOf, type Tally } from './seed-runner.ts'
import { ciSizes, sizesFrom } from './sizes.ts'
import { simulate } from './world.ts'

const root = join(import.meta.dirname, '../..')
const sizes = sizesFrom(process.env, ciSizes)

describe.each([
  ['short', 'everything goes wrong at once, for a few heights'],
  ['long', 'a hundred heights in changing weather'],
] as const)('%s seeds: %s', (kind, _) => {
  let tally: Tally
  beforeAll(async () => {
    tally = await runSeeds(seedsOf({ short: 0, long: 0, [kind]: sizes[kind] }), { root })
  }, 840_000)

  it('no rule is ever broken, and after the healing all make new blocks', () => {
    expect(tally.runs).toBe(sizes[kind])
    expect(describeFailures(tally.failed)).toBe('')
  })

  // Without these the other tests could pass in a world where nothing happens.
  it('the seeds are hard: rounds fail, machines crash, validators lie', () => {
    const { heights, rounds, crashes, liars, transactions } = tally.figures
    expect(heights).toBeGreaterThan(2 * sizes[kind])
    expect(rounds).toBeGreaterThan(sizes[kind])
    expect(crashes).toBeGreaterThan(2 * sizes[kind])
    expect(liars).toBeGreaterThan(sizes[kind] / 2)
    expect(transactions).toBeGreaterThan(2 * sizes[kind])
  })
})

describe('the simulator', () => {
  it('gives the same digest for the same seed', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const scenario = drawScenario('short', seed)
      const { digest } = await simulate(scenario, hashKeys)
      expect((await simulate(scenario, hashKeys)).digest, `seed ${seed}`).toBe(digest)
    }
  })

  it('gives another digest for another seed', async () => {
    const digests = [1, 2, 3].map(
      async (seed) => (await simulate(drawScenario('short', seed), hashKeys)).digest,
    )
    expect(new Set(await Promise.all(digests)).size).toBe(3)
  })

  it('finds nothing wrong with real signatures either', async () => {
    const keys = await ed25519Keys()
    for (let seed = 0; seed < 20; seed++) {
      const { faults } = await simulate(drawScenario('short', seed), keys)
      expect(faults, `seed ${seed} with Ed25519`).toEqual([])
    }
  })
})
