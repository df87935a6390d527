/** One end of one connection: a fresh did:peer:4 with its private keys. */
import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { assert } from '../errors.ts'
import { type KeyId, keyId, shortDid } from './did.ts'
import { encodePeer4 } from './did-peer-4.ts'
import { maxEndpointChars } from './limits.ts'
import { encodeMultikey } from './multikey.ts'

export interface Identity {
  /** Long form. */
  readonly did: string
  /** Secret. Ed25519, 32 bytes. */
  readonly signingKey: Uint8Array
  /** Secret. X25519, 32 bytes. */
  readonly agreementKey: Uint8Array
}

/** Unpredictable bytes that a new identity is made of. */
export const identityEntropyBytes = 64

export const signingFragment = '#key-1'
export const agreementFragment = '#key-2'

/**
 * @param entropy - {@link identityEntropyBytes} of them, used once
 * @param endpoint - the URL that messages are posted to; none for an end that only dials out
 */
export const createIdentity = (entropy: Uint8Array, endpoint?: string): Identity => {
  assert(entropy.length === identityEntropyBytes, 'an identity is made of 64 unpredictable bytes')
  assert(
    (endpoint ?? '').length <= maxEndpointChars,
    `an endpoint has at most ${maxEndpointChars} characters`,
  )
  const signingKey = entropy.slice(0, 32)
  const agreementKey = entropy.slice(32)
  const did = encodePeer4({
    '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
    verificationMethod: [
      multikey(signingFragment, 'ed25519', ed25519.getPublicKey(signingKey)),
      multikey(agreementFragment, 'x25519', x25519.getPublicKey(agreementKey)),
    ],
    authentication: [signingFragment],
    keyAgreement: [agreementFragment],
    service:
      endpoint === undefined
        ? undefined
        : [
            {
              id: '#didcomm',
              type: 'DIDCommMessaging',
              serviceEndpoint: { uri: endpoint, accept: ['didcomm/v2'], routingKeys: [] },
            },
          ],
  })
  return { did, signingKey, agreementKey }
}

const multikey = (id: string, kind: 'ed25519' | 'x25519', bytes: Uint8Array) => ({
  id,
  type: 'Multikey',
  publicKeyMultibase: encodeMultikey({ kind, bytes }),
})

/** What an envelope for this identity names as its recipient. */
export const agreementKeyId = (identity: { readonly did: string }): KeyId =>
  keyId({ did: shortDid(identity.did), fragment: agreementFragment })
