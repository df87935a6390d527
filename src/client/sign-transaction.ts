/** Makes a signed transaction of its parts. The fee can be left open: it is worked out here, so offline too. */
import type { Json } from '../codec/json.ts'
import { withMinimumFee } from '../ledger/fees.ts'
import { defaultParameters, type Parameters } from '../objects/parameters.ts'
import {
  type DecodedTransaction,
  decodeTransaction,
  signedTextOf,
  type UnsignedTransaction,
} from '../objects/transaction.ts'
import type { Signer } from '../ports/keys.ts'
import type { Amount } from '../units.ts'

export type TransactionParts = Omit<UnsignedTransaction, 'from' | 'fee'> & {
  readonly fee?: Amount | undefined
}

/** Of the right length; what it stands in is never sent. */
const blankSignature = '0'.repeat(128)

/**
 * Signs as the sender. Without a fee, the least that the network's parameters ask for.
 *
 * @throws TautlineError `malformed-transaction`, naming the part that is wrong; nothing is signed then
 */
export const signTransaction = async (
  { fee, ...parts }: TransactionParts,
  signer: Signer,
  parameters: Parameters = defaultParameters,
): Promise<DecodedTransaction> => {
  const open = { ...parts, from: signer.address }
  const unsigned = fee === undefined ? withMinimumFee(open, parameters) : { ...open, fee }
  const attach = (signature: string): DecodedTransaction =>
    decodeTransaction({ ...unsigned, signatures: [{ key: signer.address, signature }] } as unknown as Json)
  return attach(await signer.sign(signedTextOf(attach(blankSignature))))
}
