/**
 * How sender and recipient come to the key that wraps an envelope's content key: ECDH-1PU (which proves the
 * sender to the recipient alone) and ECDH-ES, over X25519, with the Concat KDF.
 *
 * @see https://datatracker.ietf.org/doc/html/draft-madden-jose-ecdh-1pu-04 §2.3
 * @see https://www.rfc-editor.org/rfc/rfc7518 §4.6
 */
import { concatBytes } from '@noble/ciphers/utils.js'
import { x25519 } from '@noble/curves/ed25519.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { encodeUtf8 } from '../codec/bytes.ts'

export type KeyAlgorithm = 'ECDH-1PU+A256KW' | 'ECDH-ES+A256KW'

/** What both ends know beside their keys. */
export interface AgreementInfo {
  readonly algorithm: KeyAlgorithm
  /** Agreement PartyUInfo; empty for ECDH-ES. */
  readonly apu: Uint8Array
  readonly apv: Uint8Array
  /** Of the encrypted content. Goes into the derivation of ECDH-1PU, so that a recipient can't put another content in. */
  readonly tag: Uint8Array
}

export interface SharedKeys {
  readonly secretKey: Uint8Array
  readonly publicKey: Uint8Array
}

/**
 * @param ephemeral - one end's secret key and the other's public one; the sender's side is the ephemeral key
 * @param lasting - the same with the sender's lasting key, for ECDH-1PU
 * @throws when a public key is of small order, which gives no secret
 */
export const deriveWrappingKey = (
  info: AgreementInfo,
  ephemeral: SharedKeys,
  lasting?: SharedKeys,
): Uint8Array => {
  const ze = x25519.getSharedSecret(ephemeral.secretKey, ephemeral.publicKey)
  const zs = lasting ? x25519.getSharedSecret(lasting.secretKey, lasting.publicKey) : new Uint8Array()
  return sha256(concatBytes(uint32(1), ze, zs, otherInfo(info)))
}

const wrappingKeyBits = 256

const otherInfo = ({ algorithm, apu, apv, tag }: AgreementInfo): Uint8Array =>
  concatBytes(
    prefixed(encodeUtf8(algorithm)),
    prefixed(apu),
    prefixed(apv),
    uint32(wrappingKeyBits),
    algorithm === 'ECDH-1PU+A256KW' ? prefixed(tag) : new Uint8Array(),
  )

const prefixed = (bytes: Uint8Array): Uint8Array => concatBytes(uint32(bytes.length), bytes)

const uint32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}
