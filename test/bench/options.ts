/** What of the bench to run, how long, and on what. */
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packageFolder } from '../../src/runtime/node/package.ts'
import { type Part, parts } from './rows.ts'
import type { LoadSize } from './throughput.ts'

export interface Options {
  readonly json: boolean
  readonly parts: ReadonlySet<Part>
  /** Sizes of the state, ascending. */
  readonly accounts: readonly number[]
  readonly repetitions: number
  readonly load: LoadSize
  readonly warmUp: LoadSize
  readonly latencyRounds: number
  /** Of the networks whose latency is measured. */
  readonly validators: readonly number[]
  readonly networkLatencyRounds: number
  readonly starts: number
  /** On each runtime. */
  readonly runtimePayments: number
  /** Of the ledger that a fresh node catches up with, at least. */
  readonly syncTransactions: number
  /** Until V8 has tidied up what a start leaves behind: it takes 0.1 s of CPU, some seconds after. */
  readonly tidyMs: number
  readonly idleMs: number
  /** Of each way to measure the limit. */
  readonly limitMs: number
  /** Said over one connection. */
  readonly lineMessages: number
  /** That wait for the other end of it. */
  readonly outboxMessages: number
  readonly main: string
  readonly profiles: string | undefined
  /** Where filled ledgers are kept from one run to the next, if they are. */
  readonly filled: string | undefined
  /** In which the ledgers lie while it runs. */
  readonly folder: string
}

export const usage = `npm run bench -- [options]

  --json               print JSON instead of the table
  --only PART,PART     run these parts only: ${parts.join(', ')}
  --quick              small sizes, one repetition: to see that it works, not to quote
  --accounts N,N       sizes of the state (default: 10000,1000000)
  --repetitions N      of each load (default: 3)
  --connections N      of the single submissions (default: 256)
  --folder PATH        where the ledgers lie while it runs (default: ${tmpdir()})
  --filled FOLDER      keep filled ledgers there, and take them from there the next time
  --main PATH          the built program (default: dist/src/cli/main.js)
  --profile FOLDER     leave a CPU profile of each node there; figures suffer`

const text = { type: 'string' } as const
const flag = { type: 'boolean', default: false } as const

/** @throws TypeError with what is wrong with the flags, or missing for them */
export const readOptions = (argv: readonly string[]): Options => {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: flag,
      only: text,
      quick: flag,
      accounts: text,
      repetitions: text,
      connections: text,
      folder: text,
      filled: text,
      main: text,
      profile: text,
    },
  })
  const main = values.main ?? join(packageFolder, 'dist/src/cli/main.js')
  if (!existsSync(main)) throw new TypeError(`${main} is missing: run \`npm run build\` first`)
  const connections = values.connections === undefined ? 256 : readWhole('connections', values.connections)
  const { accounts, repetitions, ...sizes } = values.quick ? quick(connections) : whole(connections)
  return {
    ...sizes,
    json: values.json,
    parts: values.only === undefined ? new Set(parts) : readParts(values.only),
    accounts: values.accounts === undefined ? accounts : readSizes(values.accounts),
    repetitions:
      values.repetitions === undefined ? repetitions : readWhole('repetitions', values.repetitions),
    main,
    profiles: values.profile,
    filled: values.filled,
    folder: values.folder ?? tmpdir(),
  }
}

type Sizes = Omit<Options, 'json' | 'parts' | 'main' | 'profiles' | 'filled' | 'folder'>

const whole = (connections: number): Sizes => ({
  accounts: [10_000, 1_000_000],
  repetitions: 3,
  load: { single: 15_000, connections, streams: 2, requests: 2, lines: 10_000 },
  warmUp: { single: 3_000, connections, streams: 2, requests: 1, lines: 4_000 },
  latencyRounds: 400,
  validators: [1, 4, 7, 16],
  networkLatencyRounds: 200,
  starts: 5,
  runtimePayments: 5_000,
  syncTransactions: 100_000,
  tidyMs: 30_000,
  idleMs: 60_000,
  limitMs: 800,
  lineMessages: 1_000,
  outboxMessages: 10_000,
})

const quick = (connections: number): Sizes => ({
  accounts: [1_000, 10_000],
  repetitions: 1,
  load: { single: 2_000, connections, streams: 2, requests: 1, lines: 2_000 },
  warmUp: { single: 200, connections, streams: 2, requests: 1, lines: 200 },
  latencyRounds: 50,
  validators: [1, 4],
  networkLatencyRounds: 10,
  starts: 1,
  runtimePayments: 300,
  syncTransactions: 4_000,
  tidyMs: 2_000,
  idleMs: 10_000,
  limitMs: 200,
  lineMessages: 50,
  outboxMessages: 100,
})

const readParts = (list: string): ReadonlySet<Part> =>
  new Set(
    list.split(',').map((name) => {
      const part = parts.find((known) => known === name)
      if (part === undefined) throw new TypeError(`--only ${name}: expected some of ${parts.join(', ')}`)
      return part
    }),
  )

const leastAccounts = 100

const readSizes = (list: string): readonly number[] => {
  const sizes = list.split(',').map((size) => readWhole('accounts', size))
  if (sizes.some((size) => size < leastAccounts))
    throw new TypeError(`--accounts: expected ${leastAccounts} or more`)
  return [...new Set(sizes)].sort((a, b) => a - b)
}

const readWhole = (name: string, digits: string): number => {
  if (!/^[1-9]\d{0,8}$/.test(digits))
    throw new TypeError(`--${name} ${digits}: expected a whole number from 1`)
  return Number(digits)
}
