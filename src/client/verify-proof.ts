/**
 * Checks a proof offline, with nothing but the network id.
 *
 * In: the exact text of an answer of `GET /v1/transactions/{id}?proof=true` or
 * `GET /v1/accounts/{address}?proof=true`. Out: a verdict in words. The whole text must be canonical JSON (one
 * newline at its end is let pass), every member of the answer must be what the proof proves, and every
 * signature in it is checked, so that no byte of an accepted text can be another. Never asks anybody, and never
 * believes a member because of where it came from.
 *
 * The way of a proof: the genesis hashes to the network id and names the first validators; each hop is a block
 * that they signed and after which others vote; the last set signed the header; the header commits to the
 * transaction or to the account. The hops are those strictly below the header: a header that itself changes the
 * set is not repeated among them.
 *
 * What a proof can't say: that there is nothing newer, and that validators of long ago have not forged a past
 * with old keys. Who needs the present follows the network (`light-client.ts`), and gives the header that it verified:
 * then the proof must be of that header, and what leads there from the genesis is passed over.
 *
 * @see ../objects/proof.ts for the form, RFC 6962 §2.1.1 for the path of a transaction
 */
import * as z from 'zod'
import { canonicalize, type Json, parseCanonical } from '../codec/json.ts'
import { merkleRootFromPath } from '../crypto/merkle.ts'
import { TautlineError } from '../errors.ts'
import { accountKey, emptyAccount, encodeAccount } from '../ledger/account.ts'
import { verifyStateProof } from '../ledger/state/proof.ts'
import { refuseFinality } from '../node/finality.ts'
import { type Header, hashHeader, leafHash } from '../objects/block.ts'
import {
  addressField,
  amountField,
  heightField,
  transactionIdField,
  unixMsField,
  wholeField,
} from '../objects/fields.ts'
import { networkIdOf } from '../objects/genesis.ts'
import { accountProofSchema, type Proof, transactionProofSchema } from '../objects/proof.ts'
import { decodeTransaction, signedTextOf, transactionSchema } from '../objects/transaction.ts'
import type { BlockHash, Hash, Height, NetworkId } from '../units.ts'
import { portableVerifier } from './portable-verifier.ts'

/** Longest text that is looked at, in UTF-16 code units: a thousand hops of 64 validators fit twice. */
export const maxProofLength = 64 * 1024 * 1024

export type Verdict =
  | {
      readonly ok: true
      readonly kind: Proof['kind']
      /** Height of the block that proves it; 0 is the genesis. */
      readonly height: Height
      /** What is proven, as a sentence. */
      readonly proves: string
    }
  | { readonly ok: false; readonly reason: string }

const transactionAnswerSchema = z.strictObject({
  id: transactionIdField,
  status: z.enum(['committed', 'failed']),
  height: heightField,
  index: wholeField,
  transaction: transactionSchema,
  proof: transactionProofSchema,
})
type TransactionAnswer = z.output<typeof transactionAnswerSchema>

const accountAnswerSchema = z.strictObject({
  address: addressField,
  balance: amountField,
  nonce: wholeField,
  stake: amountField,
  unbonding: z.array(z.strictObject({ amount: amountField, time: unixMsField })),
  expelled: z.literal(true).optional(),
  height: heightField,
  proof: accountProofSchema,
})
type AccountAnswer = z.output<typeof accountAnswerSchema>

/** Why something is not proven; undefined: nothing speaks against it. */
type Refusal = string | undefined

export interface ProofExpectation {
  readonly network: NetworkId
  /** Hash of a header that is known to be final: the proof is to be of it. Absent: the proof itself has to lead there. */
  readonly block?: BlockHash
}

/** @param text - exactly as the node answered; one newline at its end doesn't matter */
export const verifyProof = async (text: string, { network, block }: ProofExpectation): Promise<Verdict> => {
  const read = readAnswer(text)
  if (typeof read === 'string') return { ok: false, reason: read }
  const refuseEnd: RefuseEnd = (proof) =>
    block === undefined ? refuseFinality(portableVerifier, proof, network) : refuseOther(proof, block)
  const reason = await ('transaction' in read
    ? refuseTransaction(read, network, refuseEnd)
    : refuseAccount(read, refuseEnd))
  if (reason !== undefined) return { ok: false, reason }
  const { height, proof } = read
  return {
    ok: true,
    kind: proof.kind,
    height,
    proves: 'transaction' in read ? describeTransaction(read) : describeAccount(read),
  }
}

/** @returns the answer, or why the text is none */
const readAnswer = (text: string): TransactionAnswer | AccountAnswer | string => {
  if (text.length > maxProofLength) return `the text is longer than any proof, ${maxProofLength} characters`
  const value = readCanonical(text.endsWith('\n') ? text.slice(0, -1) : text)
  if (typeof value === 'string') return value
  const isTransaction = 'transaction' in value.json
  if ('reason' in value.json)
    return 'the member `reason` is not proven by anything: expected an answer that was asked for with ?proof=true'
  if (!('proof' in value.json)) return 'the member `proof` is missing: ask with ?proof=true'
  const parsed = (isTransaction ? transactionAnswerSchema : accountAnswerSchema).safeParse(value.json)
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  return `not the form of a proof: ${path.length === 0 ? '' : `${path.join('.')}: `}${message}`
}

const readCanonical = (text: string): { json: object } | string => {
  try {
    const json: Json = parseCanonical(text)
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return { json }
    return 'not the form of a proof: expected a JSON object'
  } catch (error) {
    if (error instanceof TautlineError)
      return `${error.message}; expected the exact text that the node answered`
    throw error
  }
}

/** Why the header, or the genesis where there is none, isn't one to believe. */
type RefuseEnd = (proof: Proof) => Promise<Refusal>

const refuseOther = async ({ genesis, header }: Proof, block: BlockHash): Promise<Refusal> => {
  const proven = header === undefined ? networkIdOf(genesis) : hashHeader(header)
  return proven === block ? undefined : `the proof is of block ${proven}, and block ${block} is verified`
}

const refuseTransaction = async (
  answer: TransactionAnswer,
  network: NetworkId,
  refuseEnd: RefuseEnd,
): Promise<Refusal> => {
  const { proof } = answer
  if (proof.header === undefined) return 'a transaction is proven by a block: the header is missing'
  return (
    refuseTransactionAnswer(answer, proof.header) ??
    (await refuseInclusion(answer, proof.header, network)) ??
    (await refuseEnd(proof))
  )
}

const refuseTransactionAnswer = (
  { status, height, index, transaction, proof }: TransactionAnswer,
  header: Header,
): Refusal => {
  if (status !== proof.status) return `status says ${status}, the proof is of ${proof.status}`
  if (index !== proof.index) return `index says ${index}, the proof is of ${proof.index}`
  if (height !== header.height) return `height says ${height}, the header is of ${header.height}`
  if (canonicalize(transaction) !== canonicalize(proof.transaction))
    return 'the transaction is not the one that the proof is of'
  return undefined
}

const refuseInclusion = async (
  { id, transaction, proof }: TransactionAnswer,
  header: Header,
  network: NetworkId,
): Promise<Refusal> => {
  const decoded = decodeOwn(transaction)
  if (typeof decoded === 'string') return decoded
  if (id !== decoded.id) return `id says ${id}, the transaction's is ${decoded.id}`
  if (transaction.network !== network)
    return `the transaction is of network ${transaction.network}, not of ${network}`
  const root = merkleRootFromPath(leafHash(decoded.hash, proof.status), proof.index, header.count, proof.path)
  if (root !== header.transactionsRoot)
    return 'the path does not lead from the transaction to the header: it is not in that block'
  const { key, signature } = transaction.signatures[0]!
  return (await portableVerifier.verify(key, signedTextOf(decoded), signature))
    ? undefined
    : "the transaction's signature is not its sender's"
}

const decodeOwn = (
  transaction: TransactionAnswer['transaction'],
): ReturnType<typeof decodeTransaction> | string => {
  try {
    return decodeTransaction(transaction)
  } catch (error) {
    if (error instanceof TautlineError) return error.message
    throw error
  }
}

const refuseAccount = async (answer: AccountAnswer, refuseEnd: RefuseEnd): Promise<Refusal> => {
  const { address, height, proof } = answer
  if (address !== proof.address) return `address says ${address}, the proof is of ${proof.address}`
  const proven = proof.header?.height ?? 0
  if (height !== proven) return `height says ${height}, the proof is of ${proven}`
  const root = proof.header?.stateRoot ?? proof.genesis.stateRoot
  return refuseState(answer, root) ?? (await refuseEnd(proof))
}

const refuseState = (
  { address, balance, nonce, stake, unbonding, expelled, proof }: AccountAnswer,
  root: Hash,
): Refusal => {
  const state = verifyStateProof(root, accountKey(address), proof.pages)
  if ('refusal' in state) return state.refusal
  const { history: _, ...proven } = accountIn(state.value)
  if (canonicalize(proven) === canonicalize({ balance, nonce, stake, unbonding, expelled })) return undefined
  return `the account is not as stated: the proof says ${canonicalize(proven)}`
}

/** Whatever a state may hold there: of what is no account, nothing agrees with what is stated. */
const accountIn = (value: Json = encodeAccount(emptyAccount)): { readonly [member: string]: Json } =>
  Object(value) as { readonly [member: string]: Json }

const describeTransaction = ({
  id,
  height,
  index,
  status,
  transaction,
  proof,
}: TransactionAnswer): string => {
  const place = `transaction ${id} of ${transaction.from} is number ${index} in block ${height} of network ${proof.genesis.name}`
  return status === 'committed'
    ? `${place}, committed`
    : `${place}, and failed: it paid its fee and did nothing else`
}

const describeAccount = ({
  address,
  balance,
  nonce,
  stake,
  unbonding,
  expelled,
  height,
  proof,
}: AccountAnswer): string => {
  const state = height === 0 ? 'at the genesis' : `after block ${height}`
  const leaving = unbonding.reduce((sum, { amount }) => sum + BigInt(amount), 0n)
  return `account ${address} had balance ${balance}, nonce ${nonce}, stake ${stake} and ${leaving} unbonding${expelled ? ', and was expelled' : ''}, ${state} of network ${proof.genesis.name}`
}
