/** Sealing: a message, signed or not, into an envelope for all keys of its recipient. */
import { aeskw } from '@noble/ciphers/aes.js'
import { x25519 } from '@noble/curves/ed25519.js'
import { encodeUtf8 } from '../codec/bytes.ts'
import { assert } from '../errors.ts'
import { encodeBase64Url, encodeBase64UrlJson } from './base64url.ts'
import { encryptContent } from './content-encryption.ts'
import type { DidDocument } from './did-document.ts'
import { encryptedMediaType, hashKids, writeEnvelope } from './envelope.ts'
import { agreementFragment, type Identity, signingFragment } from './identity.ts'
import { type Jws, signedMediaType, signJws } from './jws.ts'
import { deriveWrappingKey, type KeyAlgorithm } from './key-agreement.ts'
import { maxMessageBytes } from './limits.ts'
import { type Message, writeMessage } from './message.ts'

/** Unpredictable bytes that one envelope is sealed with. */
export const sealEntropyBytes = 32 + 64 + 16

export interface Seal {
  /** Whose keys it is sealed for. Its `did` is the form that the envelope names the recipient by. */
  readonly recipient: DidDocument
  /** {@link sealEntropyBytes} of them, used once. */
  readonly entropy: Uint8Array
}

/**
 * Authcrypt: proves the sender to the recipient, and to nobody else. The sender's key is named by the DID in
 * `from`, in the form that stands there.
 */
export const sealMessage = (
  message: Message,
  sender: Identity,
  seal: Seal & { readonly signed?: boolean },
): string => {
  assert(message.from !== undefined, 'an authenticated message says whom it is from')
  const content = seal.signed ? signMessage(message, sender) : message
  return sealContent('ECDH-1PU+A256KW', content, seal, {
    kid: `${message.from}${agreementFragment}`,
    identity: sender,
  })
}

/** Anoncrypt: says nothing of the sender. */
export const sealAnonymously = (content: Message | Jws, seal: Seal): string =>
  sealContent('ECDH-ES+A256KW', content, seal)

/** A message whose origin can be shown to others; names its signer by the DID in `from`. */
export const signMessage = (message: Message, signer: Identity): Jws =>
  signJws(writeMessage(message), signedMediaType, `${message.from}${signingFragment}`, signer.signingKey)

interface Sender {
  readonly kid: string
  readonly identity: Identity
}

/** What both kinds of envelope have in common. Says nothing about whether the content fits its sender: openers check. */
export const sealContent = (
  algorithm: KeyAlgorithm,
  content: Message | Jws,
  { recipient, entropy }: Seal,
  sender?: Sender,
): string => {
  assert(
    entropy.length === sealEntropyBytes,
    `an envelope is sealed with ${sealEntropyBytes} unpredictable bytes`,
  )
  assert(recipient.keyAgreement.length > 0, 'the recipient has a key that one can seal for')
  const ephemeral = entropy.subarray(0, 32)
  const contentKey = entropy.subarray(32, 96)
  const iv = entropy.subarray(96)
  const kids = recipient.keyAgreement.map(({ fragment }) => `${recipient.did}${fragment}`)
  const apu = encodeUtf8(sender?.kid ?? '')
  const apv = hashKids(kids)
  const header = encodeBase64UrlJson({
    typ: encryptedMediaType,
    alg: algorithm,
    enc: 'A256CBC-HS512',
    ...(sender ? { skid: sender.kid, apu: encodeBase64Url(apu) } : {}),
    apv: encodeBase64Url(apv),
    epk: { kty: 'OKP', crv: 'X25519', x: encodeBase64Url(x25519.getPublicKey(ephemeral)) },
  })
  const encrypted = encryptContent(contentKey, iv, contentBytes(content), encodeUtf8(header))
  const info = { algorithm, apu, apv, tag: encrypted.tag }
  const recipients = recipient.keyAgreement.map(({ publicKey }, at) => {
    const lasting = sender && { secretKey: sender.identity.agreementKey, publicKey }
    const wrappingKey = deriveWrappingKey(info, { secretKey: ephemeral, publicKey }, lasting)
    return { kid: kids[at]!, wrappedKey: aeskw(wrappingKey).encrypt(contentKey) }
  })
  return writeEnvelope(header, encrypted, recipients)
}

const contentBytes = (content: Message | Jws): Uint8Array => {
  const bytes = isJws(content) ? encodeUtf8(JSON.stringify(content)) : writeMessage(content)
  assert(bytes.length <= maxMessageBytes, `what an envelope holds has at most ${maxMessageBytes} bytes`)
  return bytes
}

const isJws = (content: Message | Jws): content is Jws => 'signatures' in content && 'payload' in content
