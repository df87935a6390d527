/** `npm run soak`: far more seeds than continuous integration runs; `SHORT_SEEDS` and `LONG_SEEDS` say how many. */
import { describeFailures, runSeeds, seedsOf } from './seed-runner.ts'
import { sizesFrom, soakSizes } from './sizes.ts'

const sizes = sizesFrom(process.env, soakSizes)
/** Seeds from one line of progress to the next. */
const stride = 1_000
const startedMs = performance.now()
const secondsSoFar = (): number => Math.round((performance.now() - startedMs) / 1_000)
let runs = 0
const tally = await runSeeds(seedsOf(sizes), {
  onOutcome: (outcome) => {
    runs++
    if (outcome.faults.length > 0) process.stdout.write(`${describeFailures([outcome])}\n`)
    if (runs % stride === 0)
      process.stderr.write(`${runs} of ${sizes.short + sizes.long} seeds in ${secondsSoFar()} s\n`)
  },
})
const { heights, crashes, transactions, frames, simulatedMs } = tally.figures
process.stdout.write(
  `${sizes.short} short and ${sizes.long} long seeds in ${secondsSoFar()} s: ${tally.failed.length} failed; ` +
    `${heights} heights, ${crashes} crashes, ${transactions} transactions, ${frames} frames, ` +
    `${Math.round(simulatedMs / 3_600_000)} simulated hours\n`,
)
process.exitCode = tally.failed.length > 0 ? 1 : 0
