/**
 * What was said about the next height while this node was still making the present one final.
 *
 * Under load the others are often a few milliseconds ahead; without this, what they say then would be lost
 * until they repeat it.
 */
import type { Verified } from '../objects/verified.ts'
import type { Vote } from '../objects/vote.ts'
import type { Address, Height } from '../units.ts'
import type { HeardProposal } from './heard-proposal.ts'

/** Votes that are kept of one validator: two rounds' worth. */
export const maxEarlyVotes = 4
/** Proposals that are kept of all validators; each may hold a whole block. */
export const maxEarlyProposals = 2

export class EarlyMessages {
  readonly #votes = new Map<Address, Verified<Vote>[]>()
  #proposals: HeardProposal[] = []

  /** @param vote - of a validator, for the height after the present one */
  addVote(vote: Verified<Vote>): void {
    const votes = this.#votes.get(vote.validator) ?? []
    const isNew = !votes.some(({ signature }) => signature === vote.signature)
    if (isNew && votes.length < maxEarlyVotes) this.#votes.set(vote.validator, [...votes, vote])
  }

  addProposal(proposal: HeardProposal): void {
    const isNew = !this.#proposals.some(({ message }) => message.signature === proposal.message.signature)
    if (isNew && this.#proposals.length < maxEarlyProposals) this.#proposals.push(proposal)
  }

  /** All of a height that has become the present one; what is for others is forgotten. */
  take(height: Height): {
    readonly votes: readonly Verified<Vote>[]
    readonly proposals: readonly HeardProposal[]
  } {
    const votes = [...this.#votes.values()].flat().filter((vote) => vote.height === height)
    const proposals = this.#proposals.filter(({ message }) => message.height === height)
    this.#votes.clear()
    this.#proposals = []
    return { votes, proposals }
  }
}
