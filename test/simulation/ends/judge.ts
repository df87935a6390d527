import { endsMutations } from './mutations.ts'
import { replayEndsCommand, runEnds } from './run.ts'
import { ciEnds } from './sizes.ts'

/** What is not broken lives through these: else every mutant would seem to be killed. */
const controlSeeds = 50

/** Whether the seeds of continuous integration kill each mutant. @returns the exit code */
export const judgeEnds = async (named: readonly string[]): Promise<number> => {
  const chosen =
    named.length === 0
      ? endsMutations
      : endsMutations.filter(({ name }) => named.some((part) => name.includes(part)))
  const { failed } = await runEnds({ from: 0, to: controlSeeds })
  if (failed.length > 0) throw new Error(`the unbroken code fails: ${failed[0]?.faults[0]}`)
  const startedMs = performance.now()
  let killed = 0
  for (const change of chosen) {
    const tally = await runEnds({ from: 0, to: ciEnds }, { change, stopsEarly: true })
    const [killer] = tally.failed
    if (killer) killed++
    const how = killer
      ? `killed after ${tally.runs} seeds: ${replayEndsCommand(killer.seed)}  # ${killer.faults[0]?.split('\n')[0]}`
      : 'LIVES'
    process.stdout.write(`${change.name}: ${how}\n`)
  }
  const seconds = Math.round((performance.now() - startedMs) / 1_000)
  process.stdout.write(`${killed} of ${chosen.length} mutants killed in ${seconds} s, by ${ciEnds} seeds\n`)
  return killed === chosen.length ? 0 : 1
}
