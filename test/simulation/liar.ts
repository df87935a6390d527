/**
 * Liars: whole nodes whose machine lies for them.
 *
 * In: what a node says to a peer, or answers it. Out: what its machine makes of it. Whatever a liar makes up it
 * signs with its own key, so nothing here is refused for its form alone.
 */
import { canonicalize, type Json } from '../../src/codec/json.ts'
import type { PeerMessage, ProposalMessage, VoteMessage } from '../../src/messages/peer-message.ts'
import { hashHeader } from '../../src/objects/block.ts'
import { signingText, type Transaction } from '../../src/objects/transaction.ts'
import { type ConsensusMessage, messageSigningText, type Vote } from '../../src/objects/vote.ts'
import type { PlainAnswer, PlainRequest } from '../../src/ports/transport.ts'
import type { Address, BlockHash, Hash, NetworkId, UnixMs } from '../../src/units.ts'
import type { Chance } from './chance.ts'
import { isConsensus, said } from './interference.ts'
import { Schemer, type SchemerParts } from './schemes.ts'

/**
 * - `equivocator`: says one thing to some and another to others, votes and blocks.
 * - `reproposer`: keeps prevotes back, and proposes again whatever polkas they make, or any that it makes up.
 * - `yes-sayer`: besides its node's votes, votes for every block that it knows, to whoever likes that.
 * - `withholder`: keeps its proposals and votes from some, or from all.
 * - `forger`: proposes invalid blocks, and answers those who sync with forgeries.
 * - `impostor`: votes, proposes and pays in the names of others, with signatures that do not hold.
 * - `replayer`: repeats what it has heard long ago, and what its key says in another network.
 */
export const lies = [
  'equivocator',
  'reproposer',
  'yes-sayer',
  'withholder',
  'forger',
  'impostor',
  'replayer',
] as const
export type Lie = (typeof lies)[number]

/** How far from the truth a forger's times are. */
export const forgeryMs = 7_200_000
/** Messages that a replayer has room for. */
const maxHeard = 200

export interface LiarParts extends SchemerParts {
  readonly lie: Lie
  /** Told which blocks no honest validator may vote for. */
  readonly onInvalid: (block: BlockHash) => void
}

export class Liar {
  readonly #parts: LiarParts
  readonly #schemer: Schemer
  /** Peers that are told the other story, by height, round and kind. */
  readonly #audiences = new Map<string, boolean>()
  readonly #heard: PeerMessage[] = []
  readonly #voters = new Set<Address>()
  /** The last that it has seen. */
  #payment: Transaction | undefined
  /** Blocks proposed in this height, in the order in which they became known. */
  #known: { readonly height: number; readonly blocks: Set<BlockHash> } = { height: 0, blocks: new Set() }
  /** Times of all blocks that it has seen. */
  readonly #times = new Map<BlockHash, UnixMs>()

  constructor(parts: LiarParts) {
    this.#parts = parts
    this.#schemer = new Schemer(parts)
  }

  /** Something that its node was told. */
  hear(message: PeerMessage): void {
    if (isConsensus(message)) this.#voters.add(said(message).validator)
    if (message.kind === 'transactions') this.#payment = message.transactions.at(-1) as Transaction
    if (message.kind === 'proposal') this.#learn(message)
    if (this.#parts.lie === 'reproposer' && isConsensus(message)) this.#schemer.hear(message)
    if (this.#parts.lie === 'replayer' && isConsensus(message) && this.#heard.length < maxHeard)
      this.#heard.push(message)
  }

  /** What it says to a peer in place of what its node would. */
  speak(peer: string, messages: readonly PeerMessage[]): readonly PeerMessage[] {
    return messages.flatMap((message) => this.#utter(peer, message))
  }

  /** What it answers, to those who ask for blocks above all. */
  retell({ path }: PlainRequest, answer: PlainAnswer): PlainAnswer {
    const isSegment = path.startsWith('/v1/blocks?') && answer.text.startsWith('{"blocks":[{')
    if (this.#parts.lie === 'withholder' && this.#parts.chance.percent(30)) return { status: 503, text: '' }
    if (this.#parts.lie !== 'forger' || !isSegment || this.#parts.chance.percent(30)) return answer
    return { ...answer, text: forgeSegment(answer.text, this.#parts.chance) }
  }

  #utter(peer: string, message: PeerMessage): readonly PeerMessage[] {
    if (message.kind === 'proposal') this.#learn(message)
    if (!isConsensus(message) || !this.#isOwn(message)) return [message]
    switch (this.#parts.lie) {
      case 'equivocator':
        return [this.#isTold(peer, message) ? this.#otherStory(message) : message]
      case 'reproposer':
        return this.#schemer.speak(message)
      case 'yes-sayer':
        return [message, ...this.#agreeing(peer, message)]
      case 'withholder':
        return this.#isTold(peer, message) ? [] : [message]
      case 'forger':
        return [message.kind === 'proposal' ? this.#invalid(message) : message]
      case 'impostor':
        return [message, ...this.#pretended(message)]
      case 'replayer':
        return [message, ...this.#replayed(message)]
    }
  }

  #isOwn(message: ProposalMessage | VoteMessage): boolean {
    return said(message).validator === this.#parts.signer.address
  }

  #isTold(peer: string, message: ProposalMessage | VoteMessage): boolean {
    const { kind, height, round } = said(message)
    const audience = `${kind} ${height} ${round} ${peer}`
    const isTold = this.#audiences.get(audience) ?? this.#parts.chance.percent(50)
    this.#audiences.set(audience, isTold)
    return isTold
  }

  #learn({ proposal, block }: ProposalMessage): void {
    this.#know(proposal)
    this.#times.set(proposal.block, block.header.time)
  }

  #know({ height, block }: ConsensusMessage): void {
    if (height > this.#known.height) {
      this.#known = { height, blocks: new Set() }
    }
    if (block && height === this.#known.height) this.#known.blocks.add(block)
  }

  #otherStory(message: ProposalMessage | VoteMessage): PeerMessage {
    if (message.kind === 'proposal') {
      if (message.proposal.polkaRound !== undefined) return message
      const { header } = message.block
      return this.#propose(message, { ...header, time: (header.time + 1) as UnixMs })
    }
    const { block, polkaRound: _, ...vote } = message.vote as Vote & { polkaRound?: number }
    const other = [...this.#known.blocks].find((known) => known !== block)
    return this.#vote({
      ...vote,
      ...(other && this.#known.height === vote.height && { block: other }),
    } as Vote)
  }

  #agreeing(peer: string, message: ProposalMessage | VoteMessage): readonly PeerMessage[] {
    const { kind, ...place } = said(message)
    if (kind === 'proposal' || place.height !== this.#known.height) return []
    const { network, height, round, validator } = place
    return [...this.#known.blocks]
      .filter((block) => block !== place.block && this.#isTold(`${peer} ${block}`, message))
      .flatMap((block) =>
        (['prevote', 'precommit'] as const).map((vote) =>
          this.#vote({ kind: vote, network, height, round, validator, block } as Vote),
        ),
      )
  }

  #invalid(message: ProposalMessage): PeerMessage {
    const { header } = message.block
    const wrong = 'ab'.repeat(32) as Hash
    const parentTime = this.#times.get(header.parent)
    const proposed = this.#propose(
      message,
      this.#parts.chance.pick([
        { ...header, stateRoot: wrong },
        { ...header, time: (header.time + forgeryMs) as UnixMs },
        { ...header, time: (header.time - forgeryMs) as UnixMs },
        { ...header, nextValidatorsHash: wrong },
        { ...header, validatorsHash: wrong },
        { ...header, transactionsRoot: wrong },
        { ...header, parent: wrong as BlockHash },
        { ...header, count: header.count + 1 },
        ...(parentTime === undefined ? [] : [{ ...header, time: parentTime }]),
      ]),
    )
    if (proposed.proposal.polkaRound === undefined) this.#parts.onInvalid(proposed.proposal.block)
    return proposed
  }

  #propose(
    { proposal, block }: ProposalMessage,
    header: ProposalMessage['block']['header'],
  ): ProposalMessage {
    const changed = { ...proposal, block: hashHeader(header) }
    this.#know(changed)
    return {
      kind: 'proposal',
      proposal: { ...changed, signature: this.#parts.signer.sign(messageSigningText(changed)) },
      block: { ...block, header },
    }
  }

  #vote(vote: Vote): VoteMessage {
    return { kind: 'vote', vote: { ...vote, signature: this.#parts.signer.sign(messageSigningText(vote)) } }
  }

  /** What it says itself, as if others said it; and somebody's last payment, once more. */
  #pretended(message: ProposalMessage | VoteMessage): readonly PeerMessage[] {
    if (message.kind !== 'vote') return []
    const others = [...this.#voters].filter((voter) => voter !== this.#parts.signer.address)
    const votes = others.flatMap((validator) =>
      (['prevote', 'precommit'] as const).map((kind): VoteMessage => {
        const { network, height, round, block } = message.vote
        const vote = { kind, network, height, round, validator, ...(block && { block }) }
        return {
          kind: 'vote',
          vote: { ...vote, signature: this.#parts.signer.sign(messageSigningText(vote)) },
        }
      }),
    )
    return [...votes, ...this.#theft()]
  }

  #theft(): readonly PeerMessage[] {
    const seen = this.#payment
    if (!seen) return []
    const { signatures: _, ...paid } = seen
    const unsigned = { ...paid, nonce: paid.nonce + 1 }
    const signature = this.#parts.signer.sign(signingText(unsigned))
    const stolen = { ...unsigned, signatures: [{ key: paid.from, signature }] }
    return [{ kind: 'transactions', transactions: [stolen] }]
  }

  #replayed(message: ProposalMessage | VoteMessage): readonly PeerMessage[] {
    const old = [...this.#parts.chance.draw(2, this.#heard)]
    if (message.kind !== 'vote') return old
    const elsewhere = { ...message.vote, network: 'cd'.repeat(32) as NetworkId }
    return [...old, this.#vote(elsewhere)]
  }
}

type Loose = { blocks: Record<string, Json>[]; [certificates: string]: Json }

const forgeSegment = (text: string, chance: Chance): string => {
  const segment = JSON.parse(text) as Loose
  const block = chance.pick(segment.blocks) as unknown as {
    header: Record<string, Json>
    transactions: Json[]
  }
  const certificates = [segment.certificate, ...((segment.certificates as Json[] | undefined) ?? [])].filter(
    (certificate) => certificate !== undefined,
  ) as unknown as { precommits: { signature: string }[]; block: string }[]
  chance.pick([
    () => {
      block.header.stateRoot = 'ab'.repeat(32)
    },
    () => {
      block.header.time = (block.header.time as number) + 1
    },
    () => {
      block.transactions.pop()
    },
    () => {
      segment.blocks.reverse()
    },
    () => {
      for (const { precommits } of certificates) precommits.splice(1)
    },
    () => {
      for (const { precommits } of certificates) for (const one of precommits) one.signature = '1'.repeat(128)
    },
    () => {
      for (const { precommits } of certificates) while (precommits.length < 7) precommits.push(precommits[0]!)
    },
    () => {
      for (const certificate of certificates) certificate.block = 'cd'.repeat(32)
    },
  ])()
  return canonicalize(segment as unknown as Json)
}
