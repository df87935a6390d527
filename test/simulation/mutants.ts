/**
 * `npm run mutants [name…]` (`npm run mutants ends [name…]` for those of connections): how good is the simulator? Breaks the real code on purpose, one line at a time, and runs
 * the seeds of continuous integration until one fails. A mutant that no seed kills is a hole.
 */
import { judgeEnds } from './ends/judge.ts'
import { type Mutation, mutations } from './mutations.ts'
import { replayCommand, runSeeds } from './seed-runner.ts'
import { ciSizes, type Seed, seedsOf, sizesFrom } from './sizes.ts'

const { short, long } = sizesFrom(process.env, ciSizes)
/** The short ones first, since they kill most. */
const seeds: readonly Seed[] = [...seedsOf({ short, long: 0 }), ...seedsOf({ short: 0, long })]
/** What is not broken lives through these: else the machinery fails, and every mutant would seem to be killed. */
const controlSeeds = seedsOf({ short: 40, long: 1 })

/** @returns how it was killed, or undefined when it lives */
const judge = async (change: Mutation): Promise<string | undefined> => {
  const { failed, runs } = await runSeeds(seeds, { change, stopsEarly: true })
  const [killer] = failed
  return killer && `after ${runs} seeds: ${replayCommand(killer)}  # ${killer.faults[0]?.split('\n')[0]}`
}

if (process.argv[2] === 'ends') process.exit(await judgeEnds(process.argv.slice(3)))

const named = process.argv.slice(2)
const unknown = named.filter((name) => !mutations.some((mutation) => mutation.name === name))
if (unknown.length > 0) throw new Error(`no such mutants: ${unknown.join(', ')}`)
const chosen = named.length === 0 ? mutations : mutations.filter(({ name }) => named.includes(name))

const { failed } = await runSeeds(controlSeeds)
if (failed.length > 0) throw new Error(`the unbroken code fails: ${failed[0]?.faults[0]}`)

const startedMs = performance.now()
let alive = 0
for (const mutation of chosen) {
  const death = await judge(mutation)
  if (!death) alive++
  process.stdout.write(`${mutation.name}: ${death ? `killed ${death}` : 'LIVES'}\n`)
}
const seconds = Math.round((performance.now() - startedMs) / 1_000)
process.stdout.write(
  `${chosen.length - alive} of ${chosen.length} mutants killed in ${seconds} s, ` +
    `by ${short} short and ${long} long seeds\n`,
)
process.exitCode = alive > 0 ? 1 : 0
