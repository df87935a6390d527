/** Reading what became of transactions. */
import type { AssembledBlock } from '../ledger/assemble-block.ts'
import type { Transaction } from '../objects/transaction.ts'
import type { TransactionId } from '../units.ts'
import type { Chain } from './chain.ts'
import type { Place } from './ledger-store.ts'
import type { FailureReason, FinalTransaction } from './service.ts'

export type FinalWithTransaction = FinalTransaction & { readonly transaction: Transaction }

export const finalAt = (
  id: TransactionId,
  { height, index }: Place,
  reason: FailureReason | undefined,
): FinalTransaction =>
  reason ? { id, status: 'failed', height, index, reason } : { id, status: 'committed', height, index }

/** What became of each transaction of a block that was just committed. */
export const finalsOf = ({ header, transactions, outcomes }: AssembledBlock): readonly FinalTransaction[] =>
  transactions.map(({ id }, index) => {
    const outcome = outcomes[index]!
    return finalAt(
      id,
      { height: header.height, index },
      outcome.status === 'failed' ? outcome.reason : undefined,
    )
  })

/** @returns undefined when no block has the transaction */
export const readFinal = async (chain: Chain, id: TransactionId): Promise<FinalTransaction | undefined> => {
  const place = await chain.reader.placeOf(id)
  if (!place) return undefined
  const failures = await chain.reader.failures(place.height)
  return finalAt(id, place, failures[place.index])
}
