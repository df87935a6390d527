/**
 * What an envelope's content is encrypted with. Written is A256CBC-HS512 alone, the one that every
 * implementation must have; A256GCM and XC20P are read.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7518 §5.2
 */
import { cbc, gcm } from '@noble/ciphers/aes.js'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { concatBytes, equalBytes } from '@noble/ciphers/utils.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha512 } from '@noble/hashes/sha2.js'

export type ContentAlgorithm = 'A256CBC-HS512' | 'A256GCM' | 'XC20P'

export interface Encrypted {
  readonly iv: Uint8Array
  readonly ciphertext: Uint8Array
  readonly tag: Uint8Array
}

/** Bytes of key, initialisation vector and tag. */
export const contentSizes: Readonly<Record<ContentAlgorithm, { key: number; iv: number; tag: number }>> = {
  'A256CBC-HS512': { key: 64, iv: 16, tag: 32 },
  A256GCM: { key: 32, iv: 12, tag: 16 },
  XC20P: { key: 32, iv: 24, tag: 16 },
}

/** A256CBC-HS512. */
export const encryptContent = (
  key: Uint8Array,
  iv: Uint8Array,
  content: Uint8Array,
  associated: Uint8Array,
): Encrypted => {
  const ciphertext = cbc(key.subarray(32), iv).encrypt(content)
  return { iv, ciphertext, tag: cbcTag(key, iv, ciphertext, associated) }
}

/** @returns undefined when anything of it isn't what was encrypted with this key */
export const decryptContent = (
  algorithm: ContentAlgorithm,
  key: Uint8Array,
  { iv, ciphertext, tag }: Encrypted,
  associated: Uint8Array,
): Uint8Array | undefined => {
  const sizes = contentSizes[algorithm]
  if (key.length !== sizes.key || iv.length !== sizes.iv || tag.length !== sizes.tag) return undefined
  try {
    switch (algorithm) {
      case 'A256CBC-HS512':
        if (!equalBytes(cbcTag(key, iv, ciphertext, associated), tag)) return undefined
        return cbc(key.subarray(32), iv).decrypt(ciphertext)
      case 'A256GCM':
        return gcm(key, iv, associated).decrypt(concatBytes(ciphertext, tag))
      case 'XC20P':
        return xchacha20poly1305(key, iv, associated).decrypt(concatBytes(ciphertext, tag))
    }
  } catch {
    return undefined
  }
}

/** HMAC-SHA-512 over associated data, iv, ciphertext and the bits of the associated data, cut to its first half. */
const cbcTag = (
  key: Uint8Array,
  iv: Uint8Array,
  ciphertext: Uint8Array,
  associated: Uint8Array,
): Uint8Array => {
  const associatedBits = new Uint8Array(8)
  new DataView(associatedBits.buffer).setBigUint64(0, BigInt(associated.length * 8))
  return hmac(sha512, key.subarray(0, 32), concatBytes(associated, iv, ciphertext, associatedBits)).subarray(
    0,
    32,
  )
}
