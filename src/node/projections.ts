/**
 * What a sender's pending transactions would make of its account: the ground that its next one is judged on.
 *
 * Kept for each sender from one transaction to the next, so that a long line of one sender isn't run again
 * for each that joins it; made anew when the head moves.
 */
import { LRUCache } from 'lru-cache'
import type { Json } from '../codec/json.ts'
import { type Account, accountKey, accountKeyPrefix, encodeAccount } from '../ledger/account.ts'
import type { Context } from '../ledger/operations.ts'
import { include, type Refusal, refuseByFunds, refuseBySender } from '../ledger/transact.ts'
import { type StateValues, WorkingState } from '../ledger/working-state.ts'
import type { DecodedTransaction } from '../objects/transaction.ts'
import type { Address, BlockHash } from '../units.ts'

/** Senders whose projections are kept. */
export const maxProjections = 4_096

interface Projection {
  readonly head: BlockHash
  readonly state: WorkingState
  /** Nonce that the projected account comes to. */
  readonly nonce: number
}

export interface Ground extends Context {
  readonly head: BlockHash
  /** The sender's account at the head. */
  readonly account: Account
  /** Values at the head that every block reads. */
  readonly common: StateValues
  /** The sender's ready transactions in the mempool, in nonce order. */
  readonly pending: () => readonly DecodedTransaction[]
  /** The first nonce that none of them uses. */
  readonly nextNonce: number
}

export class Projections {
  /** Counted by size: with `max` all of its room would be taken at once. */
  readonly #bySender = new LRUCache<Address, Projection>({
    maxSize: maxProjections,
    sizeCalculation: () => 1,
  })

  /**
   * Runs a transaction after those of its sender that are pending.
   *
   * @returns why it would fail; undefined when it wouldn't. One that has to wait for others is judged by its fee
   *   alone, so that nobody fills the mempool without having anything
   */
  refuse(decoded: DecodedTransaction, ground: Ground): Refusal | undefined {
    const { from, nonce } = decoded.transaction
    if (nonce > ground.nextNonce) return refuseByFunds(ground.account.balance, decoded)
    const isNext = nonce === ground.nextNonce
    const projection = (isNext && this.#kept(from, ground)) || project(from, nonce, ground)
    const refusal = run(projection.state, decoded, ground)
    // A refused transaction has left its traces in the projection, and one that replaces changes those after it.
    if (refusal || !isNext) this.#bySender.delete(from)
    else this.#bySender.set(from, { ...projection, nonce: nonce + 1 })
    return refusal
  }

  /** A transaction of this sender has left the mempool. */
  forget(sender: Address): void {
    this.#bySender.delete(sender)
  }

  #kept(sender: Address, { head, nextNonce }: Ground): Projection | undefined {
    const kept = this.#bySender.get(sender)
    return kept?.head === head && kept.nonce === nextNonce ? kept : undefined
  }
}

const project = (sender: Address, upTo: number, ground: Ground): Projection => {
  const state = new WorkingState(new OneAccount(sender, ground))
  for (const decoded of ground.pending()) {
    if (decoded.transaction.nonce >= upTo) break
    include(state, decoded, ground)
  }
  return { head: ground.head, state, nonce: state.account(sender).nonce }
}

/** Whom a sender pays is never read from the ledger, and counts as empty: nothing that the sender may do depends on it. */
class OneAccount extends Map<string, Json | undefined> {
  constructor(sender: Address, { account, common }: Ground) {
    super(common)
    this.set(accountKey(sender), encodeAccount(account))
  }

  override has(key: string): boolean {
    return key.startsWith(accountKeyPrefix) || super.has(key)
  }
}

const run = (state: WorkingState, decoded: DecodedTransaction, context: Context): Refusal | undefined => {
  const refusal = refuseBySender(state, decoded)
  if (refusal) return refusal
  const outcome = include(state, decoded, context)
  if (outcome.status === 'committed') return undefined
  const { code, detail, operation } = outcome.reason
  return {
    code: code === 'insufficient-funds' ? code : 'operation-fails',
    message: `operation ${operation} would fail: ${detail}`,
    details: { operation, reason: code },
  }
}
