/** The same inputs give the same blocks, votes and state roots, whatever engine executes them. */
import { beforeAll, expect, it } from 'vitest'
import { runSeeds, type Runtime as SeedRuntime } from '../simulation/seed-runner.ts'
import { seedsOf } from '../simulation/sizes.ts'
import { others, programOf, type Runtime } from './runtimes.ts'

const digestsOn = async (runtime?: SeedRuntime): Promise<ReadonlyMap<string, string>> => {
  const digests = new Map<string, string>()
  await runSeeds(seedsOf({ short: 20, long: 1 }), {
    ...(runtime && { runtime }),
    onOutcome: ({ kind, seed, digest }) => digests.set(`${kind} ${seed}`, digest),
  })
  return new Map([...digests].sort())
}

let here: ReadonlyMap<string, string>
beforeAll(async () => {
  here = await digestsOn()
  expect(here.size).toBe(21)
  expect([...here.values()]).not.toContain('')
}, 300_000)

it.each(others.map((runtime): [string, Runtime] => [runtime.name, runtime]))(
  'seeds of whole networks end in the same digests on %s as here',
  async (_, runtime) => {
    expect(await digestsOn({ path: await programOf(runtime), options: runtime.flags })).toEqual(here)
  },
)
