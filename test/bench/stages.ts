/**
 * The run, stage by stage: ledgers are filled, started, left idle, loaded, stopped and verified.
 *
 * Ledgers of all sizes go through each stage together, and their loads take turns, so that what else the
 * machine does meets all of them. A node that isn't measured is idle, and costs nothing.
 */
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { catchUpFigures } from './catch-up.ts'
import { prepareLedger, type Report } from './fill.ts'
import { diskBytes, readCpuSeconds, readMemory } from './footprint.ts'
import { latencyFigures } from './latency-figures.ts'
import type { Ledger } from './ledger.ts'
import { readCounts } from './node-metrics.ts'
import { type Program, runCommand, startNode } from './node-process.ts'
import type { Options } from './options.ts'
import { proofFigures } from './proofs.ts'
import type { Figure, Part } from './rows.ts'
import { type Bench, measureThroughput, type Subject, submissionWays, warmUp } from './throughput.ts'

/** After a start, until nothing is done any more but tidying up. */
const settleMs = 3_000

export const runStages = async (
  options: Options,
  bench: Bench,
  report: Report,
): Promise<readonly Figure[]> => {
  const { parts, profiles, main } = options
  const program: Program = { main, profiles }
  const figures: Figure[] = []
  const stage = async (part: Part, what: string, run: () => Promise<readonly Figure[]>): Promise<void> => {
    if (!parts.has(part)) return
    report(what)
    figures.push(...(await run()))
  }
  report(`filling ledgers of ${options.accounts.join(' and ')} accounts`)
  const ledgers = await prepareLedgers(options, bench, report)
  const filled = await Promise.all(
    ledgers.map(async (ledger) => ({ ...ledger, diskBytes: await ledgerBytes(ledger) })),
  )
  await stage('start', 'starting nodes', () => startFigures(program, ledgers, options.starts))
  const subjects: Subject[] = []
  for (const ledger of ledgers) subjects.push({ ledger, node: await startNode(program, ledger.dataFolder) })
  await sleep(settleMs)
  await stage('memory', 'measuring idle memory', () => memoryFigures(subjects, 'idle'))
  await stage('idle', `waiting ${(options.tidyMs + options.idleMs) / 1_000} s`, () =>
    idleFigures(subjects, options),
  )
  await loadStages(options, bench, subjects, report, figures)
  await stage('latency', 'measuring latency', () =>
    inTurn(subjects, ({ ledger, node }) => latencyFigures(bench, ledger, node.url, options.latencyRounds)),
  )
  await stage('proofs', 'measuring proofs', () =>
    inTurn(subjects, ({ ledger, node }) => proofFigures(ledger, node.url, options.limitMs)),
  )
  await stage('memory', 'measuring memory after load', () => memoryFigures(subjects, 'loaded'))
  for (const { node } of subjects) await node.stop()
  await stage('disk', 'measuring disk', () =>
    inTurn(ledgers, (ledger, at) => diskFigures(ledger, filled[at]!)),
  )
  await stage('verify', 'verifying the ledgers', () =>
    inTurn(ledgers, (ledger) => verifyFigures(program, ledger)),
  )
  // On the smallest ledger alone: the others are filled with bigger transactions, which are many in one.
  await stage('sync', 'catching up with a ledger', () =>
    catchUpFigures(program, bench, ledgers[0]!, options, report),
  )
  return figures
}

/** One after the other. */
const inTurn = async <Item>(
  items: readonly Item[],
  run: (item: Item, at: number) => Promise<readonly Figure[]>,
): Promise<readonly Figure[]> => {
  const figures: Figure[] = []
  for (const [at, item] of items.entries()) figures.push(...(await run(item, at)))
  return figures
}

const prepareLedgers = async (
  { accounts: sizes, main, filled }: Options,
  { folder }: Bench,
  report: Report,
): Promise<readonly Ledger[]> => {
  const program: Program = { main, profiles: undefined }
  const ledgers: Ledger[] = []
  for (const accounts of sizes) {
    const dataFolder = join(folder, `accounts-${accounts}`)
    ledgers.push(await prepareLedger({ program, accounts, dataFolder, kept: filled, report }))
  }
  return ledgers
}

const startFigures = (
  program: Program,
  ledgers: readonly Ledger[],
  starts: number,
): Promise<readonly Figure[]> =>
  inTurn(ledgers, async ({ accounts, dataFolder }) => {
    const samples: number[] = []
    for (let count = 0; count < starts; count++) {
      const node = await startNode(program, dataFolder)
      samples.push(node.startMs)
      await node.stop()
    }
    return [{ row: 'start', size: accounts, samples }]
  })

const memoryRows = {
  idle: { anonymous: 'idleAnonymous', resident: 'idleResident' },
  loaded: { anonymous: 'loadedAnonymous', resident: 'loadedResident' },
} as const

const memoryFigures = (
  subjects: readonly Subject[],
  when: keyof typeof memoryRows,
): Promise<readonly Figure[]> =>
  inTurn(subjects, async ({ ledger: { accounts }, node }) => {
    const { anonymousMB, residentMB } = await readMemory(node.pid)
    return [
      { row: memoryRows[when].anonymous, size: accounts, samples: [anonymousMB] },
      { row: memoryRows[when].resident, size: accounts, samples: [residentMB] },
    ]
  })

/** All at once: they share the minute. */
const idleFigures = async (
  subjects: readonly Subject[],
  { tidyMs, idleMs }: Options,
): Promise<readonly Figure[]> => {
  const read = () =>
    Promise.all(
      subjects.map(async ({ node }) => ({
        blocks: (await readCounts(node.url)).blocks,
        cpuSeconds: await readCpuSeconds(node.pid),
      })),
    )
  await read() // so that the first answer of its kind isn't counted
  await sleep(tidyMs)
  const before = await read()
  const startedMs = performance.now()
  await sleep(idleMs)
  const perMinute = 60_000 / (performance.now() - startedMs)
  const cpuAfter = await Promise.all(subjects.map(({ node }) => readCpuSeconds(node.pid)))
  const after = await read()
  return subjects.flatMap(({ ledger: { accounts } }, at): Figure[] => [
    { row: 'idleCpu', size: accounts, samples: [(cpuAfter[at]! - before[at]!.cpuSeconds) * perMinute] },
    { row: 'idleBlocks', size: accounts, samples: [after[at]!.blocks - before[at]!.blocks] },
  ])
}

const loadStages = async (
  { parts, load, warmUp: warmUpSize, repetitions }: Options,
  bench: Bench,
  subjects: readonly Subject[],
  report: Report,
  figures: Figure[],
): Promise<void> => {
  const chosen = submissionWays.filter((way) => parts.has(way))
  // Disk and memory are measured after a load, whether or not that is a row.
  const ways = chosen.length === 0 && (parts.has('disk') || parts.has('memory')) ? submissionWays : chosen
  const isNodeMeasured = ways.length > 0 || parts.has('latency')
  if (!isNodeMeasured) return
  for (const subject of subjects) await warmUp(bench, subject, submissionWays, warmUpSize)
  if (ways.length === 0) return
  for (let repetition = 1; repetition <= repetitions; repetition++) {
    report(`load ${repetition} of ${repetitions}`)
    for (const subject of subjects) {
      figures.push(...(await measureThroughput(bench, subject, ways, load)))
    }
  }
}

const ledgerBytes = ({ dataFolder }: Ledger): Promise<number> => diskBytes(join(dataFolder, 'ledger'))

/** @param before - of the same ledger, when it was filled and its node had ended */
const diskFigures = async (
  ledger: Ledger,
  before: { readonly transactions: number; readonly diskBytes: number },
): Promise<readonly Figure[]> => {
  const grown = (await ledgerBytes(ledger)) - before.diskBytes
  return [
    {
      row: 'disk',
      size: ledger.accounts,
      samples: [grown / (ledger.transactions - before.transactions)],
    },
  ]
}

const verifyFigures = async (
  program: Program,
  { accounts, dataFolder, transactions }: Ledger,
): Promise<readonly Figure[]> => {
  const startedMs = performance.now()
  await runCommand(program, ['verify', '--data', dataFolder])
  return [
    { row: 'verify', size: accounts, samples: [transactions / ((performance.now() - startedMs) / 1_000)] },
  ]
}
