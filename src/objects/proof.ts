/**
 * Proofs: what one GET gives to somebody who trusts nothing but the network id.
 *
 * A proof leads from a transaction or account up to a header, from the header to a certificate, and from the
 * certificate's validators hop by hop back to the genesis. `client/verify-proof.ts` checks it.
 */
import * as z from 'zod'
import { type Header, headerSchema } from './block.ts'
import { addressField, hashField, wholeField } from './fields.ts'
import { genesisAnchorSchema } from './genesis.ts'
import { transactionSchema } from './transaction.ts'
import { validatorSchema } from './validators.ts'
import { type Certificate, certificateSchema } from './vote.ts'

/** Most hops of one proof: who is further away asks for a proof from a later anchor. */
export const maxHops = 1_000

/** A block after which another validator set votes, and that set. */
const hopSchema = z.strictObject({
  header: headerSchema,
  certificate: certificateSchema,
  validators: z.array(validatorSchema).min(1),
})
export type Hop = z.output<typeof hopSchema>

/** What leads from a network's id to a header that its validators have decided; without one, to the genesis. */
export const finalitySchema = z.strictObject({
  genesis: genesisAnchorSchema,
  /** Every change of the validator set between the genesis and the header, in order. */
  hops: z.array(hopSchema).max(maxHops),
  header: headerSchema.optional(),
  /** Absent, like the header, only for the state of the genesis. */
  certificate: certificateSchema.optional(),
})
export type Finality = z.output<typeof finalitySchema>
/** Of a header, and not of the genesis. */
export type CertifiedFinality = Finality & { readonly header: Header; readonly certificate: Certificate }

export const transactionProofSchema = z.strictObject({
  kind: z.literal('transaction'),
  ...finalitySchema.shape,
  transaction: transactionSchema,
  status: z.enum(['committed', 'failed']),
  /** Place within the block, from 0. */
  index: wholeField,
  /** Sibling hashes from the leaf up to `transactionsRoot`. */
  path: z.array(hashField),
})
export type TransactionProof = z.output<typeof transactionProofSchema>

export const accountProofSchema = z.strictObject({
  kind: z.literal('account'),
  ...finalitySchema.shape,
  address: addressField,
  /** Canonical texts of the state's pages from the root to where the account is, or would be. */
  pages: z.array(z.string()).min(1),
})
export type AccountProof = z.output<typeof accountProofSchema>

export const proofSchema = z.discriminatedUnion('kind', [transactionProofSchema, accountProofSchema])
export type Proof = z.output<typeof proofSchema>
