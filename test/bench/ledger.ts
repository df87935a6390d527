/** A ledger to be measured: a data folder, the accounts in it, and how many transactions it holds. */
import { writeFile } from 'node:fs/promises'
import { createClient } from '../../src/client/client.ts'
import type { Address, NetworkId } from '../../src/units.ts'
import { createSenders, type Sender, spreadReceiver } from './accounts.ts'
import type { NodeProcess } from './node-process.ts'
import { signLoad } from './signed-load.ts'

export interface Ledger {
  readonly accounts: number
  readonly dataFolder: string
  readonly network: NetworkId
  readonly senders: readonly Sender[]
  /** Accounts besides the senders and the node's own. */
  readonly receivers: number
  /** Final so far. */
  transactions: number
  /** Signed so far, for the next one to go to somebody else. */
  signed: number
}

const maxSenders = 1_000

export const sendersFor = (accounts: number): readonly Sender[] =>
  createSenders(Math.min(maxSenders, Math.ceil(accounts / 2)))

export const receiversFor = (accounts: number): number => accounts - sendersFor(accounts).length - 1

/** What there is on a node whose ledger was filled with so many accounts. */
export const readLedger = async (
  { url }: NodeProcess,
  dataFolder: string,
  accounts: number,
): Promise<Ledger> => {
  const client = createClient({ url })
  const { network, node } = await client.status()
  const senders = sendersFor(accounts)
  let transactions = (await client.account(node.address)).nonce
  for (const sender of senders) {
    sender.nonce = (await client.account(sender.signer.address)).nonce
    transactions += sender.nonce
  }
  const receivers = receiversFor(accounts)
  return { accounts, dataFolder, network, senders, receivers, transactions, signed: 0 }
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
