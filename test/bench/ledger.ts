/** A ledger to be measured: a data folder, the accounts in it, and how many transactions it holds. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createClient } from '../../src/client/client.ts'
import { readSecretKey } from '../../src/runtime/node/identity.ts'
import { createNodeSigner } from '../../src/runtime/node/keys.ts'
import type { Address, NetworkId } from '../../src/units.ts'
import { createSenders, receiver, type Sender, spreadReceiver } from './accounts.ts'
import { readCounts, untilCommitted } from './node-metrics.ts'
import { type NodeProcess, type Program, startNode } from './node-process.ts'
import { signLoad, signTransfers } from './signed-load.ts'

export interface Ledger {
  /** In the state, about. */
  readonly accounts: number
  readonly dataFolder: string
  readonly network: NetworkId
  readonly senders: readonly Sender[]
  /** Besides the senders. */
  readonly receivers: number
  /** Final so far. */
  transactions: number
  /** Signed so far, for the next one to go to somebody else. */
  signed: number
}

const maxSenders = 1_000
/** For what it sends and pays. */
const senderBalance = 100_000_000n
/** Operations of one transaction. */
const transfersEach = 16
/** Lines of one request, under 8 MiB with sixteen transfers in each. */
const linesEach = 3_000

export type Report = (message: string) => void

/** Makes a network and fills it, through transactions, until its state has about so many accounts. */
export const fillLedger = async (
  program: Program,
  dataFolder: string,
  accounts: number,
  report: Report,
): Promise<Ledger> => {
  const node = await startNode(program, dataFolder)
  const { network } = await createClient({ url: node.url }).status()
  const senders = createSenders(Math.min(maxSenders, Math.ceil(accounts / 2)))
  const receivers = accounts - senders.length - 1
  const ledger: Ledger = { accounts, dataFolder, network, senders, receivers, transactions: 0, signed: 0 }
  const founder: Sender = { signer: await readFounder(dataFolder), nonce: 0 }
  await pay(
    ledger,
    node,
    [founder],
    senders.map(({ signer }) => signer.address),
    senderBalance,
    report,
  )
  await pay(
    ledger,
    node,
    senders,
    Array.from({ length: receivers }, (_, at) => receiver(at)),
    1n,
    report,
  )
  await requireAccounts(node.url, accounts)
  await node.stop()
  return ledger
}

const readFounder = async (dataFolder: string) => {
  const path = join(dataFolder, 'node.key')
  return createNodeSigner(readSecretKey(await readFile(path, 'utf8'), path))
}

/** Pays all of these, the senders taking turns. */
const pay = async (
  ledger: Ledger,
  node: NodeProcess,
  senders: readonly Sender[],
  receivers: readonly Address[],
  each: bigint,
  report: Report,
): Promise<void> => {
  const client = createClient({ url: node.url })
  let sending: Promise<void> = Promise.resolve()
  let lines: string[] = []
  const send = async (): Promise<void> => {
    await sending
    const batch = lines
    lines = []
    sending = client.submitNdjson(batch).then((answers) => {
      const bad = answers.find((answer) => !('id' in answer))
      if (bad) throw new Error(`a transaction that fills the ledger was refused: ${JSON.stringify(bad)}`)
    })
    sending.catch(() => {}) // seen when the next batch is sent
  }
  for (let from = 0, turn = 0; from < receivers.length; from += transfersEach, turn++) {
    const sender = senders[turn % senders.length]!
    lines.push(await signTransfers(ledger.network, sender, receivers.slice(from, from + transfersEach), each))
    if (lines.length < linesEach) continue
    await send()
    report(`${ledger.accounts} accounts: ${from} of ${receivers.length} paid`)
  }
  if (lines.length > 0) await send()
  await sending
  ledger.transactions += Math.ceil(receivers.length / transfersEach)
  await untilCommitted(node.url, ledger.transactions)
}

/** The state has a few entries that are no accounts. */
const requireAccounts = async (url: string, accounts: number): Promise<void> => {
  const { entries } = await readCounts(url)
  if (entries < accounts) throw new Error(`the state has ${entries} entries: expected ${accounts} accounts`)
}

/** Signs single transfers to accounts all over the state, into a file of a line each. */
export const writeLoad = async (
  ledger: Ledger,
  path: string,
  count: number,
  senders: readonly Sender[] = ledger.senders,
): Promise<string> => {
  const first = ledger.signed
  const receiverOf = (at: number): Address => spreadReceiver(first + at, ledger.receivers)
  await writeFile(path, (await signLoad(ledger.network, senders, count, receiverOf)).join('\n'))
  ledger.signed += count
  return path
}
