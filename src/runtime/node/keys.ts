/**
 * Ed25519 and SHA-256 by native libraries, for Node and for what is compatible with it.
 */
import * as crypto from 'node:crypto'
import { encodeAddress } from '../../codec/address.ts'
import { encodeUtf8 } from '../../codec/bytes.ts'
import type { HashText } from '../../crypto/hash.ts'
import type { Signer, Verifier } from '../../ports/keys.ts'
import type { Log } from '../../ports/log.ts'
import type { Signature } from '../../units.ts'
import { encodePkcs8 } from '../secret-key.ts'
import { createVerifier, type Equation } from '../verifier.ts'
import { loadNativeEd25519 } from './native-ed25519.js'
import { VerificationPool } from './verification-pool.ts'

/** Verifies by the network's rule; says so in the log when no library here can be trusted with it. */
export const createNodeVerifier = (log: Log): Promise<Verifier> => createVerifier(nodeEquations(), log)

/** The verdicts of the libraries that are here, the fastest first. */
export const nodeEquations = (): readonly Equation[] =>
  loadNativeEd25519().map((native) => {
    const pool = new VerificationPool(native)
    return { name: native.name, holds: (claim) => pool.holds(claim) }
  })

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
