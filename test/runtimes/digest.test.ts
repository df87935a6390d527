/** The same inputs give the same blocks, votes and state roots, whatever engine executes them. */
import { beforeAll, expect, it } from 'vitest'
import { freePorts } from '../e2e/network-process.ts'
import { eventually, temporaryFolder } from '../e2e/node-process.ts'
import { spawnWorkerd } from '../e2e/workerd-process.ts'
import { runSeeds, type Runtime as SeedRuntime } from '../simulation/seed-runner.ts'
import { seedsOf } from '../simulation/sizes.ts'
import type { Outcome } from '../simulation/world.ts'
import { others, programOf, type Runtime } from './runtimes.ts'

const seeds = seedsOf({ short: 20, long: 1 })

const digestsOn = async (runtime?: SeedRuntime): Promise<ReadonlyMap<string, string>> => {
  const digests = new Map<string, string>()
  await runSeeds(seeds, {
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

it('seeds of whole networks end in the same digests in workerd as here', async () => {
  const { url, stderr } = await spawnWorkerd({
    data: await temporaryFolder(),
    port: await freePorts(1),
    entry: 'test/runtimes/workerd/seed-worker.ts',
  })
  const inWorkerd = new Map<string, string>()
  for (const seed of seeds) {
    const answer = await eventually(
      () => fetch(url, { method: 'POST', body: JSON.stringify(seed) }).catch(() => undefined),
      `workerd does not answer: ${stderr()}`,
    )
    const { digest, faults } = (await answer.json()) as Outcome
    expect(faults).toEqual([])
    inWorkerd.set(`${seed.kind} ${seed.seed}`, digest)
  }
  expect(new Map([...inWorkerd].sort())).toEqual(here)
})
