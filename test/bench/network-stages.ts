/** What is measured on networks of several validators, all on this machine. */
import { join } from 'node:path'
import type { Report } from './fill.ts'
import { warmUpRounds } from './latency.ts'
import { writeLoad } from './ledger.ts'
import { limitFigures, meanLimit } from './limit.ts'
import type { ThroughputReport } from './load-task.ts'
import { type Network, withNetwork } from './network.ts'
import { readCounts } from './node-metrics.ts'
import type { Program } from './node-process.ts'
import type { Options } from './options.ts'
import { type Figure, median, type Part, percentile } from './rows.ts'
import { type Bench, readCpu } from './throughput.ts'

/** Of the network that is loaded: the fewest that go on when one of them fails. */
const loadedValidators = 4
/** Of the state of a network whose latency is measured: few, since hardly anything depends on it. */
const latencyAccounts = 200

export const isOfNetworks = (part: Part): boolean => part === 'network' || part === 'network-latency'

export const runNetworkStages = async (
  options: Options,
  bench: Bench,
  report: Report,
): Promise<readonly Figure[]> => {
  const { parts, main, profiles } = options
  const program: Program = { main, profiles }
  return [
    ...(parts.has('network') ? await throughputStage(program, options, bench, report) : []),
    ...(parts.has('network-latency') ? await latencyStage(program, options, bench, report) : []),
  ]
}

const throughputStage = (
  program: Program,
  { accounts, warmUp, load, repetitions }: Options,
  bench: Bench,
  report: Report,
): Promise<readonly Figure[]> => {
  report(`founding a network of ${loadedValidators} validators`)
  const size = accounts[0]! // the others are for how one node's ledger grows
  const folder = join(bench.folder, 'network')
  const options = { program, validators: loadedValidators, accounts: size, folder, report }
  return withNetwork(options, async (network) => {
    await submitToAll(bench, network, warmUp.single, load.connections)
    const figures: Figure[] = []
    for (let repetition = 1; repetition <= repetitions; repetition++) {
      report(`load ${repetition} of ${repetitions} on the network`)
      const before = await bench.meter.measure()
      const loaded = await measureLoaded(network, () =>
        submitToAll(bench, network, load.single, load.connections),
      )
      const limit = meanLimit(before, await bench.meter.measure())
      figures.push(...limitFigures(size, limit), ...loadedFigures(loaded, limit.allCores))
    }
    return figures
  })
}

/** Each sender's transactions go to one node, so that their nonces come in order. */
const submitToAll = async (
  { generator, folder }: Bench,
  { nodes, ledger }: Network,
  count: number,
  connections: number,
): Promise<ThroughputReport> => {
  const targets = []
  for (const [at, { url }] of nodes.entries()) {
    const senders = ledger.senders.filter((_, sender) => sender % nodes.length === at)
    const path = join(folder, `network-${at}.ndjson`)
    const file = await writeLoad(ledger, path, Math.ceil(count / nodes.length), senders)
    targets.push({ url, file })
  }
  return generator.run({ kind: 'single', targets, connections })
}

/** Of all nodes together, but for what is the same on each of them. */
interface Usage {
  readonly cpuSeconds: number
  readonly mainThreadSeconds: number
  readonly messages: number
  readonly bytes: number
  /** On the first node. */
  readonly blocks: number
}

interface Loaded {
  readonly nodes: number
  readonly report: ThroughputReport
  /** By the load alone. */
  readonly used: Usage
}

const measureLoaded = async (network: Network, run: () => Promise<ThroughputReport>): Promise<Loaded> => {
  const before = await readUsage(network)
  const report = await run()
  const after = await readUsage(network)
  const used = mapUsage(after, (value, name) => value - before[name])
  return { nodes: network.nodes.length, report, used }
}

const readUsage = async ({ nodes }: Network): Promise<Usage> => {
  const all = await Promise.all(
    nodes.map(async ({ pid, url }) => ({ cpu: await readCpu(pid), counts: await readCounts(url) })),
  )
  const total = (of: (node: (typeof all)[number]) => number): number =>
    all.reduce((sum, node) => sum + of(node), 0)
  return {
    cpuSeconds: total(({ cpu }) => cpu.allSeconds),
    mainThreadSeconds: total(({ cpu }) => cpu.mainThreadSeconds),
    messages: total(({ counts }) => counts.peerMessages),
    bytes: total(({ counts }) => counts.peerBytes),
    blocks: all[0]!.counts.blocks,
  }
}

const mapUsage = (usage: Usage, change: (value: number, name: keyof Usage) => number): Usage =>
  Object.fromEntries(
    (Object.keys(usage) as (keyof Usage)[]).map((name) => [name, change(usage[name], name)]),
  ) as unknown as Usage

/** Each of them verifies everything, so what one could verify is its share of what all cores could. */
const loadedFigures = (
  { nodes, report: { transactions, seconds }, used }: Loaded,
  allCores: number,
): readonly Figure[] => {
  const rate = transactions / seconds
  const each = mapUsage(used, (value) => value / transactions)
  const size = nodes
  return [
    { row: 'networkRate', size, samples: [rate] },
    { row: 'networkShare', size, samples: [(rate / (allCores / nodes)) * 100] },
    { row: 'networkCpu', size, samples: [(each.cpuSeconds / nodes) * 1e6] },
    { row: 'networkMainThread', size, samples: [(each.mainThreadSeconds / nodes) * 1e6] },
    { row: 'networkBlock', size, samples: [1 / each.blocks] },
    { row: 'networkMessages', size, samples: [each.messages] },
    { row: 'networkBytes', size, samples: [each.bytes] },
  ]
}

/** One network after the other: what idle nodes of another cost nothing would be asked of. */
const latencyStage = async (
  program: Program,
  { validators: sizes, networkLatencyRounds: rounds }: Options,
  bench: Bench,
  report: Report,
): Promise<readonly Figure[]> => {
  const figures: Figure[] = []
  for (const validators of sizes) {
    report(`measuring the latency of a network of ${validators}`)
    const folder = join(bench.folder, `network-of-${validators}`)
    const options = { program, validators, accounts: latencyAccounts, folder, report }
    figures.push(...(await withNetwork(options, (network) => measureLatency(bench, network, rounds))))
  }
  return figures
}

const measureLatency = async (
  { generator, folder }: Bench,
  { nodes, ledger }: Network,
  rounds: number,
): Promise<readonly Figure[]> => {
  const file = await writeLoad(ledger, join(folder, 'waiting.ndjson'), warmUpRounds + rounds)
  const { waitedMs } = await generator.run({ kind: 'waiting', urls: nodes.map(({ url }) => url), file })
  const size = nodes.length
  return [
    { row: 'networkLatencyMedian', size, samples: [median(waitedMs)] },
    { row: 'networkLatencyP95', size, samples: [percentile(waitedMs, 0.95)] },
  ]
}
