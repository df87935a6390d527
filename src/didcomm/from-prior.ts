/**
 * `from_prior`: a JWT by which a DID names the one that takes its place, or none, which ends the relationship.
 *
 * @see https://identity.foundation/didcomm-messaging/spec/v2.1/ §DID Rotation, §Ending a Relationship
 */
import * as z from 'zod'
import { decodeJson } from './base64url.ts'
import { isDid, isSameDid } from './did.ts'
import type { DidDocument } from './did-document.ts'
import { type Identity, signingFragment } from './identity.ts'
import { isSignedBy, readCompact, signCompact } from './jws.ts'
import { maxFromPriorChars } from './limits.ts'
import { type Refused, refused } from './refusal.ts'

export interface FromPrior {
  readonly kind: 'from-prior'
  /** The DID that was. */
  readonly issuer: string
  /** The DID that takes its place; absent: none does. */
  readonly subject?: string
  /** Unix seconds of the rotation. */
  readonly issuedAt: number
}

const did = z.string().refine(isDid)
const payloadSchema = z.looseObject({ iss: did, sub: did.optional(), iat: z.number().int().min(0) })

/**
 * @param issuedAt - Unix seconds, later than in any earlier one of this connection: a peer refuses what isn't
 */
export const signFromPrior = (
  prior: Identity,
  { issuer, subject, issuedAt }: Omit<FromPrior, 'kind'>,
): string =>
  signCompact(
    { iss: issuer, sub: subject, iat: issuedAt },
    'JWT',
    `${issuer}${signingFragment}`,
    prior.signingKey,
  )

export interface PriorKnown {
  /** The DID that this peer is known by. */
  readonly peer: DidDocument
  /** `issuedAt` of its last rotation, when there was one. */
  readonly rotatedAt?: number | undefined
}

/** Every check but whether the subject is who sent it. */
export const verifyFromPrior = (text: string, { peer, rotatedAt }: PriorKnown): FromPrior | Refused => {
  const jwt = text.length <= maxFromPriorChars ? readCompact(text) : undefined
  const { data: payload } = payloadSchema.safeParse(jwt && decodeJson(jwt.payload))
  if (!jwt || !payload || (jwt.typ !== undefined && jwt.typ !== 'JWT'))
    return refused('malformed-from-prior', 'expected a JWT with iss, iat and perhaps sub, signed with EdDSA')
  if (!isSameDid(payload.iss, peer.did) || !isSameDid(jwt.signer.did, peer.did))
    return refused('foreign-from-prior', 'from_prior is not by the DID that this connection is with')
  if (rotatedAt !== undefined && payload.iat <= rotatedAt)
    return refused('stale-from-prior', 'from_prior is not newer than the last rotation of this peer')
  if (!isSignedBy(jwt, peer))
    return refused(
      'invalid-signature',
      'from_prior is not signed by an authentication key of the DID that it is from',
    )
  return {
    kind: 'from-prior',
    issuer: payload.iss,
    ...(payload.sub === undefined ? {} : { subject: payload.sub }),
    issuedAt: payload.iat,
  }
}
