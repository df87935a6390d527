/** Committed transactions a second, each time between two measurements of the limit. */
import { join } from 'node:path'
import { type Ledger, writeLoad } from './ledger.ts'
import { type Limit, type LimitMeter, meanLimit } from './limit.ts'
import type { LoadGenerator } from './load-generator.ts'
import type { LoadTask, ThroughputReport } from './load-task.ts'
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

export const submissionWays = ['ndjson', 'single'] as const
export type SubmissionWay = (typeof submissionWays)[number]

const rowsOf = {
  ndjson: { rate: 'ndjsonRate', share: 'ndjsonShare' },
  single: { rate: 'singleRate', share: 'singleShare' },
} as const satisfies Record<SubmissionWay, Record<string, RowName>>

/** One repetition on one ledger. */
export const measureThroughput = async (
  bench: Bench,
  ledger: Ledger,
  url: string,
  ways: readonly SubmissionWay[],
  size: LoadSize,
): Promise<readonly Figure[]> => {
  const tasks: LoadTask[] = []
  for (const way of ways) tasks.push(await prepareTask[way](bench, ledger, url, size))
  const figures: Figure[] = []
  let before = await bench.meter.measure()
  for (const [at, task] of tasks.entries()) {
    const report = (await bench.generator.run(task)) as ThroughputReport
    ledger.transactions += report.transactions
    const after = await bench.meter.measure()
    figures.push(...figuresOf(ledger, ways[at]!, report, meanLimit(before, after)))
    before = after
  }
  return figures
}

/** Some load that isn't measured. */
export const warmUp = async (
  bench: Bench,
  ledger: Ledger,
  url: string,
  ways: readonly SubmissionWay[],
  size: LoadSize,
): Promise<void> => {
  for (const way of ways) {
    const report = await bench.generator.run(await prepareTask[way](bench, ledger, url, size))
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
    return { kind: 'single', url, file, connections }
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

const figuresOf = (
  { accounts }: Ledger,
  way: SubmissionWay,
  { transactions, seconds }: ThroughputReport,
  { oneCore, allCores }: Limit,
): readonly Figure[] => {
  const rate = transactions / seconds
  return [
    { row: 'oneCore', accounts, samples: [oneCore] },
    { row: 'allCores', accounts, samples: [allCores] },
    { row: rowsOf[way].rate, accounts, samples: [rate] },
    { row: rowsOf[way].share, accounts, samples: [(rate / allCores) * 100] },
  ]
}
