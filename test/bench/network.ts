/** Networks of real nodes on this machine: founded by the command line, each node in the folder made for it. */
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '../../src/client/client.ts'
import { fill, type Report } from './fill.ts'
import { type Ledger, readLedger } from './ledger.ts'
import { readCounts, untilCommitted } from './node-metrics.ts'
import { freePorts, type NodeProcess, type Program, runCommand, startNode } from './node-process.ts'

export interface Network {
  readonly nodes: readonly NodeProcess[]
  /** As the first node has it. */
  readonly ledger: Ledger
}

export interface NetworkOptions {
  readonly program: Program
  readonly validators: number
  /** Of the state, at least. */
  readonly accounts: number
  /** Where the folders shall lie. */
  readonly folder: string
  readonly report: Report
}

/** Runs on a network whose nodes are linked with each other, and have all its accounts. */
export const withNetwork = async <Result>(
  options: NetworkOptions,
  run: (network: Network) => Promise<Result>,
): Promise<Result> => {
  const { program, validators, accounts, folder, report } = options
  const ports = await freePorts(validators)
  await runCommand(program, [
    ...['network', 'create', '--out', folder],
    ...['--validators', String(validators), '--base-port', String(ports[0])],
  ])
  const folders = ports.map((_, at) => join(folder, `node${at + 1}`))
  const nodes = await Promise.all(folders.map((data, at) => startNode(program, data, [], ports[at]!)))
  await Promise.all(nodes.map((node) => untilLinked(node, validators - 1)))
  await fill(nodes[0]!, { accounts, dataFolder: folders[0]!, report })
  const { committed } = await readCounts(nodes[0]!.url)
  await Promise.all(nodes.map(({ url }) => untilCommitted(url, committed)))
  const result = await run({ nodes, ledger: await readLedger(nodes[0]!, folders[0]!, accounts) })
  await Promise.all(nodes.map((node) => node.stop()))
  return result
}

const pollMs = 50
const patienceMs = 60_000

const untilLinked = async ({ url }: NodeProcess, others: number): Promise<void> => {
  const client = createClient({ url })
  const deadline = Date.now() + patienceMs
  for (;;) {
    const { peers } = await client.status()
    if (peers === others) return
    if (Date.now() > deadline) throw new Error(`${url} is linked with ${peers} of ${others} other nodes`)
    await sleep(pollMs)
  }
}
