/**
 * Opening: every check on what came in that needs no more than our own keys and what is known of the peer.
 *
 * In this order: our key among the recipients; the sender's key resolved; the key agreement; the content's
 * shape; who it is from (by authcrypt or by a signature: `from` inside a merely anonymous envelope is never
 * believed); our DID in `to`; not expired; and whether the sender is the peer of this connection, or takes its
 * place by a `from_prior` of that peer. What comes out is a verdict; nothing that a peer sends throws.
 *
 * Nested encryption (anoncrypt around authcrypt) isn't opened: it hides the sender from a mediator, and there
 * is none.
 */
import { aeskw } from '@noble/ciphers/aes.js'
import type { Json } from '../codec/json.ts'
import { decodeJson } from './base64url.ts'
import { decryptContent } from './content-encryption.ts'
import { type DidUrl, isSameDid } from './did.ts'
import type { DidDocument, DocumentKey } from './did-document.ts'
import type { Envelope } from './envelope.ts'
import { type PriorKnown, verifyFromPrior } from './from-prior.ts'
import { agreementKeyId, type Identity } from './identity.ts'
import { isSignedBy, type Jws, readJws } from './jws.ts'
import { deriveWrappingKey } from './key-agreement.ts'
import { maxMessageBytes } from './limits.ts'
import { type Message, readMessage } from './message.ts'
import { isRefused, type Refused, refused } from './refusal.ts'
import { resolveDid } from './resolve-did.ts'

/** Who may write to this key: the one who accepts an invitation, whoever that is, or one peer. */
export type Correspondent =
  | { readonly kind: 'invited'; readonly invitationId: string }
  | ({ readonly kind: 'peer' } & PriorKnown)

export interface Opening {
  /** Ours, that the envelope is for. */
  readonly identity: Identity
  /** Unix seconds. */
  readonly now: number
  readonly from: Correspondent
}

export interface Opened {
  readonly kind: 'message'
  readonly message: Message
  /** The peer from now on: another than before when there is a rotation. Its endpoint was chosen by it. */
  readonly sender: DidDocument
  /** Present when the sender takes the place of the DID that the peer was known by. */
  readonly rotation?: { readonly from: string; readonly issuedAt: number }
  /** Present when the message was signed too: it can be shown to others. */
  readonly signed?: Jws
}

/** The peer ends the relationship. */
export interface End {
  readonly kind: 'end'
  readonly message: Message
  readonly issuedAt: number
}

export type Verdict = Opened | End | Refused

export const openEnvelope = (envelope: Envelope, opening: Opening): Verdict => {
  const at = envelope.recipients.indexOf(agreementKeyId(opening.identity))
  if (at === -1) return refused('unknown-key', 'the envelope is not for this key')
  const sender = envelope.sender && findSenderKey(envelope.sender, opening.from)
  if (envelope.sender && !sender)
    return refused(
      'unknown-sender',
      "the sender's DID can't be resolved to such a key: send the long form first",
    )
  const content = decryptEnvelope(envelope, at, opening.identity.agreementKey, sender?.key.publicKey)
  if (!content)
    return refused(
      'undecryptable',
      'the envelope is not sealed for this key by the sender that it names, or was changed',
    )
  return judgeContent(content, envelope, sender?.document, opening)
}

interface SenderKey {
  readonly document: DidDocument
  readonly key: DocumentKey
}

const findSenderKey = ({ did, fragment }: DidUrl, from: Correspondent): SenderKey | undefined => {
  const document = documentOf(did, from)
  const key = document?.keyAgreement.find((candidate) => candidate.fragment === fragment)
  return document && key && { document, key }
}

/** The one of the peer that is known already, whichever form it uses; else the one that the DID holds itself. */
const documentOf = (did: string, from: Correspondent): DidDocument | undefined =>
  from.kind === 'peer' && isSameDid(did, from.peer.did) ? from.peer : resolveDid(did)

/**
 * @param at - which of the recipients we are
 * @param senderKey - absent for an anonymous envelope
 * @returns undefined when it isn't sealed for this key, by that one, or was changed
 */
export const decryptEnvelope = (
  { parts }: Envelope,
  at: number,
  secretKey: Uint8Array,
  senderKey: Uint8Array | undefined,
): Uint8Array | undefined => {
  try {
    const wrappingKey = deriveWrappingKey(
      parts.info,
      { secretKey, publicKey: parts.ephemeralKey },
      senderKey && { secretKey, publicKey: senderKey },
    )
    const contentKey = aeskw(wrappingKey).decrypt(parts.wrappedKeys[at]!)
    return decryptContent(parts.encryption, contentKey, parts.content, parts.associated)
  } catch {
    return undefined // a key of small order, or a content key that another key wrapped
  }
}

const judgeContent = (
  content: Uint8Array,
  envelope: Envelope,
  sealer: DidDocument | undefined,
  opening: Opening,
): Verdict => {
  if (content.length > maxMessageBytes)
    return refused('too-large', `what an envelope holds has at most ${maxMessageBytes} bytes`)
  const value = decodeJson(content)
  if (value === null || typeof value !== 'object')
    return refused('malformed-message', 'expected a message or a signed message in JSON')
  if ('ciphertext' in value)
    return refused(
      'nested-encryption',
      'an envelope in an envelope: seal the message once, for its recipient',
    )
  const signed = 'payload' in value ? openSigned(value, opening.from) : undefined
  if (signed && isRefused(signed)) return signed
  const message = readMessage(signed ? signed.payload : value)
  if (!message)
    return refused(
      'malformed-message',
      'expected id, type and body, and headers as the specification has them',
    )
  return judgeMessage(message, { envelope, sealer, signer: signed?.signer, jws: signed?.jws }, opening)
}

interface Signed {
  readonly kind: 'signed'
  readonly payload: Json
  readonly signer: DidDocument
  readonly jws: Jws
}

const openSigned = (value: Json, from: Correspondent): Signed | Refused => {
  const jws = readJws(value)
  const payload = jws && decodeJson(jws.payload)
  if (!jws || payload === undefined)
    return refused('malformed-message', 'expected a JWS of a message, with one EdDSA signature and its kid')
  const signer = documentOf(jws.signer.did, from)
  if (!signer || !isSignedBy(jws, signer))
    return refused(
      'invalid-signature',
      'the message is not signed by an authentication key of the DID that it names',
    )
  return { kind: 'signed', payload, signer, jws: value as unknown as Jws }
}

/** Who has vouched for a message, and how. */
interface Provenance {
  readonly envelope: Envelope
  readonly sealer: DidDocument | undefined
  readonly signer: DidDocument | undefined
  readonly jws: Jws | undefined
}

const judgeMessage = (message: Message, provenance: Provenance, opening: Opening): Verdict => {
  const { identity, now } = opening
  const { sealer, signer, jws } = provenance
  for (const document of [sealer, signer]) {
    if (document && !(message.from && isSameDid(message.from, document.did)))
      return refused('spoofed-from', 'from is not the DID whose key sealed or signed the message')
  }
  if (!message.to?.some((did) => isSameDid(did, identity.did)))
    return refused('wrong-to', 'the message is not addressed to the DID whose key it is sealed for')
  if (message.expires_time !== undefined && message.expires_time <= now)
    return refused('expired', 'the message has expired')
  const sender = sealer ?? signer
  if (!sender) return judgeAnonymous(message, opening.from)
  return judgeSender(message, sender, opening.from, jws)
}

/** The only thing that an anonymous message can say is the end, because the JWT in it is signed. */
const judgeAnonymous = (message: Message, from: Correspondent): End | Refused => {
  if (from.kind === 'invited' || message.from !== undefined || message.from_prior === undefined)
    return refused('anonymous', 'nothing shows whom the message is from: seal it with the key of the sender')
  const prior = verifyFromPrior(message.from_prior, from)
  if (isRefused(prior)) return prior
  if (prior.subject !== undefined)
    return refused(
      'foreign-from-prior',
      'a rotation is said by the new DID, in an envelope sealed with its key',
    )
  return { kind: 'end', message, issuedAt: prior.issuedAt }
}

const judgeSender = (
  message: Message,
  sender: DidDocument,
  from: Correspondent,
  jws: Jws | undefined,
): Opened | Refused => {
  if (sender.keyAgreement.length === 0)
    return refused('unknown-sender', 'the sender has no X25519 key that an answer could be sealed for')
  const opened: Opened = { kind: 'message', message, sender, ...(jws ? { signed: jws } : {}) }
  if (from.kind === 'invited') {
    if (message.from_prior !== undefined)
      return refused('foreign-from-prior', 'who accepts an invitation was not known by any DID before')
    return message.pthid === from.invitationId
      ? opened
      : refused('wrong-invitation', 'pthid is not the id of the invitation that this key belongs to')
  }
  // Once a rotation is known its from_prior may come again, and says nothing new.
  if (isSameDid(sender.did, from.peer.did)) return opened
  if (message.from_prior === undefined)
    return refused(
      'stranger',
      'the sender is not the peer of this connection, and no from_prior of it says so',
    )
  const prior = verifyFromPrior(message.from_prior, from)
  if (isRefused(prior)) return prior
  if (prior.subject === undefined || !isSameDid(prior.subject, sender.did))
    return refused('foreign-from-prior', 'from_prior names another DID than the sender as the new one')
  return { ...opened, rotation: { from: from.peer.did, issuedAt: prior.issuedAt } }
}
