/** Transactions that are signed before anything is measured. */
import { withMinimumFee } from '../../src/ledger/fees.ts'
import { defaultParameters } from '../../src/objects/parameters.ts'
import { signingText, type UnsignedTransaction } from '../../src/objects/transaction.ts'
import { type Address, amount, type NetworkId } from '../../src/units.ts'
import type { Sender } from './accounts.ts'

const validityS = 60 * 60

/** One transaction of a transfer to each, as the JSON that a client sends. */
export const signTransfers = async (
  network: NetworkId,
  sender: Sender,
  receivers: readonly Address[],
  each = 1n,
): Promise<string> => {
  const unsigned = unsignedTransfers(network, sender, receivers, each)
  const signature = await sender.signer.sign(signingText(unsigned))
  sender.nonce++
  return JSON.stringify({ ...unsigned, signatures: [{ key: unsigned.from, signature }] })
}

export const unsignedTransfers = (
  network: NetworkId,
  { signer, nonce }: Sender,
  receivers: readonly Address[],
  each = 1n,
): UnsignedTransaction =>
  withMinimumFee(
    {
      network,
      from: signer.address,
      nonce,
      validUntil: Math.floor(Date.now() / 1_000) + validityS,
      operations: receivers.map((to) => ({ type: 'transfer', to, amount: amount(each) })),
    },
    defaultParameters,
  )

/** Signs one transfer after another, the senders taking turns. */
export const signLoad = async (
  network: NetworkId,
  senders: readonly Sender[],
  count: number,
  receiverOf: (transfer: number) => Address,
): Promise<readonly string[]> => {
  const lines: string[] = []
  for (let at = 0; at < count; at++) {
    lines.push(await signTransfers(network, senders[at % senders.length]!, [receiverOf(at)]))
  }
  return lines
}
