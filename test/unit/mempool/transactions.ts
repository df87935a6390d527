/** Transactions as the mempool sees them: what ranks and bounds them is chosen, the rest is left empty. */
import type { DecodedTransaction } from '../../../src/objects/transaction.ts'
import {
  type Address,
  amount,
  type Hash,
  type NetworkId,
  type TransactionId,
  unixMs,
} from '../../../src/units.ts'

/** Blocks are made around this time. */
export const now = unixMs(1_790_000_000_000)
export const nowSeconds = now / 1_000

export interface Traits {
  readonly from: string
  readonly nonce: number
  readonly fee?: number | bigint
  readonly sizeBytes?: number
  readonly validUntil?: number
}

export const makeTransaction = (traits: Traits): DecodedTransaction => {
  const { from, nonce, fee = 10, sizeBytes = 100, validUntil = nowSeconds + 60 } = traits
  const id = [from, nonce, fee, sizeBytes, validUntil].join('/')
  return {
    id: id as TransactionId,
    hash: `hash of ${id}` as Hash,
    transaction: {
      network: 'network' as NetworkId,
      from: from as Address,
      nonce,
      validUntil,
      fee: amount(BigInt(fee)),
      operations: [],
      signatures: [],
    },
    text: '',
    sizeBytes,
  }
}
