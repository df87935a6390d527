/** Secret keys: 32-byte seeds (RFC 8032 §5.1.5), and the envelope in which runtimes import them. */
import { decodeHex } from '../codec/bytes.ts'
import { TautlineError } from '../errors.ts'

/** PKCS #8 `OneAsymmetricKey` for Ed25519, up to the seed (RFC 8410 §7 and its example in §10.3). */
const pkcs8Header = decodeHex('302e020100300506032b657004220420')

/** A new 32-byte seed (RFC 8032 §5.1.5, step 1): all there is to keep of a key. */
export const generateSecretKey = (): Uint8Array => crypto.getRandomValues(new Uint8Array(32))

/** @param text - the 32-byte seed in hex, and blanks around it */
export const readSecretKey = (text: string, path: string): Uint8Array => {
  const hex = text.trim()
  if (/^[0-9a-f]{64}$/.test(hex)) return decodeHex(hex)
  throw new TautlineError(
    'damaged-folder',
    `${path} holds no key: expected 64 lowercase hex digits; restore it from a copy`,
    { path },
  )
}

/** @throws TautlineError `damaged-folder` when the seed isn't 32 bytes */
export const encodePkcs8 = (secretKey: Uint8Array): Uint8Array<ArrayBuffer> => {
  if (secretKey.length !== 32) {
    throw new TautlineError(
      'damaged-folder',
      `the secret key has ${secretKey.length} bytes, expected a seed of 32: restore the key from a backup`,
      { bytes: secretKey.length },
    )
  }
  const encoded = new Uint8Array(pkcs8Header.length + 32)
  encoded.set(pkcs8Header)
  encoded.set(secretKey, pkcs8Header.length)
  return encoded
}
