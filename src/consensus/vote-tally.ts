/** The votes of one kind in one round, added up by stake. */
import { isQuorum, type ValidatorSet } from '../objects/validators.ts'
import type { Verified } from '../objects/verified.ts'
import type { Vote } from '../objects/vote.ts'
import type { Address, BlockHash } from '../units.ts'

/** A block, or nil. */
export type Value = BlockHash | undefined

export class VoteTally<Kind extends Vote> {
  readonly #validators: ValidatorSet
  /** One vote each, but for those who contradict themselves. */
  readonly #votes = new Map<Address, Verified<Kind>[]>()
  readonly #stakes = new Map<Value, bigint>()
  #stake = 0n

  constructor(validators: ValidatorSet) {
    this.#validators = validators
  }

  /** Stake of all who voted, whatever for. */
  get stake(): bigint {
    return this.#stake
  }

  get isEmpty(): boolean {
    return this.#votes.size === 0
  }

  /** The first vote of a validator. */
  firstOf(validator: Address): Verified<Kind> | undefined {
    return this.#votes.get(validator)?.[0]
  }

  /** Counts the validator for this value, and no more than once for each. */
  add(vote: Verified<Kind>): void {
    const votes = this.#votes.get(vote.validator) ?? []
    if (votes.some(({ block }) => block === vote.block)) return
    const stake = this.#stakeOf(vote.validator)
    if (votes.length === 0) this.#stake += stake
    this.#votes.set(vote.validator, [...votes, vote])
    this.#stakes.set(vote.block, this.stakeFor(vote.block) + stake)
  }

  remove(validator: Address): void {
    const votes = this.#votes.get(validator)
    if (votes === undefined) return
    const stake = this.#stakeOf(validator)
    for (const { block } of votes) this.#stakes.set(block, this.stakeFor(block) - stake)
    this.#stake -= stake
    this.#votes.delete(validator)
  }

  stakeFor(value: Value): bigint {
    return this.#stakes.get(value) ?? 0n
  }

  hasQuorumFor(value: Value): boolean {
    return isQuorum(this.stakeFor(value), this.#validators.total)
  }

  /** A quorum has voted, whatever for. */
  hasQuorum(): boolean {
    return isQuorum(this.#stake, this.#validators.total)
  }

  /** The block that a quorum agrees on. */
  quorumBlock(): BlockHash | undefined {
    for (const value of this.#stakes.keys()) {
      if (value !== undefined && this.hasQuorumFor(value)) return value
    }
    return undefined
  }

  /** The votes for a value, sorted by validator. */
  votesFor(value: Value): readonly Verified<Kind>[] {
    return this.all().filter(({ block }) => block === value)
  }

  /** All votes, sorted by validator. */
  all(): readonly Verified<Kind>[] {
    return this.#validators.list.flatMap(({ address }) => this.#votes.get(address) ?? [])
  }

  /** What was voted for, and with how much stake. */
  values(): readonly (readonly [Value, bigint])[] {
    return [...this.#stakes].filter(([, stake]) => stake > 0n)
  }

  #stakeOf(validator: Address): bigint {
    return this.#validators.stakes.get(validator) ?? 0n
  }
}
