/**
 * What validators say: proposals, prevotes and precommits, and the certificate that precommits make.
 *
 * A signature covers the network, the height, the round and the kind, so it means nothing anywhere else.
 * A vote without a `block` is a vote for nil.
 */
import * as z from 'zod'
import { canonicalize } from '../codec/json.ts'
import { preimage } from '../crypto/hash.ts'
import type { BlockHash, NetworkId } from '../units.ts'
import {
  addressField,
  blockHashField,
  heightField,
  networkIdField,
  roundField,
  signatureField,
} from './fields.ts'

const place = { network: networkIdField, height: heightField, round: roundField }
const signed = { validator: addressField, signature: signatureField }

export const proposalSchema = z.strictObject({
  kind: z.literal('proposal'),
  ...place,
  block: blockHashField,
  /** Round of the polka that a re-proposal rests on (`validRound` of the paper); absent on a fresh block. */
  polkaRound: roundField.optional(),
  ...signed,
})
export type Proposal = z.output<typeof proposalSchema>

export const prevoteSchema = z.strictObject({
  kind: z.literal('prevote'),
  ...place,
  block: blockHashField.optional(),
  /** Round of the polka that this prevote relies on, so that a disagreement names who caused it. */
  polkaRound: roundField.optional(),
  ...signed,
})
export type Prevote = z.output<typeof prevoteSchema>

export const precommitSchema = z.strictObject({
  kind: z.literal('precommit'),
  ...place,
  block: blockHashField.optional(),
  ...signed,
})
export type Precommit = z.output<typeof precommitSchema>

export type Vote = Prevote | Precommit
export type ConsensusMessage = Proposal | Vote

type Unsigned<Message> = Message extends ConsensusMessage ? Omit<Message, 'signature'> : never
export type UnsignedMessage = Unsigned<ConsensusMessage>

/** The text whose UTF-8 bytes a validator signs. The kind is in the domain tag; the key names the validator. */
export const messageSigningText = (message: UnsignedMessage): string => {
  const { kind, validator: _, ...content } = message
  return preimage(kind, canonicalize(withoutSignature(content)))
}

const withoutSignature = <Content extends object>(content: Content): Omit<Content, 'signature'> => {
  const { signature: _, ...rest } = content as Content & { signature?: unknown }
  return rest
}

export const certificateSchema = z.strictObject({
  height: heightField,
  round: roundField,
  block: blockHashField,
  /** Sorted by validator, each once; together more than two thirds of the stake. */
  precommits: z.array(z.strictObject(signed)).min(1),
})
/** Proof that a block is final. Certificates of one block may differ between nodes; the block's hash doesn't. */
export type Certificate = z.output<typeof certificateSchema>

/** The votes that a certificate is made of. */
export const precommitsOf = (
  network: NetworkId,
  { height, round, block, precommits }: Certificate,
): readonly Precommit[] =>
  precommits.map((signed) => ({ kind: 'precommit', network, height, round, block, ...signed }))

/** What a certificate's validators signed. */
export const certificateSigningText = (network: NetworkId, { height, round, block }: Certificate): string =>
  preimage('precommit', canonicalize({ network, height, round, block: block as BlockHash }))
