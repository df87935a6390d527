/**
 * What a liar can do without ever contradicting itself: it keeps votes back, and as a proposer claims polkas.
 *
 * In: what is said in a height. Out: what to propose again in place of an own proposal, and the prevotes that go
 * with it. Its own prevotes of earlier rounds, which it has kept back, it gives to whatever they complete: so a
 * polka appears that nobody has known of. A validator whose lock doesn't hold against that forks the ledger.
 */
import type { ProposalMessage, VoteMessage } from '../../src/messages/peer-message.ts'
import { hashHeader } from '../../src/objects/block.ts'
import { messageSigningText, type Prevote } from '../../src/objects/vote.ts'
import { type Address, round as asRound, type BlockHash, type Round, type UnixMs } from '../../src/units.ts'
import type { Chance } from './chance.ts'
import type { InstantSigner } from './keys.ts'

/** One and the same to all, so that it is no evidence. */
export interface Scheme {
  readonly proposal: ProposalMessage
  /** The polka that it claims, as far as there is one. */
  readonly prevotes: readonly VoteMessage[]
}

export interface SchemerParts {
  readonly signer: InstantSigner
  readonly chance: Chance
  readonly isQuorum: (height: number, voters: ReadonlySet<Address>) => boolean
}

export class Schemer {
  readonly #parts: SchemerParts
  #height = 0
  readonly #proposals = new Map<BlockHash, ProposalMessage>()
  readonly #prevotes = new Map<Round, Map<Address, Prevote>>()
  /** Rounds in which it keeps its prevote back. */
  readonly #kept = new Map<Round, boolean>()
  readonly #schemes = new Map<Round, Scheme | undefined>()

  constructor(parts: SchemerParts) {
    this.#parts = parts
  }

  hear(message: ProposalMessage | VoteMessage): void {
    if (message.kind === 'proposal') {
      const { height, block } = message.proposal
      if (this.#isHere(height) && !this.#proposals.has(block)) this.#proposals.set(block, message)
    } else if (message.vote.kind === 'prevote') {
      const { height, round, validator } = message.vote
      if (this.#isHere(height)) this.#prevotesOf(round).set(validator, message.vote)
    }
  }

  /** @returns what it says in place of an own message, to everybody */
  speak(message: ProposalMessage | VoteMessage): readonly (ProposalMessage | VoteMessage)[] {
    const { height, round } = message.kind === 'proposal' ? message.proposal : message.vote
    if (!this.#isHere(height)) return [message]
    if (message.kind === 'proposal') return this.#propose(message)
    const scheme = this.#schemes.get(round)
    if (scheme) return [this.#agree(message, scheme)]
    if (message.vote.kind === 'precommit') return [message]
    if (this.#isKept(round)) return []
    this.hear(message)
    return [message]
  }

  #isHere(height: number): boolean {
    if (height > this.#height) {
      this.#height = height
      for (const known of [this.#proposals, this.#prevotes, this.#kept, this.#schemes]) known.clear()
    }
    return height === this.#height
  }

  #isKept(round: Round): boolean {
    const isKept = this.#kept.get(round) ?? this.#parts.chance.percent(60)
    this.#kept.set(round, isKept)
    return isKept
  }

  #prevotesOf(round: Round): Map<Address, Prevote> {
    const prevotes = this.#prevotes.get(round) ?? new Map<Address, Prevote>()
    this.#prevotes.set(round, prevotes)
    return prevotes
  }

  #propose(message: ProposalMessage): readonly (ProposalMessage | VoteMessage)[] {
    const { round } = message.proposal
    if (!this.#schemes.has(round)) this.#schemes.set(round, this.#plot(message))
    const scheme = this.#schemes.get(round)
    return scheme ? [...scheme.prevotes, scheme.proposal] : [message]
  }

  #plot(message: ProposalMessage): Scheme | undefined {
    const { chance } = this.#parts
    if (message.proposal.round === 0 || chance.percent(15)) return undefined
    const real = this.#realPolkas(message)
    const isReal = real.length > 0 && chance.percent(80)
    return isReal ? this.#citing(message, ...chance.pick(real)) : this.#claiming(message)
  }

  /** Of other blocks than the one that its node proposes, and not before the present round. */
  #realPolkas({ proposal }: ProposalMessage): readonly (readonly [ProposalMessage, Round])[] {
    return [...this.#prevotes.keys()]
      .filter((round) => round < proposal.round)
      .flatMap((round) =>
        [...this.#proposals.values()]
          .filter(({ proposal: { block } }) => block !== proposal.block)
          .filter(({ proposal: { block } }) => this.#hasPolka(round, block))
          .map((message) => [message, round] as const),
      )
  }

  #hasPolka(round: Round, block: BlockHash): boolean {
    const voters = this.#votersFor(round, block).map(({ validator }) => validator)
    const isFree = this.#kept.get(round) && !this.#prevotesOf(round).has(this.#parts.signer.address)
    const own = isFree ? [this.#parts.signer.address] : []
    return this.#parts.isQuorum(this.#height, new Set([...voters, ...own]))
  }

  #votersFor(round: Round, block: BlockHash): readonly Prevote[] {
    return [...this.#prevotesOf(round).values()].filter((prevote) => prevote.block === block)
  }

  #citing(
    message: ProposalMessage,
    { proposal: { block }, block: whole }: ProposalMessage,
    round: Round,
  ): Scheme {
    const { signer } = this.#parts
    const { network, height } = message.proposal
    if (!this.#prevotesOf(round).has(signer.address)) {
      const own = { kind: 'prevote', network, height, round, validator: signer.address, block } as const
      this.#prevotesOf(round).set(signer.address, { ...own, signature: signer.sign(messageSigningText(own)) })
    }
    return {
      proposal: this.#again(message, block, whole, round),
      prevotes: this.#votersFor(round, block).map((vote) => ({ kind: 'vote', vote })),
    }
  }

  /** A polka that isn't there: of a block that somebody has proposed, or that nobody has seen. */
  #claiming(message: ProposalMessage): Scheme {
    const { chance } = this.#parts
    const { proposal } = message
    const others = [...this.#proposals.values()].filter(({ proposal: { block } }) => block !== proposal.block)
    const header = { ...message.block.header, time: (message.block.header.time + 1) as UnixMs }
    const unseen = { block: hashHeader(header), whole: { ...message.block, header } }
    const { block, whole } = chance.pick([
      unseen,
      ...others.map((other) => ({ block: other.proposal.block, whole: other.block })),
    ])
    const round = chance.percent(70) ? proposal.round - 1 : chance.below(proposal.round)
    return { proposal: this.#again(message, block, whole, asRound(round)), prevotes: [] }
  }

  #again(
    { proposal }: ProposalMessage,
    block: BlockHash,
    whole: ProposalMessage['block'],
    polkaRound: Round,
  ): ProposalMessage {
    const changed = { ...proposal, block, polkaRound }
    const signature = this.#parts.signer.sign(messageSigningText(changed))
    return { kind: 'proposal', proposal: { ...changed, signature }, block: whole }
  }

  #agree({ vote }: VoteMessage, { proposal: { proposal } }: Scheme): VoteMessage {
    const { network, height, round, validator } = vote
    const { block, polkaRound } = proposal
    const place = { network, height, round, validator, block }
    const agreed =
      vote.kind === 'prevote'
        ? { kind: 'prevote' as const, ...place, ...(polkaRound !== undefined && { polkaRound }) }
        : { kind: 'precommit' as const, ...place }
    return {
      kind: 'vote',
      vote: { ...agreed, signature: this.#parts.signer.sign(messageSigningText(agreed)) },
    }
  }
}
