/**
 * Curves that anybody could break who tried, with the algebra of the real ones: both ends of an agreement come to the
 * same secret and nobody else's keys do, and a signature is good for one message and one key. No forger here computes
 * what only a real curve would keep from it.
 */
import { sha256 } from './hashes.ts'

const text = new TextEncoder()
const digest = (name: string, ...parts: readonly Uint8Array[]): Uint8Array =>
  sha256(Buffer.concat([text.encode(name), ...parts]))

export const x25519 = {
  getPublicKey: (secretKey: Uint8Array): Uint8Array => digest('agreement', secretKey),
  getSharedSecret: (secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array => {
    const own = x25519.getPublicKey(secretKey)
    return digest('shared', ...[own, publicKey].sort(Buffer.compare))
  },
}

export const ed25519 = {
  getPublicKey: (secretKey: Uint8Array): Uint8Array => digest('signing', secretKey),
  sign: (message: Uint8Array, secretKey: Uint8Array): Uint8Array =>
    signature(ed25519.getPublicKey(secretKey), message),
}

const signature = (publicKey: Uint8Array, message: Uint8Array): Uint8Array => {
  const half = digest('signature', publicKey, message)
  return new Uint8Array([...half, ...half])
}

export const verifyPortable = (publicKey: Uint8Array, message: Uint8Array, signed: Uint8Array): boolean =>
  Buffer.compare(signature(publicKey, message), signed) === 0

export const isAcceptablePoint = (bytes: Uint8Array): boolean => bytes.length === 32
