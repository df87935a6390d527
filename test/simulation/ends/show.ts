import { runEnds } from './run.ts'
import type { EndsOutcome } from './world.ts'

/** One seed, to look at: in a process of its own, since it runs with other primitives than this one. */
export const showEnds = async (seed: number): Promise<EndsOutcome> => {
  let shown: EndsOutcome | undefined
  await runEnds(
    { from: seed, to: seed + 1 },
    {
      keepsTraces: true,
      onOutcome: (outcome) => {
        shown = outcome
      },
    },
  )
  return shown!
}
