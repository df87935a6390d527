/**
 * Proposals on their way to a verdict: each waits here until all the transactions that it names are at hand.
 *
 * Most are in the mempool already, with their signatures checked. What is missing is asked of peers by gossip,
 * and comes back through {@link Proposals.offer}.
 */
import type { Mempool } from '../mempool/mempool.ts'
import type { CompactBlock } from '../messages/peer-message.ts'
import type { Evidence } from '../objects/evidence.ts'
import type { DecodedTransaction } from '../objects/transaction.ts'
import { type Verified, verified } from '../objects/verified.ts'
import type { Proposal } from '../objects/vote.ts'
import type { Hash, Height, UnixMs } from '../units.ts'
import type { HeardProposal } from './heard-proposal.ts'

/** Proposals that wait for transactions at a time: one for each round of two heights that may be under way. */
export const maxWaitingProposals = 8

/** A compact block whose evidence was verified. */
export type CheckedBlock = Omit<CompactBlock, 'evidence'> & {
  readonly evidence: readonly Verified<Evidence>[]
}

interface Waiting {
  readonly message: Verified<Proposal>
  readonly block: CheckedBlock
  readonly heardAt: UnixMs
  readonly found: Map<Hash, DecodedTransaction>
  readonly missing: Set<Hash>
}

export class Proposals {
  readonly #mempool: Mempool
  readonly #onWhole: (proposal: HeardProposal) => void
  /** By the proposal's signature, eldest first. */
  readonly #waiting = new Map<string, Waiting>()

  /** @param onWhole - called once for each proposal whose transactions are all there */
  constructor(mempool: Mempool, onWhole: (proposal: HeardProposal) => void) {
    this.#mempool = mempool
    this.#onWhole = onWhole
  }

  /** @returns the transactions that are missing */
  add(message: Verified<Proposal>, block: CheckedBlock, heardAt: UnixMs): readonly Hash[] {
    const waiting = this.#waiting.get(message.signature) ?? this.#begin(message, block, heardAt)
    if (waiting.missing.size === 0) this.#finish(waiting)
    return [...waiting.missing]
  }

  /** Whether a proposal waits for the transaction. */
  isMissing(hash: Hash): boolean {
    for (const { missing } of this.#waiting.values()) if (missing.has(hash)) return true
    return false
  }

  /** @param transaction - whose signature holds */
  offer(transaction: DecodedTransaction): void {
    for (const waiting of [...this.#waiting.values()]) {
      if (!waiting.missing.delete(transaction.hash)) continue
      waiting.found.set(transaction.hash, transaction)
      if (waiting.missing.size === 0) this.#finish(waiting)
    }
  }

  /** Forgets what is for lower heights. */
  moveTo(height: Height): void {
    for (const [key, { message }] of this.#waiting) if (message.height < height) this.#waiting.delete(key)
  }

  #begin(message: Verified<Proposal>, block: CheckedBlock, heardAt: UnixMs): Waiting {
    const found = new Map<Hash, DecodedTransaction>()
    const missing = new Set<Hash>()
    for (const hash of block.transactions) {
      const pending = this.#mempool.getByHash(hash)
      if (pending) found.set(hash, pending)
      else missing.add(hash)
    }
    const waiting = { message, block, heardAt, found, missing }
    this.#waiting.set(message.signature, waiting)
    if (this.#waiting.size > maxWaitingProposals) {
      const [eldest] = this.#waiting.keys()
      this.#waiting.delete(eldest!)
    }
    return waiting
  }

  #finish({ message, block, heardAt, found }: Waiting): void {
    this.#waiting.delete(message.signature)
    const { header, evidence } = block
    const transactions = block.transactions.map((hash) => found.get(hash)!)
    const whole = verified({ header, hash: message.block, evidence, transactions })
    this.#onWhole({ message, block: whole, heardAt })
  }
}
