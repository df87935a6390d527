/** Latency on one ledger, beside a bare server of its own process. */
import { join } from 'node:path'
import { startChild } from './child.ts'
import { warmUpRounds } from './latency.ts'
import { type Ledger, writeLoad } from './ledger.ts'
import { type Figure, median, percentile } from './rows.ts'
import type { Bench } from './throughput.ts'

export const latencyFigures = async (
  { generator, folder }: Bench,
  ledger: Ledger,
  url: string,
  rounds: number,
): Promise<readonly Figure[]> => {
  const count = warmUpRounds + rounds
  const file = await writeLoad(ledger, join(folder, 'latency.ndjson'), count)
  const server = await startChild('./bare-server.ts')
  const scratch = join(ledger.dataFolder, 'bench-writes')
  const report = await generator.run({
    kind: 'latency',
    url,
    bareUrl: String(server.greeting),
    file,
    scratch,
  })
  server.end()
  ledger.transactions += count
  const { waitedMs, bareMs, writesMs } = report
  const yardsticks = bareMs.map((bare, at) => bare + writesMs[at]!)
  const { accounts } = ledger
  return [
    { row: 'latencyMedian', size: accounts, samples: [median(waitedMs)] },
    { row: 'latencyP95', size: accounts, samples: [percentile(waitedMs, 0.95)] },
    { row: 'barePost', size: accounts, samples: [median(bareMs)] },
    { row: 'twoWrites', size: accounts, samples: [median(writesMs)] },
    { row: 'latencyShare', size: accounts, samples: [median(waitedMs) / median(yardsticks)] },
  ]
}
