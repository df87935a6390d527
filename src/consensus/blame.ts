/**
 * Who is to blame when a height has gone wrong, by the signed messages that were collected of it.
 *
 * In: any messages of one height, in any order, from whomever. Out: what was decided, and whom the messages name.
 * What is proven needs no trust in who collected them, and is true whatever is missing: an honest validator
 * signs one content for each round and kind (equivocation); and once it has precommitted a block, it prevotes
 * another only with a polka of that round or later (amnesia), for `consensus.ts` says so in every prevote.
 *
 * After a fork, when those proofs hold no third of the stake, they are joined by who relies on a polka that isn't
 * among the messages. That is a question, not a proof: whoever isn't lying can show that polka. Together they
 * always hold more than a third. For two quorums precommitted B in round r and C in r or later. In r, they share
 * a third that has equivocated. Later, either the polka of C's precommits is missing, and that whole quorum is
 * asked for it; or there is a first round v after r with a polka for another block than B. Whoever is in it and
 * in the first quorum, and that is a third, cites no polka or one older than r (amnesia); or one between r and v,
 * which is missing, since v is the first; or one of r itself, and then either B's polka of r is missing, and the
 * first quorum is asked for it, or the two polkas of r share a third that has equivocated.
 *
 * @see arXiv:1807.04938 §4, and CometBFT's "Fork accountability" for the kinds of attack
 */
import { holdsHonest, isQuorum, type ValidatorSet } from '../objects/validators.ts'
import type { Verified } from '../objects/verified.ts'
import type { ConsensusMessage, Precommit, Prevote, Vote } from '../objects/vote.ts'
import type { Address, BlockHash, Height, NetworkId, Round } from '../units.ts'
import { type Conflict, makesSense, saySame } from './message-log.ts'
import type { Choice } from './view.ts'

/** The height that is looked into. */
export interface Scene {
  readonly network: NetworkId
  readonly height: Height
  /** Who votes on it. */
  readonly validators: ValidatorSet
}

export type Charge =
  /** Two contents for one round and kind. */
  | { readonly kind: 'equivocation'; readonly messages: Conflict }
  /** It precommitted a block, and then prevoted another without a polka that would have freed it. */
  | { readonly kind: 'amnesia'; readonly messages: readonly [Verified<Precommit>, Verified<Prevote>] }
  /** It relies on a polka that nobody has shown. */
  | { readonly kind: 'unexplained'; readonly messages: readonly [Verified<Vote>]; readonly polka: Choice }

export interface Finding {
  readonly validator: Address
  readonly stake: bigint
  readonly charge: Charge
}

export interface Blame {
  /** Blocks that the precommits decide, each with the first round in which they do; more than one is a fork. */
  readonly decided: readonly Choice[]
  /** At most one for each validator, sorted by it: what is proven comes before what is unexplained. */
  readonly findings: readonly Finding[]
  readonly provenStake: bigint
  /** Of all findings. */
  readonly namedStake: bigint
  readonly totalStake: bigint
}

/** @param messages - what a validator of this height would pass over is passed over here */
export const blame = (
  { network, height, validators }: Scene,
  messages: readonly Verified<ConsensusMessage>[],
): Blame => {
  const belongs = (message: ConsensusMessage): boolean =>
    message.network === network && message.height === height && validators.stakes.has(message.validator)
  const heard = messages.filter((message) => belongs(message) && makesSense(message))
  const saidBy = new Map(validators.list.map(({ address }) => [address, [] as Verified<ConsensusMessage>[]]))
  for (const message of heard.sort(byRound)) saidBy.get(message.validator)!.push(message)
  const findingsBy = (charge: (said: readonly Verified<ConsensusMessage>[]) => Charge | undefined) =>
    validators.list.flatMap(({ address }) => {
      const found = charge(saidBy.get(address)!)
      return found ? [{ validator: address, stake: validators.stakes.get(address)!, charge: found }] : []
    })

  const decided = new Quorums(validators, heard, 'precommit').firstOfEach()
  const proven = findingsBy(findProof)
  const provenStake = sumOf(proven)
  const prevotes = new Quorums(validators, heard, 'prevote')
  const isExplained = decided.length < 2 || holdsHonest(provenStake, validators.total)
  const findings = isExplained ? proven : findingsBy((said) => findProof(said) ?? findGap(said, prevotes))
  return { decided, findings, provenStake, namedStake: sumOf(findings), totalStake: validators.total }
}

const byRound = (one: ConsensusMessage, other: ConsensusMessage): number => one.round - other.round

const sumOf = (findings: readonly Finding[]): bigint => findings.reduce((sum, { stake }) => sum + stake, 0n)

/** @param said - by one validator, in order of round */
const findProof = (said: readonly Verified<ConsensusMessage>[]): Charge | undefined =>
  findEquivocation(said) ?? findAmnesia(said)

const findEquivocation = (said: readonly Verified<ConsensusMessage>[]): Charge | undefined => {
  const first = new Map<string, Verified<ConsensusMessage>>()
  for (const message of said) {
    const place = `${message.kind} ${message.round}`
    const earlier = first.get(place)
    if (earlier !== undefined && !saySame(earlier, message))
      return { kind: 'equivocation', messages: [earlier, message] }
    first.set(place, message)
  }
  return undefined
}

const findAmnesia = (said: readonly Verified<ConsensusMessage>[]): Charge | undefined => {
  const locks = said.filter(isBlockVote('precommit'))
  for (const prevote of said.filter(isBlockVote('prevote'))) {
    const { round, block, polkaRound = -1 } = prevote
    const forgotten = locks.find(
      (lock) => lock.round < round && lock.round > polkaRound && lock.block !== block,
    )
    if (forgotten) return { kind: 'amnesia', messages: [forgotten, prevote] }
  }
  return undefined
}

/** A precommit relies on the polka of its round, a prevote on the one that it cites. */
const findGap = (said: readonly Verified<ConsensusMessage>[], prevotes: Quorums): Charge | undefined => {
  for (const message of said) {
    if (message.kind === 'proposal' || message.block === undefined) continue
    const round = message.kind === 'precommit' ? message.round : message.polkaRound
    if (round === undefined) continue
    const polka = { block: message.block, round }
    if (!prevotes.has(polka)) return { kind: 'unexplained', messages: [message], polka }
  }
  return undefined
}

type BlockVote<Kind extends Vote['kind']> = Verified<Extract<Vote, { kind: Kind }>> & {
  readonly block: BlockHash
}

const isBlockVote =
  <Kind extends Vote['kind']>(kind: Kind) =>
  (message: Verified<ConsensusMessage>): message is BlockVote<Kind> =>
    message.kind === kind && message.block !== undefined

/** For which blocks more than two thirds have voted, and in which rounds. */
class Quorums {
  readonly #validators: ValidatorSet
  readonly #voters = new Map<Round, Map<BlockHash, Set<Address>>>()

  constructor(validators: ValidatorSet, messages: readonly Verified<ConsensusMessage>[], kind: Vote['kind']) {
    this.#validators = validators
    for (const { round, block, validator } of messages.filter(isBlockVote(kind)).sort(byRound)) {
      const blocks = this.#voters.get(round) ?? new Map<BlockHash, Set<Address>>()
      this.#voters.set(round, blocks.set(block, (blocks.get(block) ?? new Set()).add(validator)))
    }
  }

  has({ round, block }: Choice): boolean {
    const voters = this.#voters.get(round)?.get(block) ?? new Set()
    const stake = [...voters].reduce((sum, voter) => sum + this.#validators.stakes.get(voter)!, 0n)
    return isQuorum(stake, this.#validators.total)
  }

  /** Every block that has one, with the first round of it, in order of round. */
  firstOfEach(): readonly Choice[] {
    const rounds = new Map<BlockHash, Round>()
    for (const [round, blocks] of this.#voters)
      for (const block of blocks.keys())
        if (!rounds.has(block) && this.has({ round, block })) rounds.set(block, round)
    return [...rounds].map(([block, round]) => ({ block, round }))
  }
}
