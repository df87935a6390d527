/**
 * Ed25519 by WebCrypto, for every runtime that has it: Deno, Bun, workerd, browsers.
 *
 * Signatures are verified off the main thread wherever the runtime does so by itself.
 */
import { LRUCache } from 'lru-cache'
import { encodeAddress } from '../../codec/address.ts'
import { encodeHex, encodeUtf8 } from '../../codec/bytes.ts'
import { TautlineError } from '../../errors.ts'
import type { Signer, Verifier } from '../../ports/keys.ts'
import type { Log } from '../../ports/log.ts'
import type { Address, Signature } from '../../units.ts'
import { encodePkcs8 } from '../secret-key.ts'
import { type Claim, createVerifier, type Equation, maxCachedKeys } from '../verifier.ts'

const algorithm = { name: 'Ed25519' }

/** Verifies by the network's rule; says so in the log when the runtime can't be trusted with it. */
export const createWebVerifier = (log: Log): Promise<Verifier> => createVerifier([createWebEquation()], log)

/** WebCrypto's verdict. */
export const createWebEquation = (): Equation => {
  const keyOf = createKeyCache()
  return {
    name: 'WebCrypto',
    holds: async (claim) =>
      crypto.subtle.verify(algorithm, await keyOf(claim), claim.signature, claim.message),
  }
}

const createKeyCache = (): ((claim: Claim) => Promise<CryptoKey>) => {
  const imported = new LRUCache<Address, Promise<CryptoKey>>({ max: maxCachedKeys })
  return ({ key: address, publicKey }) => {
    const known = imported.get(address)
    if (known) return known
    const key = crypto.subtle.importKey('raw', Uint8Array.from(publicKey), algorithm, false, ['verify'])
    imported.set(address, key)
    return key
  }
}

/**
 * The seed is imported twice: once to learn the public key, once for good, so that it can't be exported.
 *
 * @throws TautlineError `damaged-folder` when the seed isn't 32 bytes
 */
export const createWebSigner = async (secretKey: Uint8Array): Promise<Signer> => {
  const encoded = encodePkcs8(secretKey)
  const exportable = await crypto.subtle.importKey('pkcs8', encoded, algorithm, true, ['sign'])
  const { x } = await crypto.subtle.exportKey('jwk', exportable)
  const key = await crypto.subtle.importKey('pkcs8', encoded, algorithm, false, ['sign'])
  return signerOf(key, decodeBase64Url(x!))
}

/** A new key whose secret half no script can read. @throws TautlineError `bad-configuration` where there is no Ed25519 */
export const generateKeyPair = async (): Promise<CryptoKeyPair> => {
  try {
    return (await crypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])) as CryptoKeyPair
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new TautlineError(
      'bad-configuration',
      `Ed25519 keys can't be made here (${why}): use a newer version of this browser or runtime`,
      {},
      cause,
    )
  }
}

export const createKeyPairSigner = async ({ privateKey, publicKey }: CryptoKeyPair): Promise<Signer> =>
  signerOf(privateKey, new Uint8Array(await crypto.subtle.exportKey('raw', publicKey)))

const signerOf = (privateKey: CryptoKey, publicKey: Uint8Array): Signer => ({
  address: encodeAddress(publicKey),
  sign: async (text) =>
    encodeHex(new Uint8Array(await crypto.subtle.sign(algorithm, privateKey, encodeUtf8(text)))) as Signature,
})

const decodeBase64Url = (text: string): Uint8Array =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (letter) => letter.charCodeAt(0))
