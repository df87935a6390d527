/**
 * The end of a relationship: a message that only says that a DID has come to nothing.
 *
 * It is sealed anonymously and has no `from`; what proves it is the JWT inside. Sealed once, it can be sent
 * again and again when the keys that made it are long erased.
 */
import { signFromPrior } from './from-prior.ts'
import type { Identity } from './identity.ts'
import type { Message } from './message.ts'
import { type Seal, sealAnonymously } from './seal.ts'

export const emptyType = 'https://didcomm.org/empty/1.0/empty'

export interface Ending {
  readonly id: string
  /** The DID that the peer is known to hold, which is the one before a rotation that it hasn't answered. */
  readonly issuer: string
  /** Unix seconds, later than in any `from_prior` before. */
  readonly issuedAt: number
}

/** @param identity - whose DID is `issuer` */
export const sealEnd = (identity: Identity, { id, issuer, issuedAt }: Ending, seal: Seal): string => {
  const message: Message = {
    type: emptyType,
    id,
    to: [seal.recipient.did],
    body: {},
    from_prior: signFromPrior(identity, { issuer, issuedAt }),
  }
  return sealAnonymously(message, seal)
}
