/**
 * Bare Ed25519 verification by native libraries, the same for the main thread and for verification threads.
 *
 * JavaScript, since Node 20 loads a thread's files as they are, in a checkout as well as in a build.
 */
import { createPublicKey, verify } from 'node:crypto'
import { createRequire } from 'node:module'
import { LRUCache } from 'lru-cache'

/**
 * @typedef {object} NativeEd25519
 * @property {string} name - of the package
 * @property {(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean} verify - given 32 and
 *   64 bytes; may throw: an exception is a rejection
 */

/** Imported keys that are kept, of 1.2 KiB each: importing one takes 7 µs as JWK, 80 µs as SPKI. */
const maxImportedKeys = 4_096

/** @type {LRUCache<string, import('node:crypto').KeyObject>} */
const imported = new LRUCache({ max: maxImportedKeys })

/** @param {Uint8Array} publicKey - 32 bytes */
const importKey = ({ buffer, byteOffset, length }) => {
  const x = Buffer.from(buffer, byteOffset, length).toString('base64url')
  const known = imported.get(x)
  if (known) return known
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  imported.set(x, key)
  return key
}

/** @type {NativeEd25519} */
const nodeCrypto = {
  name: 'node:crypto',
  verify: (publicKey, message, signature) => verify(null, message, importKey(publicKey), signature),
}

/**
 * libsodium, in little more than half the time. An optional dependency: not every platform has its binary.
 *
 * @returns {NativeEd25519 | undefined}
 */
const loadSodium = () => {
  try {
    const sodium = createRequire(import.meta.url)('sodium-native')
    return {
      name: 'sodium-native',
      verify: (publicKey, message, signature) =>
        sodium.crypto_sign_verify_detached(signature, message, publicKey),
    }
  } catch {
    return undefined
  }
}

/**
 * What is here, the fastest first; `node:crypto` always is.
 *
 * @returns {readonly NativeEd25519[]}
 */
export const loadNativeEd25519 = () => [loadSodium(), nodeCrypto].filter((native) => native !== undefined)
