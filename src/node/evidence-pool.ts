/**
 * Evidence that this node holds and the ledger doesn't: what its next block is to bring before everybody.
 *
 * In: verified evidence, and each block that becomes the head. Out: what a block may include now. One piece
 * for each key is enough, since it takes effect once. What can never have an effect is not kept; what has none
 * yet, because it is against the only validator, waits.
 */
import { accountKey, decodeAccount } from '../ledger/account.ts'
import { isLastValidator, isPunishable } from '../ledger/slashing.ts'
import { accusedOf, type Evidence, evidenceText, maxEvidence } from '../objects/evidence.ts'
import type { Verified } from '../objects/verified.ts'
import type { Address } from '../units.ts'
import type { Candidate, Chain } from './chain.ts'

/** Most pieces that are kept; whoever adds to them has put stake at risk for each. */
export const maxPooledEvidence = 256

export class EvidencePool {
  readonly #chain: Chain
  readonly #byAccused = new Map<Address, Verified<Evidence>>()

  constructor(chain: Chain) {
    this.#chain = chain
  }

  /** A block made on the head could include some of it. */
  get hasIncludable(): boolean {
    return this.#includable().length > 0
  }

  /** @returns whether it is new, and may have an effect */
  async add(evidence: Verified<Evidence>): Promise<boolean> {
    const accused = accusedOf(evidence)
    for (;;) {
      if (this.#byAccused.has(accused) || this.#byAccused.size >= maxPooledEvidence) return false
      // Nothing waits between the peek and the pool, so what was read is the state of the head.
      const account = this.#chain.peekAccount(accused)
      if (account && !isPunishable(account)) return false
      if (account) {
        this.#byAccused.set(accused, evidence)
        return true
      }
      await this.#chain.account(accused)
    }
  }

  /** What the next block is to hold, in its order. */
  select(): readonly Verified<Evidence>[] {
    return this.#includable()
      .map((evidence) => ({ evidence, text: evidenceText(evidence) }))
      .sort((one, other) => (one.text < other.text ? -1 : 1))
      .slice(0, maxEvidence)
      .map(({ evidence }) => evidence)
  }

  /** This block has become the head: whoever it has punished, or given the last of its stake back, is forgotten. */
  committed({ execution }: Candidate): void {
    for (const accused of this.#byAccused.keys()) {
      const key = accountKey(accused)
      const isChanged = execution.changes.has(key)
      if (isChanged && !isPunishable(decodeAccount(execution.changes.get(key))))
        this.#byAccused.delete(accused)
    }
  }

  #includable(): readonly Verified<Evidence>[] {
    const { stakes } = this.#chain.head.validators
    return [...this.#byAccused.values()].filter((evidence) => !isLastValidator(accusedOf(evidence), stakes))
  }
}
