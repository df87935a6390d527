/** A block: transactions in their order, and a header that commits to all they lead to. */
import * as z from 'zod'
import { canonicalize } from '../codec/json.ts'
import { hashCanonical, hashObject } from '../crypto/hash.ts'
import { merkleRoot } from '../crypto/merkle.ts'
import type { BlockHash, Hash } from '../units.ts'
import { type Evidence, evidenceSchema, maxEvidence } from './evidence.ts'
import {
  addressField,
  blockHashField,
  hashField,
  heightField,
  networkIdField,
  unixMsField,
  wholeField,
} from './fields.ts'
import { transactionSchema } from './transaction.ts'

export const headerSchema = z.strictObject({
  network: networkIdField,
  height: heightField.refine((value) => value >= 1, 'expected a height from 1'),
  /** Later than the parent's. */
  time: unixMsField,
  /** Hash of the block below; of block 1, the network id. */
  parent: blockHashField,
  proposer: addressField,
  /** Merkle root over the hash of each piece of evidence. */
  evidenceRoot: hashField,
  /** Merkle root over {@link leafHash} of each transaction. */
  transactionsRoot: hashField,
  /** Root of the state after this block. */
  stateRoot: hashField,
  /** Who votes on this block. */
  validatorsHash: hashField,
  /** Who votes on the next. */
  nextValidatorsHash: hashField,
  /** Number of transactions. */
  count: wholeField,
})
export type Header = z.output<typeof headerSchema>

export const blockSchema = z.strictObject({
  header: headerSchema,
  /** Sorted by canonical text, and at most one piece against a validator. Takes effect before the transactions. */
  evidence: z.array(evidenceSchema).max(maxEvidence),
  transactions: z.array(transactionSchema),
})
export type Block = z.output<typeof blockSchema>

export type TransactionStatus = 'committed' | 'failed'

export const hashHeader = (header: Header): BlockHash =>
  hashCanonical('block', canonicalize(header)) as BlockHash

/** What `transactionsRoot` commits to for each transaction: the whole signed transaction, and its outcome. */
export const leafHash = (transaction: Hash, status: TransactionStatus): Hash =>
  hashCanonical('leaf', `{"status":"${status}","transaction":"${transaction}"}`)

export const evidenceRoot = (evidence: readonly Evidence[]): Hash =>
  merkleRoot(evidence.map((item) => hashObject('evidence', item)))
