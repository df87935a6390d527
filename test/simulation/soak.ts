/**
 * `npm run soak`: far more seeds than continuous integration runs. `npm run soak -- short:5000..6000 long:7..9` runs
 * these, so that what was interrupted can go on;
 * `ends:0..100000` is of connections.
 */
import { soakEnds } from './ends/soak.ts'
import { describeFailures, runSeeds } from './seed-runner.ts'
import { seedsIn, seedsOf, soakSizes } from './sizes.ts'

const words = process.argv.slice(2)
const endsRanges = words.filter((word) => word.startsWith('ends:'))
for (const word of endsRanges) await soakEnds(word)
const ranges = words.filter((word) => !endsRanges.includes(word))
if (endsRanges.length > 0 && ranges.length === 0) process.exit()
const seeds = ranges.length > 0 ? seedsIn(ranges) : seedsOf(soakSizes)
/** Seeds from one line of progress to the next. */
const stride = 1_000
const startedMs = performance.now()
const secondsSoFar = (): number => Math.round((performance.now() - startedMs) / 1_000)
let runs = 0
const tally = await runSeeds(seeds, {
  onOutcome: (outcome) => {
    runs++
    if (outcome.faults.length > 0) process.stdout.write(`${describeFailures([outcome])}\n`)
    if (runs % stride === 0) process.stderr.write(`${runs} of ${seeds.length} seeds in ${secondsSoFar()} s\n`)
  },
})
const { heights, crashes, transactions, frames, simulatedMs } = tally.figures
process.stdout.write(
  `${ranges.length > 0 ? ranges.join(' ') : 'all'}: ${seeds.length} seeds in ${secondsSoFar()} s: ${tally.failed.length} failed; ` +
    `${heights} heights, ${crashes} crashes, ${transactions} transactions, ${frames} frames, ` +
    `${Math.round(simulatedMs / 3_600_000)} simulated hours\n`,
)
process.exitCode = tally.failed.length > 0 ? 1 : 0
