/** What a doctor sees: where a height stands, and whose votes it waits for. */
import type { ValidatorList, ValidatorSet } from '../objects/validators.ts'
import type { Vote } from '../objects/vote.ts'
import type { Address, Amount, BlockHash, Height, Round } from '../units.ts'
import { amount } from '../units.ts'
import type { Step } from './timeouts.ts'
import type { VoteTally } from './vote-tally.ts'

/** A block, and the round in which a quorum prevoted it. */
export interface Choice {
  readonly block: BlockHash
  readonly round: Round
}

export interface VotesView {
  /** What was voted for; without a block, nil. */
  readonly values: readonly { readonly block?: BlockHash; readonly stake: Amount }[]
  /** Who has not voted. */
  readonly missing: ValidatorList
}

export interface ConsensusView {
  readonly height: Height
  readonly round: Round
  readonly step: Step
  readonly proposer: Address
  /** False when there is nothing to agree on, and for those who don't vote. */
  readonly active: boolean
  readonly totalStake: Amount
  readonly locked?: Choice
  readonly valid?: Choice
  readonly prevotes: VotesView
  readonly precommits: VotesView
  readonly decided?: BlockHash
}

export const viewVotes = <Kind extends Vote>(
  tally: VoteTally<Kind>,
  validators: ValidatorSet,
): VotesView => ({
  values: tally
    .values()
    .map(([block, stake]) => ({ ...(block !== undefined && { block }), stake: amount(stake) })),
  missing: validators.list.filter(({ address }) => tally.firstOf(address) === undefined),
})
