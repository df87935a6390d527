/**
 * An envelope before it is opened: a JWE in general JSON, read and checked as far as that goes without any
 * key. Size and recipients are known here, so whoever isn't meant spends no key agreement on it.
 *
 * @see https://identity.foundation/didcomm-messaging/spec/v2.1/ §Message Encryption
 */
import { equalBytes } from '@noble/ciphers/utils.js'
import { sha256 } from '@noble/hashes/sha2.js'
import * as z from 'zod'
import { encodeUtf8, utf8Bytes } from '../codec/bytes.ts'
import { type Json, parseJson } from '../codec/json.ts'
import { decodeBase64Url, decodeBase64UrlJson, encodeBase64Url } from './base64url.ts'
import { type ContentAlgorithm, contentSizes, type Encrypted } from './content-encryption.ts'
import { type DidUrl, type KeyId, keyId, parseDidUrl } from './did.ts'
import type { AgreementInfo, KeyAlgorithm } from './key-agreement.ts'
import { maxDidUrlChars, maxEnvelopeBytes, maxProtectedChars, maxRecipients } from './limits.ts'
import { type Refused, refused } from './refusal.ts'

export const encryptedMediaType = 'application/didcomm-encrypted+json'

export interface Envelope {
  readonly kind: 'envelope'
  /** Which of our keys could open it. */
  readonly recipients: readonly KeyId[]
  /** Whose key it claims to be sealed with: proven only by opening. Absent when it was sealed anonymously. */
  readonly sender?: DidUrl
  /** For {@link openEnvelope}. */
  readonly parts: EnvelopeParts
}

export interface EnvelopeParts {
  readonly info: AgreementInfo
  /** 32 bytes, X25519. */
  readonly ephemeralKey: Uint8Array
  readonly encryption: ContentAlgorithm
  readonly content: Encrypted
  /** The protected header as it came. */
  readonly associated: Uint8Array
  /** In the order of {@link Envelope.recipients}. */
  readonly wrappedKeys: readonly Uint8Array[]
}

const bytes = z
  .string()
  .max(maxEnvelopeBytes)
  .transform((text, context) => {
    const decoded = decodeBase64Url(text)
    if (decoded) return decoded
    context.addIssue('expected base64url')
    return z.NEVER
  })
/** What these would change isn't implemented, so they are refused and not ignored. */
const absent = z.undefined().optional()
const jweSchema = z.looseObject({
  protected: z.string().max(maxProtectedChars),
  unprotected: absent,
  aad: absent,
  recipients: z
    .array(
      z.looseObject({ header: z.looseObject({ kid: z.string().max(maxDidUrlChars) }), encrypted_key: bytes }),
    )
    .min(1)
    .max(maxRecipients),
  iv: bytes,
  ciphertext: bytes,
  tag: bytes,
})
const headerSchema = z.looseObject({
  typ: z.enum([encryptedMediaType, 'didcomm-encrypted+json']).optional(),
  alg: z.string(),
  enc: z.string(),
  epk: z.looseObject({ kty: z.string(), crv: z.string(), x: bytes.optional() }),
  apv: bytes,
  apu: bytes.optional(),
  skid: z.string().max(maxDidUrlChars).optional(),
  crit: absent,
  zip: absent,
})
type Header = z.output<typeof headerSchema>

/** No key is touched, and nothing is looked up. */
export const readEnvelope = (text: string): Envelope | Refused => {
  if (text.length > maxEnvelopeBytes || utf8Bytes(text) > maxEnvelopeBytes)
    return refused('too-large', `an envelope has at most ${maxEnvelopeBytes} bytes`)
  const value = parse(text)
  if (value === undefined) return refused('not-json', 'expected a JWE in general JSON')
  if (isUnencrypted(value))
    return refused(
      'not-encrypted',
      'this is a message in the open, or only signed: seal it for its recipient',
    )
  const { data: jwe } = jweSchema.safeParse(value)
  if (!jwe) return refused('malformed-envelope', 'expected protected, recipients, iv, ciphertext and tag')
  const { data: header } = headerSchema.safeParse(decodeBase64UrlJson(jwe.protected))
  if (!header)
    return refused('malformed-envelope', 'expected typ, alg, enc, epk and apv in the protected header')
  return checkHeader(jwe, header)
}

const parse = (text: string): Json | undefined => {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

const isUnencrypted = (value: Json): boolean =>
  value !== null &&
  typeof value === 'object' &&
  !('ciphertext' in value) &&
  ('type' in value || 'payload' in value)

const checkHeader = (jwe: z.output<typeof jweSchema>, header: Header): Envelope | Refused => {
  const algorithm = keyAlgorithm(header.alg)
  const encryption = contentAlgorithm(header.enc)
  const { epk, apv } = header
  if (!algorithm || !encryption || epk.kty !== 'OKP' || epk.crv !== 'X25519')
    return refused(
      'unsupported-algorithm',
      'expected ECDH-1PU+A256KW or ECDH-ES+A256KW with X25519, and A256CBC-HS512, A256GCM or XC20P',
    )
  if (algorithm === 'ECDH-1PU+A256KW' && encryption !== 'A256CBC-HS512')
    return refused('unsupported-algorithm', 'ECDH-1PU+A256KW goes with A256CBC-HS512 alone')
  const recipients = jwe.recipients.map(({ header: { kid } }) => parseDidUrl(kid))
  if (epk.x?.length !== 32 || jwe.tag.length !== contentSizes[encryption].tag || !isComplete(recipients))
    return refused(
      'malformed-envelope',
      'expected 32 bytes of epk, a whole tag, and DIDs with a fragment as kid',
    )
  if (!equalBytes(apv, hashKids(jwe.recipients.map(({ header: { kid } }) => kid))))
    return refused('wrong-apv', 'apv is not the hash of the recipients: one was added, removed or changed')
  const sender = algorithm === 'ECDH-1PU+A256KW' ? readSender(header) : readNoSender(header)
  if (sender && 'code' in sender) return sender
  return {
    kind: 'envelope',
    recipients: recipients.map(keyId),
    ...(sender ? { sender } : {}),
    parts: {
      info: { algorithm, apu: header.apu ?? new Uint8Array(), apv, tag: jwe.tag },
      ephemeralKey: epk.x,
      encryption,
      content: { iv: jwe.iv, ciphertext: jwe.ciphertext, tag: jwe.tag },
      associated: encodeUtf8(jwe.protected),
      wrappedKeys: jwe.recipients.map(({ encrypted_key }) => encrypted_key),
    },
  }
}

const keyAlgorithm = (alg: string): KeyAlgorithm | undefined =>
  alg === 'ECDH-1PU+A256KW' || alg === 'ECDH-ES+A256KW' ? alg : undefined

const contentAlgorithm = (enc: string): ContentAlgorithm | undefined =>
  Object.hasOwn(contentSizes, enc) ? (enc as ContentAlgorithm) : undefined

const isComplete = (recipients: readonly (DidUrl | undefined)[]): recipients is readonly DidUrl[] =>
  recipients.every((recipient) => recipient !== undefined)

/** Without `skid` the sender's key is named by `apu` alone (§ECDH-1PU key wrapping and common protected headers). */
const readSender = ({ skid, apu }: Header): DidUrl | Refused => {
  if (!apu || (skid !== undefined && !equalBytes(apu, encodeUtf8(skid))))
    return refused('wrong-apu', 'apu is not skid in base64url')
  const sender = parseDidUrl(skid ?? new TextDecoder().decode(apu))
  return sender ?? refused('malformed-envelope', 'expected a DID with a fragment as skid')
}

const readNoSender = ({ skid, apu }: Header): undefined | Refused =>
  skid === undefined && apu === undefined
    ? undefined
    : refused('wrong-apu', 'an anonymous envelope has neither skid nor apu')

/** The ids as they stand in the envelope, sorted, joined, hashed. */
export const hashKids = (kids: readonly string[]): Uint8Array =>
  sha256(encodeUtf8([...kids].sort().join('.')))

/** The text of an envelope, and of its protected header. */
export const writeEnvelope = (
  associated: string,
  content: Encrypted,
  recipients: readonly { readonly kid: string; readonly wrappedKey: Uint8Array }[],
): string =>
  JSON.stringify({
    protected: associated,
    recipients: recipients.map(({ kid, wrappedKey }) => ({
      header: { kid },
      encrypted_key: encodeBase64Url(wrappedKey),
    })),
    iv: encodeBase64Url(content.iv),
    ciphertext: encodeBase64Url(content.ciphertext),
    tag: encodeBase64Url(content.tag),
  })
