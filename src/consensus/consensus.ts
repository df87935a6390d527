/**
 * Consensus on one block: Tendermint (arXiv:1807.04938, Algorithm 1), one machine for each height.
 *
 * In come verified messages, timeouts and the shell's answers; out go effects: sign, schedule, decide. The
 * machine is synchronous and reads no clock, randomness, storage or socket, so the same inputs always give the
 * same effects. Its own messages come back to it like everybody else's, which is why a set of one needs no
 * case of its own: proposal, prevote, precommit and decision follow from each other within one chain of steps.
 *
 * The protocol. A round has a proposer, whose block the others prevote if it is valid and no lock forbids it.
 * Prevotes of more than two thirds of the stake for one block (a polka) make who sees them lock on it and
 * precommit it; precommits of more than two thirds decide. Any two quorums share an honest validator, which
 * prevotes against its lock only when shown a polka of the lock's round or later. So once a block can have been
 * decided, no later round ever makes a polka for another.
 *
 * Where this differs from the paper, and why it is safe:
 * - A quorum is counted in stake, and is strictly more than two thirds of it.
 * - L49: precommits decide without the proposal. One of their senders is honest, and has seen a valid block.
 * - L36: the polka's block must be known to be valid, by whichever proposal of the height it became known.
 * - L42: a polka that completes after its round was left still becomes the valid value, if it is newer than the
 *   present one. It moves no lock; it only lets a proposer offer what a hidden lock waits for.
 * - L21: the proposer waits with a timeout, too: its block is built outside, and may never come.
 * - L55: whoever is in a later round counts for all rounds up to it. More than a third of the stake has an
 *   honest validator, and that one didn't go there without reason; skipping is never unsafe.
 * - L22: a fresh proposal must also be timely. Refusing is always safe; what has a polka is not asked again.
 * - A prevote carries the round of the newest polka that allows it: the proposal's, or that of the own lock on the
 *   same block. So who has precommitted a block prevotes another only with a polka of that round or later, and
 *   after a disagreement the signed messages alone name more than a third of the stake (`blame.ts`).
 * - Blocks are on demand. Timeouts run only while there is something to agree on ({@link Consensus.active}):
 *   something pending, a valid or locked value, or a round in which somebody has spoken. So one validator
 *   with a transaction carries the others from round to round, and when nobody has one, nobody speaks first.
 * - Message log and sign record are bounded (`message-log.ts`, `sign-state.ts`).
 *
 * It must never sign two contents for one round and kind, nor anything for a round that it has left. It checks
 * that itself and halts; that its record outlives a crash is the shell's part (see the effect `sign`).
 */
import { assert } from '../errors.ts'
import type { ValidatorSet } from '../objects/validators.ts'
import { type Verified, verified } from '../objects/verified.ts'
import {
  type Certificate,
  type ConsensusMessage,
  type Prevote,
  precommitsOf,
  type UnsignedMessage,
  type Vote,
} from '../objects/vote.ts'
import type { Address, BlockHash, Height, NetworkId, Round } from '../units.ts'
import { amount, round as asRound } from '../units.ts'
import type { Effect } from './effect.ts'
import type { Input } from './input.ts'
import {
  type Conflict,
  type JudgedProposal,
  MessageLog,
  makesSense,
  type RoundLog,
  saySame,
} from './message-log.ts'
import { type ProposerOf, proposersOf } from './proposer.ts'
import { ownRounds, type SignState } from './sign-state.ts'
import { type Step, type Timeout, timeoutMs } from './timeouts.ts'
import { type Choice, type ConsensusView, viewVotes } from './view.ts'

export interface ConsensusOptions {
  readonly network: NetworkId
  readonly height: Height
  /** Who votes on this height. */
  readonly validators: ValidatorSet
  /** Whose votes to sign; who is absent or not in the set observes. */
  readonly self?: Address
  /** The sign record of this height, if this validator has signed in it before a restart. */
  readonly restored?: SignState
}

/** What a message says beyond who says it, where and when. */
type Statement =
  | { readonly kind: 'proposal'; readonly block: BlockHash; readonly polkaRound?: Round }
  | { readonly kind: 'prevote'; readonly block?: BlockHash; readonly polkaRound?: Round }
  | { readonly kind: 'precommit'; readonly block?: BlockHash }

export class Consensus {
  readonly #network: NetworkId
  readonly #height: Height
  readonly #validators: ValidatorSet
  readonly #proposerOf: ProposerOf
  readonly #log: MessageLog
  /** Undefined for who observes. */
  #self: Address | undefined

  #round = asRound(0)
  #step: Step = 'propose'
  #locked: Choice | undefined
  #valid: Choice | undefined
  #decided: Certificate | undefined

  #pending = false
  /** A block was asked for in this round. */
  #isAsked = false
  /** Own messages of the newest rounds. */
  #said: readonly UnsignedMessage[] = []
  readonly #accused = new Set<Address>()
  /** Timeouts of this round that were scheduled and have not run out. */
  readonly #scheduled = new Set<Step>()
  /** Timeouts of this or an earlier round may be under way. */
  #hasTimers = false
  readonly #effects: Effect[] = []

  constructor({ network, height, validators, self, restored }: ConsensusOptions) {
    this.#network = network
    this.#height = height
    this.#validators = validators
    this.#proposerOf = proposersOf(network, height, validators)
    this.#self = self !== undefined && validators.stakes.has(self) ? self : undefined
    this.#log = new MessageLog(validators, restored?.round ?? this.#round)
    if (restored !== undefined) this.#restore(restored)
    this.#effects.push({ kind: 'round', round: this.#round })
  }

  /**
   * Same inputs, same effects. The first step of a restored machine signs again what it had said, so that the
   * messages can be repeated, and count.
   */
  step(input: Input): readonly Effect[] {
    this.#take(input)
    while (this.#applyRule());
    this.#rest()
    return this.#effects.splice(0)
  }

  /** A peer whose messages are of an earlier round is behind, and helped by {@link recent}. */
  get round(): Round {
    return this.#round
  }

  /** There is something to agree on, so timeouts run, and what was said is worth repeating on a timer. */
  get active(): boolean {
    if (this.#decided !== undefined || this.#self === undefined) return false
    return this.#pending || this.#locked !== undefined || this.#valid !== undefined || !this.#here().isEmpty
  }

  /**
   * What to repeat on a timer while {@link active}, and to a peer whose messages show that it is behind: own
   * messages, this round's proposal and votes, the precommits that ended the round before, and the polka of the
   * valid value with its proposal. With these alone, whatever else got lost, a peer catches up.
   */
  recent(): readonly Verified<ConsensusMessage>[] {
    const before = this.#round === 0 ? [] : this.#log.round(asRound(this.#round - 1)).precommits.all()
    const all = [
      ...this.#own(),
      ...this.#here().all(),
      ...before,
      ...this.#polkaProposals(),
      ...this.#polka(),
    ]
    return [...new Set(all)]
  }

  view(): ConsensusView {
    const { prevotes, precommits } = this.#here()
    return {
      height: this.#height,
      round: this.#round,
      step: this.#step,
      proposer: this.#proposerOf(this.#round),
      active: this.active,
      totalStake: amount(this.#validators.total),
      ...(this.#locked && { locked: this.#locked }),
      ...(this.#valid && { valid: this.#valid }),
      prevotes: viewVotes(prevotes, this.#validators),
      precommits: viewVotes(precommits, this.#validators),
      ...(this.#decided && { decided: this.#decided.block }),
    }
  }

  // What comes in.

  #take(input: Input): void {
    // Whoever contradicts itself is accused even when all is decided.
    if (input.kind === 'proposal') this.#hearProposal(input)
    else if (input.kind === 'vote') this.#hearVote(input.message)
    else if (this.#decided === undefined) this.#takeUndecided(input)
  }

  #takeUndecided(input: Exclude<Input, { kind: 'proposal' | 'vote' }>): void {
    switch (input.kind) {
      case 'pending':
        this.#pending = input.has
        if (!input.has) this.#isAsked = false
        break
      case 'value':
        this.#offer(input.round, input.block)
        break
      case 'timeout':
        this.#elapse(input.timeout)
        break
      case 'certificate':
        if (input.certificate.height === this.#height) this.#accept(input.certificate)
    }
  }

  /** Whoever is in it may have told this validator something else. */
  #accept(certificate: Verified<Certificate>): void {
    for (const precommit of precommitsOf(this.#network, certificate))
      if (precommit.validator !== this.#self) this.#accuse(this.#log.addVote(verified(precommit)))
    this.#decide(certificate)
  }

  #hearProposal(proposal: JudgedProposal): void {
    const { message } = proposal
    if (!this.#belongs(message) || message.validator !== this.#proposerOf(message.round)) return
    this.#checkOwn(message)
    this.#accuse(this.#log.addProposal({ message, valid: proposal.valid, timely: proposal.timely }))
  }

  #hearVote(message: Verified<Vote>): void {
    if (!this.#belongs(message)) return
    this.#checkOwn(message)
    this.#accuse(this.#log.addVote(message))
  }

  /** Is for this height, from one of its validators, and makes sense in itself. */
  #belongs(message: Verified<ConsensusMessage>): boolean {
    const { network, height, validator } = message
    if (network !== this.#network || height !== this.#height) return false
    return this.#validators.stakes.has(validator) && makesSense(message)
  }

  #checkOwn(message: Verified<ConsensusMessage>): void {
    if (message.validator !== this.#self || this.#isKnownOwn(message)) return
    this.#self = undefined
    this.#effects.push({ kind: 'foreign-signature', message })
  }

  #isKnownOwn(message: ConsensusMessage): boolean {
    const newest = this.#said.at(-1)?.round ?? 0
    if (message.round <= newest - ownRounds) return true // forgotten by now
    return this.#said.some((said) => isSamePlace(said, message) && saySame(said, message))
  }

  #accuse(conflict: Conflict | undefined): void {
    if (conflict === undefined || this.#accused.has(conflict[0].validator)) return
    this.#accused.add(conflict[0].validator)
    this.#effects.push({ kind: 'accuse', conflict })
  }

  // L18-19
  #offer(round: Round, block: BlockHash): void {
    if (round === this.#round && this.#isMyProposal()) this.#sign({ kind: 'proposal', block })
  }

  #elapse({ kind, height, round }: Timeout): void {
    if (height !== this.#height || round !== this.#round || !this.#scheduled.delete(kind)) return
    if (kind === 'propose' && this.#step === 'propose') this.#prevote({}) // L57-60
    if (kind === 'prevote' && this.#step === 'prevote') this.#precommit({}) // L61-64
    if (kind === 'precommit') this.#startRound(asRound(this.#round + 1)) // L65-67
  }

  // What follows from it.

  /** @returns whether one fired; then others may follow from it */
  #applyRule(): boolean {
    if (this.#decided !== undefined) return false
    if (this.#decideOnPrecommits() || this.#skipRounds()) return true
    if (this.#self !== undefined && this.#applyVoterRule()) return true
    return this.#learnPolka()
  }

  #applyVoterRule(): boolean {
    return (
      this.#propose() ||
      this.#prevoteFresh() ||
      this.#prevoteAgain() ||
      this.#lockOnPolka() ||
      this.#precommitNil() ||
      this.#awaitProposal() ||
      this.#awaitPrevotes() ||
      this.#awaitPrecommits()
    )
  }

  // L11-13
  #startRound(round: Round): void {
    this.#round = round
    this.#step = 'propose'
    this.#isAsked = false
    this.#scheduled.clear()
    this.#log.enter(round)
    this.#effects.push({ kind: 'round', round })
  }

  // L14-19
  #propose(): boolean {
    if (!this.#isMyProposal()) return false
    if (this.#valid !== undefined) {
      this.#sign({ kind: 'proposal', block: this.#valid.block, polkaRound: this.#valid.round }) // L16
      return true
    }
    if (!this.#pending || this.#isAsked) return false
    this.#isAsked = true
    this.#effects.push({ kind: 'propose', round: this.#round }) // L18
    return true
  }

  /** The others wait for a proposal of this validator. */
  #isMyProposal(): boolean {
    if (this.#step !== 'propose' || this.#self !== this.#proposerOf(this.#round)) return false
    return !this.#said.some((said) => said.kind === 'proposal' && said.round === this.#round)
  }

  // L22-27
  #prevoteFresh(): boolean {
    if (this.#step !== 'propose') return false
    const fresh = this.#here().proposals.find(({ message }) => message.polkaRound === undefined)
    if (fresh === undefined) return false
    const { block } = fresh.message
    const isFree = this.#locked === undefined || this.#locked.block === block
    if (fresh.valid && fresh.timely && isFree) this.#prevoteFor(block)
    else this.#prevote({})
    return true
  }

  // L28-33
  #prevoteAgain(): boolean {
    if (this.#step !== 'propose') return false
    for (const { message, valid } of this.#here().proposals) {
      const { block, polkaRound } = message
      if (polkaRound === undefined || !this.#log.round(polkaRound).prevotes.hasQuorumFor(block)) continue
      if (valid && this.#isFreeSince(polkaRound, block)) this.#prevoteFor(block, polkaRound)
      else this.#prevote({})
      return true
    }
    return false
  }

  // L36-43
  #lockOnPolka(): boolean {
    if (this.#step !== 'prevote') return false
    const block = this.#here().prevotes.quorumBlock()
    if (block === undefined || !this.#isValid(block)) return false
    this.#locked = { block, round: this.#round }
    this.#adopt(this.#locked)
    this.#precommit({ block })
    return true
  }

  // L42-43, also when the polka of an earlier round completes late
  #learnPolka(): boolean {
    for (const [round, { prevotes }] of this.#log.rounds()) {
      const isOver = round < this.#round || (round === this.#round && this.#step === 'precommit')
      if (!isOver || round <= (this.#valid?.round ?? -1)) continue
      const block = prevotes.quorumBlock()
      if (block === undefined || !this.#isValid(block)) continue
      this.#adopt({ block, round })
      return true
    }
    return false
  }

  // L44-46
  #precommitNil(): boolean {
    if (this.#step !== 'prevote' || !this.#here().prevotes.hasQuorumFor(undefined)) return false
    this.#precommit({})
    return true
  }

  // L49-51
  #decideOnPrecommits(): boolean {
    for (const [round, { precommits }] of this.#log.rounds()) {
      const block = precommits.quorumBlock()
      if (block === undefined) continue
      const signatures = precommits
        .votesFor(block)
        .map(({ validator, signature }) => ({ validator, signature }))
      this.#decide({ height: this.#height, round, block, precommits: signatures })
      return true
    }
    return false
  }

  // L55-56
  #skipRounds(): boolean {
    const ahead = this.#log.roundAhead()
    if (ahead === undefined) return false
    this.#startRound(ahead)
    return true
  }

  // L21
  #awaitProposal(): boolean {
    return this.#step === 'propose' && this.#schedule('propose')
  }

  // L34-35
  #awaitPrevotes(): boolean {
    return this.#step === 'prevote' && this.#here().prevotes.hasQuorum() && this.#schedule('prevote')
  }

  // L47-48
  #awaitPrecommits(): boolean {
    return this.#here().precommits.hasQuorum() && this.#schedule('precommit')
  }

  // What it says and does.

  /** @param proposed - round of the polka that the proposal cites */
  #prevoteFor(block: BlockHash, proposed?: Round): void {
    const locked = this.#locked?.block === block ? this.#locked.round : undefined
    const polkaRound = locked === undefined || (proposed ?? -1) > locked ? proposed : locked
    this.#prevote({ block, ...(polkaRound !== undefined && { polkaRound }) })
  }

  #prevote(vote: { block?: BlockHash; polkaRound?: Round }): void {
    this.#step = 'prevote'
    this.#sign({ kind: 'prevote', ...vote })
  }

  #precommit(vote: { block?: BlockHash }): void {
    this.#step = 'precommit'
    this.#sign({ kind: 'precommit', ...vote })
  }

  #sign(statement: Statement): void {
    assert(this.#self !== undefined, 'only validators sign')
    const place = { network: this.#network, height: this.#height, round: this.#round }
    const message: UnsignedMessage = { ...statement, ...place, validator: this.#self }
    assert(!this.#said.some((said) => isSamePlace(said, message)), `one ${message.kind} is signed in a round`)
    assert((this.#said.at(-1)?.round ?? 0) <= this.#round, 'nothing is signed for a round that was left')
    this.#said = [...this.#said.filter(({ round }) => round > this.#round - ownRounds), message]
    this.#effects.push({ kind: 'sign', message, state: this.#state() })
  }

  #decide(certificate: Certificate): void {
    this.#decided = certificate
    this.#effects.push({ kind: 'decide', certificate })
  }

  #adopt(valid: Choice): void {
    this.#valid = valid
    this.#log.cite(valid.round)
  }

  /** @returns whether it had to be: each timeout runs once in a round, and only while there is something to do */
  #schedule(kind: Step): boolean {
    if (this.#scheduled.has(kind) || !this.active) return false
    this.#scheduled.add(kind)
    this.#hasTimers = true
    const timeout = { kind, height: this.#height, round: this.#round }
    this.#effects.push({ kind: 'schedule', timeout, delayMs: timeoutMs(kind, this.#round) })
    return true
  }

  #rest(): void {
    if (!this.#hasTimers || this.active) return
    this.#hasTimers = false
    this.#scheduled.clear()
    this.#effects.push({ kind: 'cancel-timers' })
  }

  // What it knows.

  #here(): RoundLog {
    return this.#log.round(this.#round)
  }

  #isValid(block: BlockHash): boolean {
    if (block === this.#locked?.block || block === this.#valid?.block) return true
    return this.#log.hasValidProposalOf(block)
  }

  /** L29: the lock, if any, is on this block, or not newer than its polka. */
  #isFreeSince(polkaRound: Round, block: BlockHash): boolean {
    return this.#locked === undefined || this.#locked.round <= polkaRound || this.#locked.block === block
  }

  #own(): readonly Verified<ConsensusMessage>[] {
    const self = this.#self
    if (self === undefined) return []
    const rounds = new Set(this.#said.map(({ round }) => round))
    return [...rounds].flatMap((round) => this.#log.round(round).by(self))
  }

  #polka(): readonly Verified<Prevote>[] {
    if (this.#valid === undefined) return []
    return this.#log.round(this.#valid.round).prevotes.votesFor(this.#valid.block)
  }

  #polkaProposals(): readonly Verified<ConsensusMessage>[] {
    const { proposals } = this.#valid === undefined ? this.#here() : this.#log.round(this.#valid.round)
    return proposals.map(({ message }) => message)
  }

  #state(): SignState {
    return {
      network: this.#network,
      height: this.#height,
      round: this.#round,
      step: this.#step,
      ...(this.#locked && { locked: this.#locked }),
      ...(this.#valid && { valid: { ...this.#valid, polka: [...this.#polka()] } }),
      said: [...this.#said],
    }
  }

  #restore(state: SignState): void {
    assert(state.network === this.#network && state.height === this.#height, 'the record is of this height')
    assert(
      state.said.every(({ validator }) => validator === this.#self),
      'the record is of this validator',
    )
    this.#round = state.round
    this.#step = state.step
    this.#locked = state.locked
    this.#said = state.said
    if (state.valid !== undefined) {
      const { polka, ...valid } = state.valid
      this.#adopt(valid)
      for (const prevote of polka) this.#log.addVote(verified(prevote))
    }
    for (const message of state.said) this.#effects.push({ kind: 'sign', message, state })
  }
}

const isSamePlace = (left: UnsignedMessage, right: UnsignedMessage): boolean =>
  left.kind === right.kind && left.round === right.round
