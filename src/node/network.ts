/**
 * The node among its peers: what they say is checked here and handed on, and what this node says goes to them.
 *
 * In: messages from links, or by POST. Each is read, looked up (what is known costs no signature) and verified,
 * and only then shown to gossip, the mempool's door or the decider. A false one is held against the peer that
 * brought it; one that merely comes too late or too early is not. Out: what gossip wants sent.
 */

import { LRUCache } from 'lru-cache'
import type { Json } from '../codec/json.ts'
import { TautlineError } from '../errors.ts'
import { Gossip } from '../gossip/gossip.ts'
import type { GossipInput, Standing } from '../gossip/input.ts'
import { toPeerMessage } from '../gossip/repeater.ts'
import type { Mempool } from '../mempool/mempool.ts'
import { type EncodedMessage, encodeMessage, encodeTransactions } from '../messages/frame.ts'
import type {
  CompactBlock,
  PeerMessage,
  ProposalMessage,
  SelfProvingMessage,
  TransactionsMessage,
  VoteMessage,
} from '../messages/peer-message.ts'
import { hashHeader } from '../objects/block.ts'
import type { Card } from '../objects/card.ts'
import { type DecodedTransaction, decodeTransaction, signedTextOf } from '../objects/transaction.ts'
import { type Verified, verified } from '../objects/verified.ts'
import { type ConsensusMessage, messageSigningText, type Proposal, type Vote } from '../objects/vote.ts'
import type { Clock } from '../ports/clock.ts'
import type { Verifier } from '../ports/keys.ts'
import type { Log } from '../ports/log.ts'
import { type Address, type BlockHash, type Hash, nextHeight, type UnixMs } from '../units.ts'
import type { Chain } from './chain.ts'
import type { Decider } from './decider.ts'
import type { Door } from './door.ts'
import { type CheckedBlock, Proposals } from './proposals.ts'
import { verifyEvidenceList } from './verify-evidence.ts'

/** Consensus messages whose signatures were found to hold: the same one comes from many peers. */
export const maxKnownSignatures = 8_192
/** Messages that one peer has under verification at a time; beyond that it is told nothing, and they are dropped. */
export const maxUnderVerification = 1_024

/** How often what a peer may lack is sent to it again, while there is anything. */
export const repeatMs = 500

/** What this room needs of the links. */
export interface PeerLinks {
  send(peer: Address, message: EncodedMessage): void
  /** The peer sent what no honest one sends. */
  reject(peer: Address, reason: string): void
  /** Dials those that sleep. */
  rouseSleepers(): void
  /** Dials those that sleep, and tells them, too. */
  tellSleepers(messages: () => readonly EncodedMessage[]): void
}

export interface NetworkParts {
  readonly chain: Chain
  readonly mempool: Mempool
  readonly door: Door
  readonly decider: Decider
  readonly links: PeerLinks
  readonly verifier: Verifier
  readonly clock: Clock
  readonly log: Log
  readonly onCards: (peer: Address, cards: readonly Card[]) => void
  /** A peer's head is at this height. */
  readonly onStanding: (peer: Address, standing: Pick<Standing, 'height' | 'oldest'>) => void
}

export class Network {
  readonly #parts: NetworkParts
  readonly #gossip: Gossip
  readonly #proposals: Proposals
  /** Signatures of messages that hold. Counted by size: with `max` all of its room would be taken at once. */
  readonly #known = new LRUCache<string, true>({ maxSize: maxKnownSignatures, sizeCalculation: () => 1 })
  readonly #underVerification = new Map<Address, number>()
  /** Blocks of proposals of the present height, with or without all their transactions. */
  readonly #compact = new Map<BlockHash, CompactBlock>()

  #repeat: (() => void) | undefined
  #isClosed = false

  constructor(parts: NetworkParts) {
    this.#parts = parts
    this.#gossip = new Gossip(this.#standing)
    this.#proposals = new Proposals(parts.mempool, (proposal) => parts.decider.hearProposal(proposal))
  }

  // Of links.

  opened(peer: Address): void {
    this.#step({ kind: 'link-opened', peer })
  }

  closed(peer: Address): void {
    this.#step({ kind: 'link-closed', peer })
  }

  /** Takes in what a peer says; what comes of it comes later. */
  heard(peer: Address, message: PeerMessage): void {
    switch (message.kind) {
      case 'status':
        this.#step({ kind: 'status-heard', peer, status: message, current: this.#current })
        this.#parts.onStanding(peer, message)
        break
      case 'cards':
        this.#parts.onCards(peer, message.cards)
        break
      case 'announce':
        this.#step({ kind: 'announced', peer, hashes: message.hashes })
        break
      case 'want':
        this.#step({ kind: 'wanted', peer, hashes: message.hashes })
        break
      default:
        void this.#takeWithin(peer, message)
    }
  }

  /**
   * Takes in what came by POST, from nobody in particular.
   *
   * @returns hashes of transactions that are lacking now, to be sent too
   * @throws TautlineError with what is false
   */
  async heardByPost(messages: readonly SelfProvingMessage[]): Promise<readonly Hash[]> {
    const lacking: Hash[] = []
    for (const message of messages) {
      const { flaw, missing = [] } = await this.#takeProving(undefined, message)
      if (flaw) throw new TautlineError('malformed-request', flaw)
      lacking.push(...missing)
    }
    return lacking
  }

  // Of this node.

  said(message: Verified<ConsensusMessage>): void {
    this.#known.set(claimOf(message), true)
    const block = message.kind === 'proposal' ? this.#blockOf(message.block) : undefined
    this.#step({ kind: 'said', message, ...(block && { block }) })
    this.#parts.links.tellSleepers(() => {
      const told = toPeerMessage(message, block)
      return told ? [encodeMessage(told)] : []
    })
  }

  /** Where a transaction enters the network, those that sleep hear of it, too. */
  admitted({ hash, text }: DecodedTransaction, from: Address | undefined): void {
    this.#step({ kind: 'admitted', hashes: [hash], ...(from && { from }) })
    if (from === undefined) this.#parts.links.tellSleepers(() => encodeTransactions([text]))
  }

  departed(transactions: readonly DecodedTransaction[]): void {
    if (transactions.length > 0)
      this.#step({ kind: 'departed', hashes: transactions.map(({ hash }) => hash) })
  }

  /** The head or the round has changed. */
  moved(): void {
    const { height } = this.#parts.chain.head
    for (const [known, { header }] of this.#compact) if (header.height <= height) this.#compact.delete(known)
    this.#proposals.moveTo(nextHeight(height))
    this.#step({ kind: 'moved', standing: this.#standing })
  }

  /** Says nothing any more. */
  close(): void {
    this.#isClosed = true
    this.#repeat?.()
  }

  get #standing(): Standing {
    const { chain, decider } = this.#parts
    const { height, hash } = chain.head
    return { height, hash, round: decider.round, oldest: chain.kept.oldest }
  }

  readonly #current = {
    recent: () => this.#parts.decider.recent(),
    blockOf: (hash: BlockHash) => this.#blockOf(hash),
  }

  #blockOf(hash: BlockHash): CompactBlock | undefined {
    return this.#parts.decider.blockOf(hash) ?? this.#compact.get(hash)
  }

  #step(input: GossipInput): void {
    const { links } = this.#parts
    for (const effect of this.#gossip.step(input)) {
      const messages =
        effect.kind === 'send' ? [encodeMessage(effect.message)] : this.transactionsOf(effect.hashes)
      for (const peer of effect.peers) for (const message of messages) links.send(peer, message)
    }
    this.#armRepeat()
  }

  #armRepeat(): void {
    const { clock, decider } = this.#parts
    if (this.#repeat || this.#isClosed || !(this.#gossip.needsTicks || decider.isTalking)) return
    this.#repeat = clock.schedule(repeatMs, () => {
      this.#repeat = undefined
      if (decider.isTalking) this.#parts.links.rouseSleepers()
      this.#step({ kind: 'tick', current: this.#current })
    })
  }

  /** Those of these transactions that are here, in as many messages as it takes. */
  transactionsOf(hashes: readonly Hash[]): readonly EncodedMessage[] {
    const { mempool, decider } = this.#parts
    const texts = hashes.flatMap(
      (hash) => (mempool.getByHash(hash) ?? decider.transactionOf(hash))?.text ?? [],
    )
    return encodeTransactions(texts)
  }

  /** A peer that sends faster than it can be verified loses what is too much, and hears nothing of it. */
  async #takeWithin(peer: Address, message: SelfProvingMessage): Promise<void> {
    const count = this.#underVerification.get(peer) ?? 0
    if (count >= maxUnderVerification) return
    this.#underVerification.set(peer, count + 1)
    try {
      const { flaw } = await this.#takeProving(peer, message)
      if (flaw) this.#parts.links.reject(peer, flaw)
    } catch (error) {
      this.#parts.log.error(`a message of a peer could not be handled: ${String(error)}`, {
        peer,
        kind: message.kind,
      })
    } finally {
      const left = this.#underVerification.get(peer)! - 1
      if (left > 0) this.#underVerification.set(peer, left)
      else this.#underVerification.delete(peer)
    }
  }

  #takeProving(peer: Address | undefined, message: SelfProvingMessage): Promise<Taken> {
    if (message.kind === 'vote') return this.#takeVote(peer, message)
    if (message.kind === 'proposal') return this.#takeProposal(peer, message)
    return this.#takeTransactions(peer, message)
  }

  async #takeVote(from: Address | undefined, { vote }: VoteMessage): Promise<Taken> {
    if (!this.#concerns(vote)) return {}
    if (!(await this.#holds(vote))) return { flaw: `a ${vote.kind} whose signature does not hold` }
    const message = verified(vote) as Verified<Vote>
    if (message.height === this.#parts.decider.height)
      this.#step({ kind: 'said', message, ...(from && { from }) })
    this.#parts.decider.hear(message)
    return {}
  }

  async #takeProposal(from: Address | undefined, { proposal, block }: ProposalMessage): Promise<Taken> {
    if (!this.#concerns(proposal)) return {}
    const flaw = this.#flawOf(proposal, block)
    if (flaw) return { flaw }
    const heardAt = this.#parts.clock.now()
    if (!(await this.#holds(proposal))) return { flaw: 'a proposal whose signature does not hold' }
    const message = verified(proposal) as Verified<Proposal>
    if (message.height < this.#parts.decider.height) {
      this.#parts.decider.hearLateProposal(message)
      return {}
    }
    const evidence = await verifyEvidenceList(this.#parts.verifier, block.evidence)
    if (typeof evidence === 'string') return { flaw: `a proposal of a false block: ${evidence}` }
    if (message.height === this.#parts.decider.height) {
      this.#compact.set(proposal.block, block)
      this.#step({ kind: 'said', message, block, ...(from && { from }) })
    }
    return this.#gather(from, message, { ...block, evidence }, heardAt)
  }

  #gather(
    from: Address | undefined,
    message: Verified<Proposal>,
    block: CheckedBlock,
    heardAt: UnixMs,
  ): Taken {
    const missing = this.#proposals.add(message, block, heardAt)
    if (missing.length > 0) this.#step({ kind: 'lacking', hashes: missing, ...(from && { from }) })
    return { missing }
  }

  /** What no honest proposer sends, as far as it shows without executing anything. */
  #flawOf(proposal: Proposal, { header, transactions }: CompactBlock): string | undefined {
    const { chain } = this.#parts
    if (hashHeader(header) !== proposal.block) return 'a proposal with the header of another block'
    if (header.network !== proposal.network || header.height !== proposal.height)
      return 'a proposal whose header is of another network or height'
    if (header.count !== transactions.length)
      return 'a proposal that names other transactions than its header counts'
    if (transactions.length > chain.genesis.parameters.maxBlockTransactions)
      return 'a proposal with more transactions than a block may have'
    return undefined
  }

  /** Is about this height, or the one before or after it, by one of its validators. */
  #concerns({ network, height, validator }: ConsensusMessage): boolean {
    const { chain, decider } = this.#parts
    if (network !== chain.network || !chain.head.validators.stakes.has(validator)) return false
    return Math.abs(height - decider.height) <= 1
  }

  async #holds(message: ConsensusMessage): Promise<boolean> {
    const { validator, signature } = message
    const claim = claimOf(message)
    if (this.#known.has(claim)) return true
    if (!(await this.#parts.verifier.verify(validator, messageSigningText(message), signature))) return false
    this.#known.set(claim, true)
    return true
  }

  async #takeTransactions(from: Address | undefined, { transactions }: TransactionsMessage): Promise<Taken> {
    const decoded = decodeAll(transactions as readonly Json[])
    if (typeof decoded === 'string') return { flaw: decoded }
    if (from) this.#step({ kind: 'received', peer: from, hashes: decoded.map(({ hash }) => hash) })
    const results = await this.#parts.door.takeFrom(from, decoded).catch(() => []) // too many are there
    const missing = decoded.filter(({ hash }) => this.#proposals.isMissing(hash))
    await Promise.all(missing.map((transaction) => this.#offer(transaction)))
    const forged = results.findIndex(({ error }) => codeOf(error) === 'invalid-signature')
    return forged < 0 ? {} : { flaw: `a transaction whose signature does not hold (${decoded[forged]!.id})` }
  }

  /** A block may hold what the mempool has refused: it is full, say, or the sender's account has moved on. */
  async #offer(transaction: DecodedTransaction): Promise<void> {
    const { mempool, verifier } = this.#parts
    const { key, signature } = transaction.transaction.signatures[0]!
    // Not by its id: of one transaction there may be several signatures, and only this one is in the block.
    const isVerified = mempool.getByHash(transaction.hash) !== undefined
    if (isVerified || (await verifier.verify(key, signedTextOf(transaction), signature)))
      this.#proposals.offer(transaction)
  }
}

/** What is known to hold when the signature does. */
const claimOf = (message: ConsensusMessage): string =>
  `${message.signature} ${message.validator} ${messageSigningText(message)}`

interface Taken {
  /** What no honest peer sends. */
  readonly flaw?: string
  /** Transactions that a proposal names and this node lacks. */
  readonly missing?: readonly Hash[]
}

const codeOf = (error: unknown): string | undefined =>
  error instanceof TautlineError ? error.code : undefined

const decodeAll = (transactions: readonly Json[]): readonly DecodedTransaction[] | string => {
  try {
    return transactions.map(decodeTransaction)
  } catch (error) {
    if (error instanceof TautlineError) return error.message
    throw error
  }
}
