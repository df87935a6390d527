/**
 * A block's effects: which transactions are included, what becomes of each, and what the state is then.
 *
 * In: the values of all keys that the block may touch. Out: outcomes, changes and history entries, or why the
 * block is invalid. The same for whoever proposes the block and whoever checks it.
 */
import { assert } from '../errors.ts'
import { accusedOf, type Evidence } from '../objects/evidence.ts'
import type { Parameters } from '../objects/parameters.ts'
import type { DecodedTransaction } from '../objects/transaction.ts'
import type { ValidatorList } from '../objects/validators.ts'
import type { Verified } from '../objects/verified.ts'
import type { Address, Height, NetworkId, UnixMs } from '../units.ts'
import { accountKey } from './account.ts'
import { applyDueUpdates, removalsDueAfter } from './network-update.ts'
import { accountsNamedIn, type Context } from './operations.ts'
import { punish } from './slashing.ts'
import {
  accountsTouchedBy,
  include,
  type Outcome,
  type Refusal,
  refuseBySender,
  refuseWithoutState,
} from './transact.ts'
import {
  decodeUpdateVotes,
  type StateValues,
  type UnbondingQueue,
  type UnbondingTicket,
  unbondingKey,
  updateVotesKey,
  WorkingState,
} from './working-state.ts'

/** Most parts of stake that one block gives back. */
export const maxReleases = 64

export interface BlockContext extends Context {
  readonly network: NetworkId
  readonly parameters: Parameters
  readonly time: UnixMs
  readonly proposer: Address
}

export interface BlockContents {
  readonly evidence: readonly Verified<Evidence>[]
  readonly transactions: readonly DecodedTransaction[]
}

/** Entry `number` of an account's history is the transaction at `index` of the block. */
export interface HistoryEntry {
  readonly address: Address
  readonly number: number
  readonly index: number
}

export interface Execution {
  /** The evidence that has taken effect. */
  readonly evidence: readonly Verified<Evidence>[]
  readonly included: readonly DecodedTransaction[]
  /** One for each included transaction. */
  readonly outcomes: readonly Outcome[]
  readonly changes: StateValues
  readonly history: readonly HistoryEntry[]
  /** Who votes on the next block. */
  readonly validators: ValidatorList
  /** Transactions that couldn't be included, and why. */
  readonly refused: readonly { readonly transaction: DecodedTransaction; readonly refusal: Refusal }[]
}

/** Accounts that a block with these contents may read, but for those whose stake it releases. */
export const accountKeysOf = (
  { evidence, transactions }: BlockContents,
  proposer: Address,
): readonly string[] => {
  const addresses = new Set([proposer, ...evidence.map(accusedOf)])
  for (const { transaction } of transactions) {
    addresses.add(transaction.from)
    for (const address of accountsNamedIn(transaction.operations)) addresses.add(address)
  }
  return Array.from(addresses, accountKey)
}

/** Keys of the unbonding tickets that a block may come to, given the queue. */
export const ticketKeysOf = ({ first, next }: UnbondingQueue): readonly string[] =>
  Array.from({ length: Math.min(maxReleases, next - first) }, (_, at) => unbondingKey(first + at))

/** Keys of the accounts that those tickets name. */
export const ticketAccountKeysOf = (tickets: readonly UnbondingTicket[]): readonly string[] =>
  tickets.map(({ address }) => accountKey(address))

/** Keys of the accounts that updates may take out of the validators at the end of a block, given its parent's votes. */
export const updateAccountKeysOf = (common: StateValues, height: Height): readonly string[] =>
  removalsDueAfter(decodeUpdateVotes(common.get(updateVotesKey)), height).map(accountKey)

/**
 * Executes what can be included of these contents, in their order. A block that others made is valid only if
 * all of it is.
 */
export const executeBlock = (
  values: StateValues,
  { evidence, transactions }: BlockContents,
  context: BlockContext,
): Execution => {
  const state = new WorkingState(values)
  // First of all, so that what is due in this very block is burned too, and the parent's state alone decides.
  const effective = evidence.filter((piece) => punish(state, piece, context))
  releaseUnbonded(state, context.time)

  const included: DecodedTransaction[] = []
  const outcomes: Outcome[] = []
  const history: HistoryEntry[] = []
  const refused: { transaction: DecodedTransaction; refusal: Refusal }[] = []
  let fees = 0n
  for (const transaction of transactions) {
    const refusal =
      refuseWithoutState(transaction, context.network, context.parameters, context.time) ??
      refuseBySender(state, transaction)
    if (refusal) {
      refused.push({ transaction, refusal })
      continue
    }
    const outcome = include(state, transaction, context)
    history.push(...recordHistory(state, transaction, outcome, included.length))
    fees += BigInt(transaction.transaction.fee)
    included.push(transaction)
    outcomes.push(outcome)
  }
  if (fees > 0n) {
    const proposer = state.account(context.proposer)
    state.setAccount(context.proposer, { ...proposer, balance: proposer.balance + fees })
  }
  // Last, so that the votes in this very block count, and the next block is the first that knows the outcome.
  applyDueUpdates(state, context)
  return {
    evidence: effective,
    included,
    outcomes,
    changes: state.changes(),
    history,
    validators: state.validatorList(),
    refused,
  }
}

const releaseUnbonded = (state: WorkingState, time: UnixMs): void => {
  for (let released = 0; released < maxReleases; released++) {
    const { first, next } = state.unbondingQueue
    if (first === next) return
    const ticket = state.unbondingTicket(first)
    if (ticket.time > time) return
    release(state, ticket.address)
  }
}

const release = (state: WorkingState, address: Address): void => {
  const account = state.account(address)
  const [oldest, ...later] = account.unbonding
  assert(oldest, 'an account on the unbonding queue has unbonding stake')
  state.setAccount(address, { ...account, balance: account.balance + oldest.amount, unbonding: later })
  state.dequeueUnbonding()
}

const recordHistory = (
  state: WorkingState,
  { transaction }: DecodedTransaction,
  outcome: Outcome,
  index: number,
): readonly HistoryEntry[] =>
  accountsTouchedBy(transaction, outcome.status).map((address) => {
    const account = state.account(address)
    state.setAccount(address, { ...account, history: account.history + 1 })
    return { address, number: account.history, index }
  })
