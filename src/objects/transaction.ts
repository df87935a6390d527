/**
 * A transaction: operations of one account, signed by its key.
 *
 * The id is the hash of the transaction without its signatures, and those same preimage bytes are what is
 * signed; so an id can't be changed by whoever passes the transaction on.
 */
import * as z from 'zod'
import { encodeUtf8, utf8Bytes } from '../codec/bytes.ts'
import { canonicalize, type Json } from '../codec/json.ts'
import { hashCanonical, preimage } from '../crypto/hash.ts'
import { TautlineError } from '../errors.ts'
import type { Hash, TransactionId } from '../units.ts'
import { addressField, amountField, networkIdField, signatureField, textField, wholeField } from './fields.ts'
import { maxOperations, operationSchema } from './operation.ts'

/** Most UTF-8 bytes of a memo. */
export const maxMemoBytes = 256
/** No `validUntil` is further ahead of a block than this. */
export const maxValidityMs = 24 * 60 * 60 * 1_000

// In the order of their canonical text, which is the fastest to write.
const membersBeforeSignatures = {
  fee: amountField,
  from: addressField,
  memo: textField(maxMemoBytes).optional(),
  network: networkIdField,
  /** The account's next sequence number. */
  nonce: wholeField,
  operations: z.array(operationSchema).min(1, 'expected at least one operation').max(maxOperations),
}
const membersAfterSignatures = {
  /** Unix seconds. What no block has included by then, none will. */
  validUntil: wholeField,
}

export const unsignedTransactionSchema = z.strictObject({
  ...membersBeforeSignatures,
  ...membersAfterSignatures,
})
export type UnsignedTransaction = z.output<typeof unsignedTransactionSchema>

export const transactionSchema = z.strictObject({
  ...membersBeforeSignatures,
  signatures: z
    .array(z.strictObject({ key: addressField, signature: signatureField }))
    .length(1, 'expected one signature, of the sender'),
  ...membersAfterSignatures,
})
export type Transaction = z.output<typeof transactionSchema>

/** A transaction of the right form, with all that is derived from its bytes; its signature is not checked yet. */
export interface DecodedTransaction {
  readonly id: TransactionId
  /** Hash of the whole signed transaction. */
  readonly hash: Hash
  readonly transaction: Transaction
  /** Canonical text of the whole signed transaction. */
  readonly text: string
  /** UTF-8 bytes of that text: what fees and limits count. */
  readonly sizeBytes: number
}

/**
 * Reads a parsed transaction, in whatever spelling it came.
 *
 * @throws TautlineError `malformed-transaction`, naming the member that is wrong
 */
export const decodeTransaction = (value: Json): DecodedTransaction => {
  const parsed = transactionSchema.safeParse(value)
  if (!parsed.success) throw refusal(parsed.error.issues[0]!)
  const transaction = parsed.data
  if (transaction.signatures[0]!.key !== transaction.from)
    throw malformed('signatures.0.key', 'expected the key of `from`')
  const text = canonicalize(transaction)
  return {
    id: hashCanonical('transaction', unsignedTextOf(text)) as TransactionId,
    hash: hashCanonical('signed-transaction', text),
    transaction,
    text,
    sizeBytes: utf8Bytes(text),
  }
}

/** Of all members only `validUntil` comes after `signatures`, and no text within either holds a quote. */
const unsignedTextOf = (text: string): string =>
  text.slice(0, text.lastIndexOf('"signatures":')) + text.slice(text.lastIndexOf('"validUntil":'))

const refusal = (issue: z.core.$ZodIssue): TautlineError => {
  if (issue.code !== 'unrecognized_keys')
    return malformed(issue.path.join('.') || 'the transaction', issue.message)
  return malformed([...issue.path, shorten(issue.keys[0]!)].join('.'), 'no such member: leave it out')
}

const malformed = (member: string, expectation: string): TautlineError =>
  new TautlineError('malformed-transaction', `${member}: ${expectation}`, { member })

/** A stranger's name for a member, fit for a message. */
const shorten = (name: string): string => name.slice(0, 64).toWellFormed()

/** What the signature of a transaction is over; made anew, since thousands of them wait in memory. */
export const signedTextOf = ({ text }: DecodedTransaction): string =>
  preimage('transaction', unsignedTextOf(text))

/** The text whose UTF-8 bytes are signed, and whose SHA-256 is the transaction's id. */
export const signingText = (unsigned: UnsignedTransaction): string =>
  preimage('transaction', canonicalize(unsigned))

export const signingBytes = (unsigned: UnsignedTransaction): Uint8Array<ArrayBuffer> =>
  encodeUtf8(signingText(unsigned))
