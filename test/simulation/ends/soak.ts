import { describeFailedEnds, type EndsRange, runEnds } from './run.ts'

/** Seeds from one line of progress to the next. */
const stride = 1_000

/** @param word - such as `ends:0..100000`: from the first on, without the last */
export const soakEnds = async (word: string): Promise<void> => {
  const range = rangeOf(word)
  const startedMs = performance.now()
  const secondsSoFar = (): number => Math.round((performance.now() - startedMs) / 1_000)
  let runs = 0
  const { failed, figures } = await runEnds(range, {
    onOutcome: (outcome) => {
      if (outcome.faults.length > 0) process.stdout.write(`${describeFailedEnds([outcome])}\n`)
      if (++runs % stride === 0) process.stderr.write(`${runs} seeds in ${secondsSoFar()} s\n`)
    },
  })
  process.stdout.write(
    `${word}: ${runs} seeds in ${secondsSoFar()} s: ${failed.length} failed; ${JSON.stringify(figures)}\n`,
  )
  if (failed.length > 0) process.exitCode = 1
}

const rangeOf = (word: string): EndsRange => {
  const [, from, to] = /^ends:(\d+)\.\.(\d+)$/.exec(word) ?? []
  if (to === undefined) throw new Error(`${word} is no range of seeds: expected one like ends:5000..6000`)
  return { from: Number(from), to: Number(to) }
}
