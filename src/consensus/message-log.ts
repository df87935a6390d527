/**
 * The messages of a height that a validator has heard, by round, and no more of them than it needs.
 *
 * Bounds, whatever others send:
 * - beyond the present round, each validator has room for its {@link futureRounds} newest rounds;
 * - below it, {@link pastRounds} rounds are kept, and of older ones only those whose polka is still cited;
 * - in a round, a validator has one vote of each kind. One who contradicts itself has more, but only for
 *   blocks that a kept proposal names: had it no more than one, it could hide from a few the polka that it
 *   helped to make, and hold up everyone.
 *
 * What is dropped can be heard again: nothing is assumed of the order or number of deliveries.
 */
import { holdsHonest, type ValidatorSet } from '../objects/validators.ts'
import type { Verified } from '../objects/verified.ts'
import type { ConsensusMessage, Precommit, Prevote, Proposal, Vote } from '../objects/vote.ts'
import type { Address, BlockHash, Round } from '../units.ts'
import { VoteTally } from './vote-tally.ts'

/** Rounds of one validator that are kept beyond the present one. */
export const futureRounds = 2
/** Rounds that are kept below the present one. */
export const pastRounds = 32
/** A proposer that contradicts itself may have had its second block agreed on; a third is left to chance. */
const proposalsPerRound = 2

/** What the shell found out about a proposal's block. */
export interface Judgement {
  /** The block is held, and executing it gives what its header says. */
  readonly valid: boolean
  /** Its time was near enough to this node's when it arrived; not asked of a re-proposal. */
  readonly timely: boolean
}

export type JudgedProposal = Judgement & { readonly message: Verified<Proposal> }

/** Two messages of one key, height, round and kind that say different things. */
export type Conflict = readonly [Verified<ConsensusMessage>, Verified<ConsensusMessage>]

export class RoundLog {
  readonly proposals: JudgedProposal[] = []
  readonly prevotes: VoteTally<Prevote>
  readonly precommits: VoteTally<Precommit>

  constructor(validators: ValidatorSet) {
    this.prevotes = new VoteTally(validators)
    this.precommits = new VoteTally(validators)
  }

  get isEmpty(): boolean {
    return this.proposals.length === 0 && this.prevotes.isEmpty && this.precommits.isEmpty
  }

  /** All that a validator said. */
  by(validator: Address): readonly Verified<ConsensusMessage>[] {
    return this.all().filter((message) => message.validator === validator)
  }

  all(): readonly Verified<ConsensusMessage>[] {
    return [...this.proposals.map(({ message }) => message), ...this.prevotes.all(), ...this.precommits.all()]
  }

  forget(validator: Address): void {
    const others = this.proposals.filter(({ message }) => message.validator !== validator)
    this.proposals.splice(0, this.proposals.length, ...others)
    this.prevotes.remove(validator)
    this.precommits.remove(validator)
  }
}

export class MessageLog {
  readonly #validators: ValidatorSet
  readonly #rounds = new Map<Round, RoundLog>()
  readonly #silence: RoundLog
  /** The newest round that each validator was heard in. */
  readonly #newest = new Map<Address, Round>()
  #present: Round
  /** A round whose polka is kept however old it is. */
  #cited: Round | undefined

  constructor(validators: ValidatorSet, present: Round) {
    this.#validators = validators
    this.#silence = new RoundLog(validators)
    this.#present = present
  }

  /** The messages of a round, to be read only. */
  round(round: Round): RoundLog {
    return this.#rounds.get(round) ?? this.#silence
  }

  /** Kept rounds with at least one message, in no particular order. */
  rounds(): IterableIterator<[Round, RoundLog]> {
    return this.#rounds.entries()
  }

  /** @returns the conflict with an earlier message of the same validator, if there is one */
  addProposal(proposal: JudgedProposal): Conflict | undefined {
    const { message } = proposal
    if (!this.#admits(message)) return undefined
    const { proposals } = this.#open(message.round)
    const earlier = proposals[0]?.message
    const isKnown = proposals.some((known) => saySame(known.message, message))
    if (!isKnown && proposals.length < proposalsPerRound) proposals.push(proposal)
    return conflictOf(earlier, message)
  }

  /** @returns the conflict with an earlier message of the same validator, if there is one */
  addVote(vote: Verified<Vote>): Conflict | undefined {
    if (!this.#admits(vote)) return undefined
    const { prevotes, precommits } = this.#open(vote.round)
    const earlier = (vote.kind === 'prevote' ? prevotes : precommits).firstOf(vote.validator)
    const conflict = conflictOf(earlier, vote)
    if (conflict !== undefined && !this.#isNamed(vote)) return conflict
    if (vote.kind === 'prevote') prevotes.add(vote)
    else precommits.add(vote)
    return conflict
  }

  /** A kept proposal for the block was found valid. */
  hasValidProposalOf(block: BlockHash): boolean {
    return [...this.#rounds.values()].some((log) =>
      log.proposals.some(({ message, valid }) => valid && message.block === block),
    )
  }

  /** The largest round that more than a third of the stake has reached, if it lies ahead. */
  roundAhead(): Round | undefined {
    const ahead: [Address, Round][] = []
    for (const [validator, round] of this.#newest) {
      if (round > this.#present) ahead.push([validator, round])
    }
    let stake = 0n
    for (const [validator, round] of ahead.sort(([, left], [, right]) => right - left)) {
      stake += this.#validators.stakes.get(validator)!
      if (holdsHonest(stake, this.#validators.total)) return round
    }
    return undefined
  }

  /** Moves the present, and drops what is too old for it. */
  enter(round: Round): void {
    this.#present = round
    for (const past of [...this.#rounds.keys()]) {
      if (!this.#isKept(past)) this.#rounds.delete(past)
    }
  }

  /** Keeps a round for its polka, instead of the one cited before. */
  cite(round: Round): void {
    this.#cited = round
  }

  #open(round: Round): RoundLog {
    const log = this.#rounds.get(round) ?? new RoundLog(this.#validators)
    this.#rounds.set(round, log)
    return log
  }

  #admits({ validator, round }: Verified<ConsensusMessage>): boolean {
    this.#newest.set(validator, Math.max(round, this.#newest.get(validator) ?? 0) as Round)
    return round > this.#present ? this.#makeRoom(validator, round) : this.#isKept(round)
  }

  /** @returns whether the validator has room for a message of this round ahead */
  #makeRoom(validator: Address, round: Round): boolean {
    const taken = this.#roundsAheadOf(validator)
    if (taken.includes(round) || taken.length < futureRounds) return true
    const oldest = Math.min(...taken) as Round
    if (round < oldest) return false
    const log = this.round(oldest)
    log.forget(validator)
    if (log.isEmpty) this.#rounds.delete(oldest)
    return true
  }

  #roundsAheadOf(validator: Address): readonly Round[] {
    return [...this.#rounds]
      .filter(([round, log]) => round > this.#present && log.by(validator).length > 0)
      .map(([round]) => round)
  }

  #isKept(round: Round): boolean {
    if (this.#isNear(round) || round === this.#cited) return true
    return this.#hasProposal((proposal) => proposal.polkaRound === round && this.#isNear(proposal.round))
  }

  #isNear(round: Round): boolean {
    return round >= this.#present - pastRounds
  }

  /** A kept proposal of the vote's round, or one that cites that round's polka, is for the vote's block. */
  #isNamed({ round, block }: Vote): boolean {
    return this.#hasProposal(
      (proposal) => proposal.block === block && (proposal.round === round || proposal.polkaRound === round),
    )
  }

  #hasProposal(matches: (proposal: Proposal) => boolean): boolean {
    return [...this.#rounds.values()].some((log) => log.proposals.some(({ message }) => matches(message)))
  }
}

const conflictOf = (
  earlier: Verified<ConsensusMessage> | undefined,
  later: Verified<ConsensusMessage>,
): Conflict | undefined => (earlier === undefined || saySame(earlier, later) ? undefined : [earlier, later])

/** What it relies on lies before it, and nil relies on nothing. */
export const makesSense = (message: ConsensusMessage): boolean => {
  if (message.kind === 'precommit' || message.polkaRound === undefined) return true
  return message.polkaRound < message.round && message.block !== undefined
}

type Content = { readonly block?: BlockHash | undefined; readonly polkaRound?: Round | undefined }

/** For messages of one validator, round and kind. */
export const saySame = (left: Content, right: Content): boolean =>
  left.block === right.block && left.polkaRound === right.polkaRound
