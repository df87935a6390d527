/** Committed transactions a second, each time between two measurements of the limit. */
import { join } from 'node:path'
import { readCpuSeconds, readMainThreadSeconds } from './footprint.ts'
import { type Ledger, writeLoad } from './ledger.ts'
import { type Limit, type LimitMeter, limitFigures, meanLimit } from './limit.ts'
import type { LoadGenerator } from './load-generator.ts'
import type { LoadTask, ThroughputReport } from './load-task.ts'
import type { NodeProcess } from './node-process.ts'
import type { Figure, RowName } from './rows.ts'

export interface LoadSize {
  /** Transactions that are submitted singly. */
  readonly single: number
  readonly connections: number
  /** Streams of NDJSON side by side. */
  readonly streams: number
  /** Requests of each stream. */
  readonly requests: number
  /** Transactions of each request. */
  readonly lines: number
}

export interface Bench {
  readonly generator: LoadGenerator
  readonly meter: LimitMeter
  /** For what is signed beforehand. */
  readonly folder: string
}

/** A ledger, and the node that runs on it. */
export interface Subject {
  readonly ledger: Ledger
  readonly node: NodeProcess
}

export const submissionWays = ['ndjson', 'single'] as const
export type SubmissionWay = (typeof submissionWays)[number]

const rowsOf = {
  ndjson: { rate: 'ndjsonRate', share: 'ndjsonShare', cpu: 'ndjsonCpu', mainThread: 'ndjsonMainThread' },
  single: { rate: 'singleRate', share: 'singleShare', cpu: 'singleCpu', mainThread: 'singleMainThread' },
} as const satisfies Record<SubmissionWay, Record<string, RowName>>

/** One repetition on one ledger. */
export const measureThroughput = async (
  bench: Bench,
  { ledger, node }: Subject,
  ways: readonly SubmissionWay[],
  size: LoadSize,
): Promise<readonly Figure[]> => {
  const tasks: LoadTask[] = []
  for (const way of ways) tasks.push(await prepareTask[way](bench, ledger, node.url, size))
  const figures: Figure[] = []
  let before = await bench.meter.measure()
  for (const [at, task] of tasks.entries()) {
    const cpuBefore = await readCpu(node.pid)
    const report = (await bench.generator.run(task)) as ThroughputReport
    const cpuAfter = await readCpu(node.pid)
    ledger.transactions += report.transactions
    const after = await bench.meter.measure()
    figures.push(
      ...figuresOf(ledger, ways[at]!, report, meanLimit(before, after)),
      ...cpuFigures(ledger, ways[at]!, report, cpuBefore, cpuAfter),
    )
    before = after
  }
  return figures
}

/** Some load that isn't measured. */
export const warmUp = async (
  bench: Bench,
  { ledger, node }: Subject,
  ways: readonly SubmissionWay[],
  size: LoadSize,
): Promise<void> => {
  for (const way of ways) {
    const report = await bench.generator.run(await prepareTask[way](bench, ledger, node.url, size))
    ledger.transactions += (report as ThroughputReport).transactions
  }
}

const prepareTask = {
  single: async (
    { folder }: Bench,
    ledger: Ledger,
    url: string,
    { single, connections }: LoadSize,
  ): Promise<LoadTask> => {
    const file = await writeLoad(ledger, join(folder, 'single.ndjson'), single)
    return { kind: 'single', targets: [{ url, file }], connections }
  },
  ndjson: async (
    { folder }: Bench,
    ledger: Ledger,
    url: string,
    { streams, requests, lines }: LoadSize,
  ): Promise<LoadTask> => {
    const files: string[][] = []
    for (let stream = 0; stream < streams; stream++) {
      // Senders of its own, so that their nonces come in order.
      const senders = ledger.senders.filter((_, at) => at % streams === stream)
      const own: string[] = []
      for (let request = 0; request < requests; request++) {
        own.push(await writeLoad(ledger, join(folder, `stream-${stream}-${request}.ndjson`), lines, senders))
      }
      files.push(own)
    }
    return { kind: 'ndjson', url, streams: files }
  },
}

export interface Cpu {
  readonly allSeconds: number
  readonly mainThreadSeconds: number
}

export const readCpu = async (pid: number): Promise<Cpu> => ({
  allSeconds: await readCpuSeconds(pid),
  mainThreadSeconds: await readMainThreadSeconds(pid),
})

/** Unlike rates, these hardly depend on what else the machine does. */
const cpuFigures = (
  { accounts }: Ledger,
  way: SubmissionWay,
  { transactions }: ThroughputReport,
  before: Cpu,
  after: Cpu,
): readonly Figure[] => {
  const eachUs = (seconds: number): readonly number[] => [(seconds / transactions) * 1e6]
  return [
    { row: rowsOf[way].cpu, size: accounts, samples: eachUs(after.allSeconds - before.allSeconds) },
    {
      row: rowsOf[way].mainThread,
      size: accounts,
      samples: eachUs(after.mainThreadSeconds - before.mainThreadSeconds),
    },
  ]
}

const figuresOf = (
  { accounts }: Ledger,
  way: SubmissionWay,
  { transactions, seconds }: ThroughputReport,
  limit: Limit,
): readonly Figure[] => {
  const rate = transactions / seconds
  return [
    ...limitFigures(accounts, limit),
    { row: rowsOf[way].rate, size: accounts, samples: [rate] },
    { row: rowsOf[way].share, size: accounts, samples: [(rate / limit.allCores) * 100] },
  ]
}
