/**
 * did:peer:4: a DID that holds its own document, and a hash that stands for it.
 *
 * `did:peer:4z<hash>:z<document>`; the hash is the SHA-256 multihash of the text `z<document>`, and the
 * document is JSON behind the multicodec prefix 0x0200 (as a varint: 80 04).
 *
 * @see https://identity.foundation/peer-did-method-spec/#method-4-short-form-and-long-form
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { base58 } from '@scure/base'
import { encodeUtf8 } from '../codec/bytes.ts'
import { canonicalize, type Json } from '../codec/json.ts'
import { decodeJson } from './base64url.ts'
import { isDid } from './did.ts'
import { type DidDocument, readDidDocument } from './did-document.ts'
import { decodeBase58 } from './multikey.ts'

const jsonPrefix = [0x80, 0x04]
const sha256Prefix = [0x12, 0x20]
const form = /^did:peer:4(z[1-9A-HJ-NP-Za-km-z]+):(z[1-9A-HJ-NP-Za-km-z]+)$/

/** @param input - a DID document without `id`, whose references are relative */
export const encodePeer4 = (input: Json): string => {
  const encoded = `z${base58.encode(Uint8Array.of(...jsonPrefix, ...encodeUtf8(canonicalize(input))))}`
  return `did:peer:4${hash(encoded)}:${encoded}`
}

const hash = (encoded: string): string =>
  `z${base58.encode(Uint8Array.of(...sha256Prefix, ...sha256(encodeUtf8(encoded))))}`

/** @returns undefined when it is no long form, or its hash is of another document */
export const resolvePeer4 = (did: string): DidDocument | undefined => {
  const input = decodePeer4(did)
  return input === undefined ? undefined : readDidDocument(did, input)
}

/** The input document, before any reference is made absolute. */
export const decodePeer4 = (did: string): Json | undefined => {
  const [, hashed, encoded] = (isDid(did) && form.exec(did)) || []
  if (hashed === undefined || encoded === undefined || hash(encoded) !== hashed) return undefined
  const bytes = decodeBase58(encoded.slice(1))
  if (!bytes || bytes[0] !== jsonPrefix[0] || bytes[1] !== jsonPrefix[1]) return undefined
  return decodeJson(bytes.subarray(2))
}
