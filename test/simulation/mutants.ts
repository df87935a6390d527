/**
 * `npm run mutants [name…]`: how good is the simulator? Breaks the real code on purpose, one line at a time, in a
 * copy, and runs the seeds of continuous integration until one fails. A mutant that no seed kills is a hole.
 */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Mutation, mutations } from './mutations.ts'
import { replayCommand, runSeeds, seedsOf } from './seed-runner.ts'
import { ciSizes, sizesFrom } from './sizes.ts'

const top = join(import.meta.dirname, '../..')

const copyTree = async (): Promise<string> => {
  const copy = await mkdtemp(join(tmpdir(), 'tautline-mutant-'))
  for (const name of ['src', 'test', 'package.json', 'tsconfig.json'])
    await cp(join(top, name), join(copy, name), { recursive: true })
  await symlink(join(top, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

/** @returns how it was killed, or undefined when it lives */
const judge = async ({ file, find, replace }: Mutation): Promise<string | undefined> => {
  const copy = await copyTree()
  try {
    const path = join(copy, file)
    const source = await readFile(path, 'utf8')
    await writeFile(
      path,
      source.replace(find, () => replace),
    )
    const { short, long } = sizesFrom(process.env, ciSizes)
    const seeds = [...seedsOf({ short, long: 0 }), ...seedsOf({ short: 0, long })]
    const { failed, runs } = await runSeeds(seeds, { root: copy, stopsEarly: true })
    const [killer] = failed
    return killer && `after ${runs} seeds: ${replayCommand(killer)}  # ${killer.faults[0]?.split('\n')[0]}`
  } finally {
    await rm(copy, { recursive: true })
  }
}

const named = process.argv.slice(2)
const chosen = named.length === 0 ? mutations : mutations.filter(({ name }) => named.includes(name))
let alive = 0
for (const mutation of chosen) {
  const death = await judge(mutation)
  if (!death) alive++
  process.stdout.write(`${mutation.name}: ${death ? `killed ${death}` : 'LIVES'}\n`)
}
process.stdout.write(`${chosen.length - alive} of ${chosen.length} mutants killed\n`)
process.exitCode = alive > 0 ? 1 : 0
