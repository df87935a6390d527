/**
 * Replay: blocks that somebody else hands over, checked and executed from the genesis on.
 *
 * Nothing is believed: form, canonical bytes, every signature, the certificate, and that executing the block
 * leads to exactly its header. So this verifies a ledger, restores a backup, and is what syncing rests on.
 */
import type { Json } from '../codec/json.ts'
import { TautlineError } from '../errors.ts'
import { type Block, blockSchema, hashHeader } from '../objects/block.ts'
import { type DecodedTransaction, decodeTransaction, signedTextOf } from '../objects/transaction.ts'
import { verified } from '../objects/verified.ts'
import { type Certificate, certificateSchema } from '../objects/vote.ts'
import type { Verifier } from '../ports/keys.ts'
import { nextHeight } from '../units.ts'
import { executeProven } from './block-sink.ts'
import type { Chain } from './chain.ts'
import { refuseCertificate } from './check-certificate.ts'
import { verifyEvidenceList } from './verify-evidence.ts'

/** A block as it was handed over: parsed JSON, nothing more. */
export interface UncheckedBlock {
  readonly block: Json
  readonly certificate: Json
}

/**
 * Checks the block that follows the chain's head, and commits it.
 *
 * @throws TautlineError `ledger-mismatch`, saying at which height what is wrong
 */
export const replayBlock = async (
  chain: Chain,
  verifier: Verifier,
  unchecked: UncheckedBlock,
): Promise<Block> => {
  const height = nextHeight(chain.head.height)
  const mismatch = (what: string): TautlineError =>
    new TautlineError('ledger-mismatch', `block ${height}: ${what}`, { height })
  const block = blockSchema.safeParse(unchecked.block)
  if (!block.success) throw mismatch(`it is not of the form of a block (${block.error.issues[0]!.message})`)
  const certificate = certificateSchema.safeParse(unchecked.certificate)
  if (!certificate.success)
    throw mismatch(`its certificate is not of the form of one (${certificate.error.issues[0]!.message})`)

  const { header } = block.data
  const hash = hashHeader(header)
  const transactions = decodeAll(block.data, mismatch)
  const forged = await findForged(verifier, transactions)
  if (forged) throw mismatch(`transaction ${forged.id} has no valid signature`)
  const refusal = await refuseCertificate(verifier, certificate.data, {
    network: chain.network,
    height,
    block: hash,
    validators: chain.head.validators,
  })
  if (refusal) throw mismatch(`its certificate does not prove it: ${refusal}`)

  const evidence = await verifyEvidenceList(verifier, block.data.evidence)
  if (typeof evidence === 'string') throw mismatch(evidence)
  const candidate = await executeProven(chain, verified({ header, hash, evidence, transactions }))
  await chain.commit(candidate, certificate.data as Certificate)
  return block.data
}

const decodeAll = (
  { transactions }: Block,
  mismatch: (what: string) => TautlineError,
): DecodedTransaction[] => {
  try {
    return transactions.map((transaction) => decodeTransaction(transaction as unknown as Json))
  } catch (error) {
    throw error instanceof TautlineError ? mismatch(error.message) : error
  }
}

const findForged = async (
  verifier: Verifier,
  transactions: readonly DecodedTransaction[],
): Promise<DecodedTransaction | undefined> => {
  const verdicts = await Promise.all(
    transactions.map((decoded) => {
      const { key, signature } = decoded.transaction.signatures[0]!
      return verifier.verify(key, signedTextOf(decoded), signature)
    }),
  )
  return transactions[verdicts.indexOf(false)]
}
