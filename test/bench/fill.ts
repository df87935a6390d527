/** Fills a new ledger with accounts, through transactions as everybody sends them. */
import { cp, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ClassicLevel } from 'classic-level'
import { type Client, createClient } from '../../src/client/client.ts'
import { createNodeSigner } from '../../src/runtime/node/keys.ts'
import { readSecretKey } from '../../src/runtime/secret-key.ts'
import type { Address, NetworkId } from '../../src/units.ts'
import { receiver, type Sender } from './accounts.ts'
import { type Ledger, readLedger, receiversFor, sendersFor } from './ledger.ts'
import { readCounts, untilCommitted } from './node-metrics.ts'
import { type NodeProcess, type Program, startNode } from './node-process.ts'
import { signTransfers } from './signed-load.ts'

export type Report = (message: string) => void

/** For what a sender sends and pays. */
const senderBalance = 100_000_000n
/** Operations of one transaction. */
const transfersEach = 16
/** Lines of one request, under 8 MiB with sixteen transfers in each. */
const linesEach = 3_000

export interface FillOptions {
  readonly program: Program
  readonly accounts: number
  /** Where the ledger shall lie. */
  readonly dataFolder: string
  /** Where filled ledgers are kept from one run to the next, if they are. */
  readonly kept: string | undefined
  readonly report: Report
}

/** A ledger whose state has so many accounts, and whose node has ended. */
export const prepareLedger = async (options: FillOptions): Promise<Ledger> => {
  const { program, accounts, dataFolder, kept } = options
  const copy = kept && join(kept, `accounts-${accounts}`)
  const isKept = copy !== undefined && (await stat(copy).catch(() => undefined)) !== undefined
  if (isKept) await cp(copy, dataFolder, { recursive: true })
  const node = await startNode(program, dataFolder)
  if (!isKept) await fill(node, options)
  const ledger = await readLedger(node, dataFolder, accounts)
  await node.stop()
  if (!isKept) await compact(dataFolder)
  if (copy && !isKept) await cp(dataFolder, copy, { recursive: true })
  return ledger
}

/** Pays from the node's own account. */
export const fill = async (
  node: NodeProcess,
  { accounts, dataFolder, report }: Pick<FillOptions, 'accounts' | 'dataFolder' | 'report'>,
): Promise<void> => {
  const client = createClient({ url: node.url })
  const { network } = await client.status()
  const path = join(dataFolder, 'node.key')
  const founder = createNodeSigner(readSecretKey(await readFile(path, 'utf8'), path))
  const senders = sendersFor(accounts)
  const addresses = senders.map(({ signer }) => signer.address)
  const paid = await pay(client, payments(network, [{ signer: founder, nonce: 0 }], addresses, senderBalance))
  await untilCommitted(node.url, paid)
  const receivers = Array.from({ length: receiversFor(accounts) }, (_, at) => receiver(at))
  const more = await pay(client, payments(network, senders, receivers, 1n), (sent) =>
    report(
      `${accounts} accounts: ${Math.min(sent * transfersEach, receivers.length)} of ${receivers.length} paid`,
    ),
  )
  await untilCommitted(node.url, paid + more)
  const { entries } = await readCounts(node.url) // a few of them are no accounts
  if (entries < accounts) throw new Error(`the state has ${entries} entries: expected ${accounts} accounts`)
}

/** Signed transactions that pay all of these, the senders taking turns. */
async function* payments(
  network: NetworkId,
  senders: readonly Sender[],
  receivers: readonly Address[],
  each: bigint,
): AsyncGenerator<string> {
  for (let from = 0, turn = 0; from < receivers.length; from += transfersEach, turn++) {
    const sender = senders[turn % senders.length]!
    yield signTransfers(network, sender, receivers.slice(from, from + transfersEach), each)
  }
}

/**
 * Sends one batch while the next is signed.
 *
 * @returns how many were sent
 */
const pay = async (
  client: Client,
  transactions: AsyncIterable<string>,
  onSent: (count: number) => void = () => {},
): Promise<number> => {
  let sent = 0
  let sending: Promise<void> | undefined
  let lines: string[] = []
  const send = async (): Promise<void> => {
    await sending
    sending = submit(client, lines)
    sending.catch(() => {}) // seen when the next one is sent
    sent += lines.length
    onSent(sent)
    lines = []
  }
  for await (const line of transactions) {
    if (lines.push(line) === linesEach) await send()
    await nextTurn() // or nothing would be sent while a batch is signed, and a node cuts off who is silent for long
  }
  await send()
  await sending
  return sent
}

const submit = async (client: Client, lines: readonly string[]): Promise<void> => {
  const bad = (await client.submitNdjson(lines)).find((answer) => !('id' in answer))
  if (bad) throw new Error(`a transaction that fills the ledger was refused: ${JSON.stringify(bad)}`)
}

/** So that what the filling has left behind isn't taken for growth, or for shrinking when it goes. */
const compact = async (dataFolder: string): Promise<void> => {
  const level = new ClassicLevel(join(dataFolder, 'ledger'))
  await level.compactRange('', '\u{10ffff}')
  await level.close()
}
