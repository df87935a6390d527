/**
 * Ed25519 and SHA-256 by `node:crypto`, for Node and for what is compatible with it.
 *
 * Signatures are verified on libuv's threads, so on all cores, while the main thread goes on: 110 µs there.
 * Measured once on two shared cores, with 0 to 100 µs of other work per signature: one or two worker threads
 * are slower or at best 8 % faster than libuv's default of four, and no other number of those is better for all.
 */
import * as crypto from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { encodeAddress } from '../../codec/address.ts'
import { encodeUtf8 } from '../../codec/bytes.ts'
import type { HashText } from '../../crypto/hash.ts'
import type { Signer, Verifier } from '../../ports/keys.ts'
import type { Log } from '../../ports/log.ts'
import type { Address, Signature } from '../../units.ts'
import { encodePkcs8 } from '../secret-key.ts'
import { type Claim, createVerifier, type Equation, maxCachedKeys } from '../verifier.ts'
import { VerificationPool } from './verification-pool.ts'

/** Verifies by the network's rule; says so in the log when the runtime can't be trusted with it. */
export const createNodeVerifier = (log: Log): Promise<Verifier> => createVerifier(createNodeEquation(), log)

/** `node:crypto`'s verdict. */
export const createNodeEquation = (): Equation => {
  const keyOf = createKeyCache()
  const pool = new VerificationPool((claim) =>
    crypto.verify(null, claim.message, keyOf(claim), claim.signature),
  )
  return { name: 'node:crypto', holds: (claim) => pool.holds(claim) }
}

/** As JWK a key is imported in 7 µs, as SPKI in 80. */
const createKeyCache = (): ((claim: Claim) => crypto.KeyObject) => {
  const imported = new LRUCache<Address, crypto.KeyObject>({ max: maxCachedKeys })
  return ({ key: address, publicKey }) => {
    const known = imported.get(address)
    if (known) return known
    const x = Buffer.from(publicKey).toString('base64url')
    const key = crypto.createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    imported.set(address, key)
    return key
  }
}

/** A new 32-byte seed (RFC 8032 §5.1.5, step 1): all there is to keep of a key. */
export const generateSecretKey = (): Uint8Array => new Uint8Array(crypto.randomBytes(32))

/**
 * Signs synchronously, in about 50 µs.
 *
 * @throws TautlineError `damaged-folder` when the seed isn't 32 bytes
 */
export const createNodeSigner = (secretKey: Uint8Array): Signer => {
  const key = importSecretKey(secretKey)
  const { x } = crypto.createPublicKey(key).export({ format: 'jwk' })
  return {
    address: encodeAddress(new Uint8Array(Buffer.from(x!, 'base64url'))),
    sign: (text) => crypto.sign(null, encodeUtf8(text), key).toString('hex') as Signature,
  }
}

const importSecretKey = (secretKey: Uint8Array): crypto.KeyObject =>
  crypto.createPrivateKey({ key: Buffer.from(encodePkcs8(secretKey)), format: 'der', type: 'pkcs8' })

/**
 * SHA-256 for `accelerateHash`. `crypto.hash` is twice as fast as `createHash`, but younger: Node 20.12.
 */
export const nativeHash: HashText =
  typeof crypto.hash === 'function'
    ? (text) => crypto.hash('sha256', text, 'hex')
    : (text) => crypto.createHash('sha256').update(text).digest('hex')
