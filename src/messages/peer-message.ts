/**
 * What peers say to each other, over a link or by POST.
 *
 * Proposals, votes and transactions prove themselves, and are good whoever brings them. The others speak of
 * the two ends of one link, and mean nothing without it.
 */
import * as z from 'zod'
import { headerSchema } from '../objects/block.ts'
import { cardSchema } from '../objects/card.ts'
import { evidenceSchema, maxEvidence } from '../objects/evidence.ts'
import { addressField, blockHashField, hashField, heightField, roundField } from '../objects/fields.ts'
import { precommitSchema, prevoteSchema, proposalSchema } from '../objects/vote.ts'
import { maxCardsOfMessage, maxFrameMessages, maxHashes, maxNamedLinks } from './limits.ts'

/** A block whose transactions are named by the hash of the whole signed transaction, in their order. */
export const compactBlockSchema = z.strictObject({
  header: headerSchema,
  evidence: z.array(evidenceSchema).max(maxEvidence),
  transactions: z.array(hashField),
})
export type CompactBlock = z.output<typeof compactBlockSchema>

/** Where a node stands; said when a link opens and whenever it changes. */
export const statusMessageSchema = z.strictObject({
  kind: z.literal('status'),
  /** Of the head. */
  height: heightField,
  hash: blockHashField,
  /** Of the height after the head. */
  round: roundField,
  /** Height of the first block that it can be asked for. */
  oldest: heightField,
  /** Node keys at the other ends of its links, so that nobody passes on to a peer what it hears itself. */
  links: z.array(addressField).max(maxNamedLinks),
})
export type StatusMessage = z.output<typeof statusMessageSchema>

export const proposalMessageSchema = z.strictObject({
  kind: z.literal('proposal'),
  proposal: proposalSchema,
  block: compactBlockSchema,
})
export type ProposalMessage = z.output<typeof proposalMessageSchema>

export const voteMessageSchema = z.strictObject({
  kind: z.literal('vote'),
  vote: z.discriminatedUnion('kind', [prevoteSchema, precommitSchema]),
})
export type VoteMessage = z.output<typeof voteMessageSchema>

const hashes = z.array(hashField).min(1).max(maxHashes)

/** Transactions that wait here, by the hash of the whole signed transaction. */
export const announceMessageSchema = z.strictObject({ kind: z.literal('announce'), hashes })
export type AnnounceMessage = z.output<typeof announceMessageSchema>

/** Asks for transactions; what the other end doesn't have, it leaves out. */
export const wantMessageSchema = z.strictObject({ kind: z.literal('want'), hashes })
export type WantMessage = z.output<typeof wantMessageSchema>

export const transactionsMessageSchema = z.strictObject({
  kind: z.literal('transactions'),
  /** Signed ones, not looked at yet: `decodeTransaction` reads each, once. */
  transactions: z.array(z.unknown()).min(1).max(maxHashes),
})
export type TransactionsMessage = z.output<typeof transactionsMessageSchema>

/** Under which URLs node keys are reached. */
export const cardsMessageSchema = z.strictObject({
  kind: z.literal('cards'),
  cards: z.array(cardSchema).min(1).max(maxCardsOfMessage),
})
export type CardsMessage = z.output<typeof cardsMessageSchema>

export const peerMessageSchema = z.discriminatedUnion('kind', [
  statusMessageSchema,
  cardsMessageSchema,
  proposalMessageSchema,
  voteMessageSchema,
  announceMessageSchema,
  wantMessageSchema,
  transactionsMessageSchema,
])
export type PeerMessage = z.output<typeof peerMessageSchema>

/** What proves itself, and so may come by POST. */
export const selfProvingMessageSchema = z.discriminatedUnion('kind', [
  proposalMessageSchema,
  voteMessageSchema,
  transactionsMessageSchema,
])
export type SelfProvingMessage = z.output<typeof selfProvingMessageSchema>

/** One frame of a link, as canonical JSON. */
export const frameSchema = z.array(peerMessageSchema).min(1).max(maxFrameMessages)
export type Frame = z.output<typeof frameSchema>
