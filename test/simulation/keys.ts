/**
 * Keys by a keyed hash, which takes a microsecond where Ed25519 takes a hundred.
 *
 * Everyone could forge these; nobody here does. One suite runs with Ed25519 instead.
 */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { encodeAddress } from '../../src/codec/address.ts'
import type { Signer, Verifier } from '../../src/ports/keys.ts'
import { createNodeSigner, nativeHash } from '../../src/runtime/node/keys.ts'
import { createVerifier } from '../../src/runtime/verifier.ts'
import type { Address, Signature } from '../../src/units.ts'
import { silentLog } from '../faults/whole-node.ts'

export interface Keyring {
  /** Signs at once. */
  signer(name: string): InstantSigner
  readonly verifier: Verifier
}

export interface InstantSigner extends Signer {
  sign(text: string): Signature
}

const secretOf = (name: string): Uint8Array =>
  new Uint8Array(createHash('sha256').update(`key of ${name}`).digest())

const hashSignature = (key: Address, text: string): Signature =>
  nativeHash(`${key} ${text}`).repeat(2) as Signature

export const hashKeys: Keyring = {
  signer: (name) => {
    const address = encodeAddress(secretOf(name))
    return { address, sign: (text) => hashSignature(address, text) }
  },
  verifier: {
    name: 'keyed hash',
    verify: async (key, text, signature) => signature === hashSignature(key, text),
  },
}

/** The real thing, verified in place: a pool of threads would bring real time in. */
export const ed25519Keys = async (): Promise<Keyring> => ({
  signer: (name) => createNodeSigner(secretOf(name)) as InstantSigner,
  verifier: await createVerifier(
    [
      {
        name: 'node:crypto in place',
        holds: async ({ publicKey, message, signature }) =>
          verify(null, message, keyObjectOf(publicKey), signature),
      },
    ],
    silentLog,
  ),
})

const keyObjectOf = (publicKey: Uint8Array): KeyObject =>
  createPublicKey({
    key: { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url') },
    format: 'jwk',
  })
