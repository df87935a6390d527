/**
 * One transaction against the state.
 *
 * It may be includable or not, and an included one may take effect or fail. One that isn't includable makes
 * a block invalid; one that fails pays its fee, uses up its nonce, and changes nothing else.
 */
import type { Details, ErrorCode } from '../errors.ts'
import type { Parameters } from '../objects/parameters.ts'
import type { DecodedTransaction } from '../objects/transaction.ts'
import { maxValidityMs } from '../objects/transaction.ts'
import type { Address, NetworkId, UnixMs } from '../units.ts'
import { minimumFee } from './fees.ts'
import { accountsNamedIn, applyOperation, type Context, type Failure } from './operations.ts'
import type { WorkingState } from './working-state.ts'

export interface Refusal {
  readonly code: ErrorCode
  readonly message: string
  readonly details: Details
}

export type Outcome =
  | { readonly status: 'committed' }
  | { readonly status: 'failed'; readonly reason: Failure & { readonly operation: number } }

const refusal = (code: ErrorCode, message: string, details: Details = {}): Refusal => ({
  code,
  message,
  details,
})

/**
 * What can be said of a transaction without any state: network, size, fee and time.
 *
 * @param time - of the block; at the door, the later of the node's clock and the head's time
 * @returns undefined when nothing speaks against it
 */
export const refuseWithoutState = (
  { transaction, sizeBytes }: DecodedTransaction,
  network: NetworkId,
  parameters: Parameters,
  time: UnixMs,
): Refusal | undefined => {
  if (transaction.network !== network) {
    return refusal(
      'wrong-network',
      `the transaction is for network ${transaction.network}, and this is ${network}: sign it for this one`,
      { network },
    )
  }
  if (sizeBytes > parameters.maxTransactionBytes) {
    return refusal(
      'transaction-too-large',
      `the transaction has ${sizeBytes} canonical bytes, and the most is ${parameters.maxTransactionBytes}: send less`,
      { sizeBytes },
    )
  }
  const least = minimumFee(sizeBytes, parameters)
  if (BigInt(transaction.fee) < least) {
    return refusal(
      'fee-too-low',
      `the fee is ${transaction.fee}, and ${sizeBytes} bytes cost at least ${least}: raise it and sign again`,
      { minimumFee: least.toString() },
    )
  }
  const validUntilMs = transaction.validUntil * 1_000
  if (validUntilMs < time) {
    return refusal(
      'expired',
      `validUntil ${transaction.validUntil} is over (it is ${Math.floor(time / 1_000)}): sign it again with a later one`,
      { validUntil: transaction.validUntil },
    )
  }
  if (validUntilMs > time + maxValidityMs) {
    return refusal(
      'expires-too-late',
      `validUntil ${transaction.validUntil} is more than 24 hours ahead of ${Math.floor(time / 1_000)} (Unix seconds): choose an earlier one`,
      { validUntil: transaction.validUntil },
    )
  }
  return undefined
}

/** Whether the sender's account lets the transaction be included next: its nonce, and funds for the fee. */
export const refuseBySender = (state: WorkingState, decoded: DecodedTransaction): Refusal | undefined => {
  const { transaction } = decoded
  const { nonce, balance } = state.account(transaction.from)
  if (transaction.nonce < nonce) {
    return refusal(
      'nonce-used',
      `nonce ${transaction.nonce} is used, the account's next is ${nonce}: sign it again with that`,
      { nonce },
    )
  }
  if (transaction.nonce > nonce) {
    return refusal(
      'nonce-too-far',
      `nonce ${transaction.nonce} is not the account's next, which is ${nonce}`,
      { nonce },
    )
  }
  return refuseByFunds(balance, decoded)
}

/** Whatever else becomes of a transaction, its sender has to pay the fee. */
export const refuseByFunds = (
  balance: bigint,
  { transaction: { fee } }: DecodedTransaction,
): Refusal | undefined =>
  balance < BigInt(fee)
    ? refusal('insufficient-funds', `the balance is ${balance}, and the fee alone is ${fee}`, {
        balance: balance.toString(),
      })
    : undefined

/**
 * Includes a transaction: fee and nonce in any case, its operations all or none.
 *
 * @returns what came of it; {@link refuseBySender} must have had nothing against it
 */
export const include = (
  state: WorkingState,
  { transaction }: DecodedTransaction,
  context: Context,
): Outcome => {
  const { from, operations } = transaction
  const sender = state.account(from)
  state.setAccount(from, {
    ...sender,
    balance: sender.balance - BigInt(transaction.fee),
    nonce: sender.nonce + 1,
  })
  let reason: (Failure & { operation: number }) | undefined
  state.atomically(() => {
    for (const [operation, details] of operations.entries()) {
      const failure = applyOperation(state, from, details, context)
      if (failure) reason = { ...failure, operation }
      if (failure) return false
    }
    return true
  })
  return reason ? { status: 'failed', reason } : { status: 'committed' }
}

/** Accounts in whose history a transaction appears. One that failed touched only its sender. */
export const accountsTouchedBy = (
  { from, operations }: DecodedTransaction['transaction'],
  status: Outcome['status'],
): readonly Address[] => (status === 'failed' ? [from] : [...new Set([from, ...accountsNamedIn(operations)])])
