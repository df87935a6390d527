/** What a transaction must pay at least. Fees go to the proposer of the block. */
import { utf8Bytes } from '../codec/bytes.ts'
import { canonicalize, type Json } from '../codec/json.ts'
import type { Parameters } from '../objects/parameters.ts'
import type { UnsignedTransaction } from '../objects/transaction.ts'
import { amount, type Signature } from '../units.ts'

/** @param sizeBytes - canonical bytes of the whole signed transaction */
export const minimumFee = (sizeBytes: number, { feePerKib }: Parameters): bigint =>
  BigInt(feePerKib) * BigInt(Math.ceil(sizeBytes / 1_024))

/** A signature as it will stand in the transaction, for its size. */
const anySignature = '0'.repeat(128) as Signature

/** The transaction with the least fee that it can have, which is part of its own size. */
export const withMinimumFee = (
  transaction: Omit<UnsignedTransaction, 'fee'>,
  parameters: Parameters,
): UnsignedTransaction => {
  const signatures = [{ key: transaction.from, signature: anySignature }]
  let fee = 0n
  for (;;) {
    const priced = { ...transaction, fee: amount(fee) }
    const least = minimumFee(
      utf8Bytes(canonicalize({ ...priced, signatures } as unknown as Json)),
      parameters,
    )
    if (least <= fee) return priced
    fee = least
  }
}
