/** Private payloads: what the ledger says about their commitments, and what is kept to show them to others. */

import { base64 } from '@scure/base'
import { decodeHex, encodeHex } from '../../codec/bytes.ts'
import type { Payload } from '../../connections/connections.ts'
import { commitmentOf } from '../../didcomm/didcomm.ts'
import type { Transaction } from '../../objects/transaction.ts'
import type { Hash, TransactionId } from '../../units.ts'
import type { TransactionView } from '../service.ts'
import type { KeptPayload, Standing } from './service.ts'

export const toKept = ({ salt, payload, mediaType, c, transaction }: Payload): KeptPayload => ({
  c: c as Hash,
  transaction: transaction as TransactionId,
  salt: encodeHex(salt),
  mediaType,
  base64: base64.encode(payload),
})

/** @param view - of the transaction that is said to carry the commitment, by the own ledger */
export const standingOf = (kept: KeptPayload, view: TransactionView | undefined): Standing => {
  if (commitmentOf(decodeHex(kept.salt), base64.decode(kept.base64)) !== kept.c) return 'mismatch'
  if (view?.status !== 'committed') return 'not-on-ledger'
  return carriesCommitment(view.transaction, kept.c) ? 'verified' : 'mismatch'
}

/** In an anchor of its own, or as the memo beside a transfer. */
export const carriesCommitment = ({ operations, memo }: Transaction, c: Hash): boolean =>
  memo === c || operations.some((operation) => operation.type === 'anchor' && operation.data === c)
