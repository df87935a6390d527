/** How fast a fresh node takes in the whole ledger of another one on the same machine, verifying everything itself. */
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '../../src/client/client.ts'
import type { Report } from './fill.ts'
import type { Ledger } from './ledger.ts'
import { type Limit, limitFigures, meanLimit } from './limit.ts'
import { type NodeProcess, type Program, startNode } from './node-process.ts'
import type { Options } from './options.ts'
import type { Figure } from './rows.ts'
import { type Bench, warmUp } from './throughput.ts'

const pollMs = 20

/** The ledger is made longer first, when it holds less than is asked for. */
export const catchUpFigures = async (
  program: Program,
  bench: Bench,
  ledger: Ledger,
  { load, syncTransactions, repetitions }: Options,
  report: Report,
): Promise<readonly Figure[]> => {
  const node = await startNode(program, ledger.dataFolder)
  try {
    while (ledger.transactions < syncTransactions) {
      await warmUp(bench, { ledger, node }, ['ndjson'], load)
      report(`${ledger.transactions} of ${syncTransactions} transactions to catch up with`)
    }
    const figures: Figure[] = []
    let before = await bench.meter.measure()
    for (let repetition = 0; repetition < repetitions; repetition++) {
      const rate =
        ledger.transactions / (await timeCatchUp(program, node, join(bench.folder, `fresh-${repetition}`)))
      const after = await bench.meter.measure()
      figures.push(...figuresOf(ledger, rate, meanLimit(before, after)))
      before = after
    }
    return figures
  } finally {
    await node.stop()
  }
}

/** @returns seconds from the start of the process until it stands where the other one does */
const timeCatchUp = async (program: Program, ahead: NodeProcess, dataFolder: string): Promise<number> => {
  const { join: joinString, head } = await createClient({ url: ahead.url }).status()
  const startedMs = performance.now()
  const fresh = await startNode(program, dataFolder, ['--join', joinString])
  const client = createClient({ url: fresh.url })
  while ((await client.status()).head.height < head.height) await sleep(pollMs)
  const seconds = (performance.now() - startedMs) / 1_000
  await fresh.stop()
  return seconds
}

const figuresOf = ({ accounts }: Ledger, rate: number, limit: Limit): readonly Figure[] => [
  ...limitFigures(accounts, limit),
  { row: 'syncRate', size: accounts, samples: [rate] },
  { row: 'syncShare', size: accounts, samples: [(rate / limit.allCores) * 100] },
]
