/**
 * did:key: a DID that is its one key. Of an Ed25519 key the X25519 key follows.
 *
 * @see https://w3c-ccg.github.io/did-key-spec/
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { isAcceptablePoint } from '../crypto/ed25519.ts'
import type { DidDocument } from './did-document.ts'
import { decodeMultikey, encodeMultikey } from './multikey.ts'
import { isSmallOrder } from './small-order.ts'

const prefix = 'did:key:'

export const encodeDidKey = (ed25519PublicKey: Uint8Array): string =>
  `${prefix}${encodeMultikey({ kind: 'ed25519', bytes: ed25519PublicKey })}`

/** @returns undefined when it is no did:key of an Ed25519 or X25519 key */
export const resolveDidKey = (did: string): DidDocument | undefined => {
  if (!did.startsWith(prefix)) return undefined
  const text = did.slice(prefix.length)
  const key = decodeMultikey(text)
  if (!key) return undefined
  const agreement = key.kind === 'x25519' ? key.bytes : toX25519(key.bytes)
  if (!agreement || isSmallOrder(agreement)) return undefined
  return {
    did,
    authentication: key.kind === 'ed25519' ? [{ fragment: `#${text}`, publicKey: key.bytes }] : [],
    keyAgreement: [
      { fragment: `#${encodeMultikey({ kind: 'x25519', bytes: agreement })}`, publicKey: agreement },
    ],
  }
}

const toX25519 = (publicKey: Uint8Array): Uint8Array | undefined => {
  if (!isAcceptablePoint(publicKey)) return undefined
  try {
    return ed25519.utils.toMontgomery(publicKey)
  } catch {
    return undefined // no point of the curve has this encoding
  }
}
