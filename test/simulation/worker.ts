/** A process that runs the seeds it is sent, a few at a time. */
import { accelerateHash } from '../../src/crypto/hash.ts'
import { nativeHash } from '../../src/runtime/node/keys.ts'
import { hashKeys } from './keys.ts'
import { drawScenario } from './scenario.ts'
import type { Seed } from './sizes.ts'
import { type Outcome, simulate } from './world.ts'

accelerateHash(nativeHash)

/** A promise that nobody waits for has failed: the seed that runs now is to blame. */
let stray: string | undefined
process.on('unhandledRejection', (error) => {
  stray = `unhandled: ${error instanceof Error ? error.stack : String(error)}`
})

const run = async ({ kind, seed }: Seed): Promise<Outcome> => {
  stray = undefined
  const outcome = await simulate(drawScenario(kind, seed), hashKeys)
  await new Promise(setImmediate)
  const faults = stray === undefined ? outcome.faults : [...outcome.faults, stray]
  return { ...outcome, faults, trace: '' }
}

// Nobody is left to be told.
process.on('disconnect', () => process.exit())

process.on('message', async (seeds: readonly Seed[]) => {
  for (const seed of seeds) process.send!(await run(seed))
})
