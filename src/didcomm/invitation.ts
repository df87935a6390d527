/**
 * Out-of-band 2.0 invitations, in the URL that one person hands another.
 *
 * @see https://identity.foundation/didcomm-messaging/spec/v2.1/ §Out Of Band Messages
 */
import { assert } from '../errors.ts'
import { decodeBase64UrlJson, encodeBase64UrlJson } from './base64url.ts'
import type { DidDocument } from './did-document.ts'
import { maxInvitationChars } from './limits.ts'
import { type Message, readMessage } from './message.ts'
import { type Refused, refused } from './refusal.ts'
import { resolveDid } from './resolve-did.ts'

export const invitationType = 'https://didcomm.org/out-of-band/2.0/invitation'
const parameter = '_oob'

export interface InvitationTerms {
  readonly id: string
  /** Long form, of a fresh identity. */
  readonly from: string
  /** What it is for, for the one who is invited. */
  readonly goal?: string
  /** Unix seconds. */
  readonly createdTime?: number
  readonly expiresTime?: number
}

export const makeInvitation = ({ id, from, goal, createdTime, expiresTime }: InvitationTerms): Message => ({
  type: invitationType,
  id,
  from,
  created_time: createdTime,
  expires_time: expiresTime,
  body: { goal_code: 'connect', goal, accept: ['didcomm/v2'] },
})

/** @param at - an http or https URL of the inviter, to which the invitation is appended */
export const invitationUrl = (at: string, invitation: Message): string => {
  const url = new URL(at)
  url.searchParams.set(parameter, encodeBase64UrlJson(invitation))
  assert(url.href.length <= maxInvitationChars, `an invitation has at most ${maxInvitationChars} characters`)
  return url.href
}

export interface Invitation {
  readonly kind: 'invitation'
  readonly message: Message
  /** The inviter's. Its endpoint was chosen by whoever wrote the invitation. */
  readonly inviter: DidDocument
}

/** @param now - Unix seconds */
export const readInvitation = (text: string, now: number): Invitation | Refused => {
  const url = text.length <= maxInvitationChars && URL.canParse(text) ? new URL(text) : undefined
  const encoded = url?.searchParams.get(parameter)
  if (!encoded)
    return refused('malformed-invitation', `expected a URL with an invitation in its ${parameter} parameter`)
  const value = decodeBase64UrlJson(encoded.replace(/=+$/, ''))
  const message = value === undefined ? undefined : readMessage(value)
  if (message?.type !== invitationType || message.from === undefined)
    return refused('malformed-invitation', `expected base64url of a message ${invitationType} with its from`)
  if (message.expires_time !== undefined && message.expires_time <= now)
    return refused('expired', 'the invitation has expired: ask for a new one')
  const inviter = resolveDid(message.from)
  if (!inviter || inviter.keyAgreement.length === 0 || inviter.authentication.length === 0)
    return refused(
      'unresolvable-did',
      "the inviter's DID can't be resolved: expected did:peer:4 in its long form, or did:peer:2, with X25519 and Ed25519 keys",
    )
  return { kind: 'invitation', message, inviter }
}
