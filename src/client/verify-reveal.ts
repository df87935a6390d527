/**
 * Checks a private payload that somebody reveals, offline, with nothing but the network id: that the ledger holds the
 * commitment to it, and in which block.
 *
 * In: the text that `POST /v1/commitments/{id}/reveal` answers. It says nothing about who has sent the payload to whom.
 */
import { base64 } from '@scure/base'
import * as z from 'zod'
import { decodeHex } from '../codec/bytes.ts'
import { commitmentOf } from '../didcomm/commitment.ts'
import { carriesCommitment } from '../node/connections/payloads.ts'
import { hashField, transactionIdField } from '../objects/fields.ts'
import { transactionSchema } from '../objects/transaction.ts'
import type { Height, NetworkId } from '../units.ts'
import { maxProofLength, verifyProof } from './verify-proof.ts'

export type RevealVerdict =
  | {
      readonly ok: true
      readonly kind: 'reveal'
      /** Of the block that holds the commitment. */
      readonly height: Height
      /** What is proven, as a sentence. */
      readonly proves: string
      readonly payload: Uint8Array
    }
  | { readonly ok: false; readonly reason: string }

const revealSchema = z.strictObject({
  kind: z.literal('reveal'),
  c: hashField,
  transaction: transactionIdField,
  salt: hashField,
  mediaType: z.string(),
  base64: z.base64(),
  /** The other end's, for whoever knows its DID: not looked at here. */
  receipt: z.unknown().optional(),
  /** As `GET /v1/transactions/{id}?proof=true` answers. */
  proof: z.string(),
})

export const verifyReveal = async (
  text: string,
  { network }: { readonly network: NetworkId },
): Promise<RevealVerdict> => {
  const read = readReveal(text)
  if (typeof read === 'string') return { ok: false, reason: read }
  const payload = base64.decode(read.base64)
  if (commitmentOf(decodeHex(read.salt), payload) !== read.c)
    return { ok: false, reason: `payload and salt don't give the commitment ${read.c}` }
  const verdict = await verifyProof(read.proof, { network })
  if (!verdict.ok) return verdict
  const { data } = answerSchema.safeParse(JSON.parse(read.proof))
  if (data?.status !== 'committed' || data.id !== read.transaction)
    return { ok: false, reason: `the proof is not of transaction ${read.transaction}, committed` }
  if (!carriesCommitment(data.transaction, read.c))
    return { ok: false, reason: `transaction ${data.id} doesn't carry the commitment ${read.c}` }
  return {
    ok: true,
    kind: 'reveal',
    height: verdict.height,
    proves: `the payload of ${payload.length} bytes was committed to: ${verdict.proves}`,
    payload,
  }
}

const answerSchema = z.looseObject({
  id: transactionIdField,
  status: z.string(),
  transaction: transactionSchema,
})

const readReveal = (text: string): z.output<typeof revealSchema> | string => {
  if (text.length > maxProofLength) return `the text is longer than any reveal, ${maxProofLength} characters`
  try {
    const parsed = revealSchema.safeParse(JSON.parse(text))
    if (parsed.success) return parsed.data
    const { path, message } = parsed.error.issues[0]!
    return `not the form of a reveal: ${path.length === 0 ? '' : `${path.join('.')}: `}${message}`
  } catch {
    return 'not the form of a reveal: expected JSON'
  }
}
