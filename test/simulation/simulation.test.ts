import { describe, expect, it } from 'vitest'
import { ed25519Keys, hashKeys } from './keys.ts'
import { drawScenario } from './scenario.ts'
import { runSeeds } from './seed-runner.ts'
import { simulate } from './world.ts'

describe('the simulator', () => {
  it('gives the same digest for the same seed', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const scenario = drawScenario('short', seed)
      const { digest } = await simulate(scenario, hashKeys)
      expect((await simulate(scenario, hashKeys)).digest, `seed ${seed}`).toBe(digest)
    }
  })

  it('gives the same digest in a process of its own, as the first seed and behind others, as here', async () => {
    const seeds = [48, 49].map((seed) => ({ kind: 'short', seed }) as const)
    const expected = await Promise.all(
      seeds.map(async ({ kind, seed }) => (await simulate(drawScenario(kind, seed), hashKeys)).digest),
    )
    for (const order of [seeds, seeds.toReversed()]) {
      const digests = new Map<number, string>()
      await runSeeds(order, { onOutcome: ({ seed, digest }) => digests.set(seed, digest) })
      expect(seeds.map(({ seed }) => digests.get(seed))).toEqual(expected)
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
