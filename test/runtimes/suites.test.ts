/** The API suite, the vectors, the contracts of stores and the frozen encodings and state roots, inside each runtime. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { checkout } from '../e2e/build.ts'
import { temporaryFolder } from '../e2e/node-process.ts'
import { others, spawnOn } from './runtimes.ts'
import { runSuites, testsLeftOut } from './workerd/run-suites.ts'
import type { Verdict } from './workerd/verdict.ts'

interface Report {
  readonly numPassedTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly message: string
    readonly assertionResults: readonly {
      readonly fullName: string
      readonly status: string
      readonly failureMessages?: readonly string[]
    }[]
  }[]
}

const vitest = join(checkout, 'node_modules/vitest/vitest.mjs')
const inside = ['run', '--config', 'test/vitest.config.ts', '--project', 'inside']
const suiteMs = 900_000

it.each(others.map((runtime) => ({ name: runtime.name, runtime })))(
  'hold on $name',
  async ({ runtime }) => {
    const outputFile = join(await temporaryFolder(), 'report.json')
    const running = await spawnOn(
      runtime,
      [vitest, ...inside, '--reporter=json', `--outputFile=${outputFile}`],
      {
        env: { TAUTLINE_TEST_RUNTIME: runtime.versions.join('@') },
      },
    )
    const { code } = await running.exited
    const report = JSON.parse(
      await readFile(outputFile, 'utf8').catch(() => {
        throw new Error(`there is no report of the tests: ${running.stdout()}${running.stderr()}`)
      }),
    ) as Report
    expect(failuresOf(report)).toEqual([])
    expect(code, running.stdout() + running.stderr()).toBe(0)
    expect(report.numPassedTests).toBeGreaterThan(300)
  },
  suiteMs,
)

it(
  'hold in workerd, in a Durable Object: what the doors say, and all vectors',
  async () => {
    const verdicts = await runSuites()
    const passed = [...verdicts.values()].flat().filter(({ state }) => state === 'pass')
    expect(notPassedIn(verdicts)).toEqual(testsLeftOut)
    expect(passed.length).toBeGreaterThan(150)
  },
  suiteMs,
)

/** The names of those that failed; with why, unless that is known. */
const notPassedIn = (verdicts: ReadonlyMap<string, readonly Verdict[]>) =>
  Object.fromEntries(
    Array.from(verdicts, ([file, ofFile]): [string, readonly string[]] => [
      file,
      ofFile
        .filter(({ state }) => state !== 'pass')
        .map(({ name, failures }) =>
          testsLeftOut[file]?.includes(name) ? name : [name, ...failures].join('\n'),
        ),
    ]).filter(([, names]) => names.length > 0),
  )

/** Also of files that failed as a whole, and tests that were left out for another reason than that they say themselves. */
const failuresOf = ({ testResults }: Report): readonly string[] =>
  testResults.flatMap(({ name, message, assertionResults }) => [
    ...(message === '' ? [] : [`${name}: ${message}`]),
    ...assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages?.join('\n')}`),
  ])
