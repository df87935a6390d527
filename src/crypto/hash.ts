/**
 * Hashes: SHA-256 over domain-separated canonical text, in lowercase hex.
 *
 * The preimage is `"tautline/<kind>/1\n"` followed by the canonical JSON, so that bytes hashed or signed as
 * one kind of object never stand for another.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { encodeHex, encodeUtf8 } from '../codec/bytes.ts'
import { canonicalize, type Json } from '../codec/json.ts'
import { assert } from '../errors.ts'
import type { Hash } from '../units.ts'

/** Hashes the UTF-8 of a text to 64 lowercase hex digits. */
export type HashText = (text: string) => string

const portable: HashText = (text) => encodeHex(sha256(encodeUtf8(text)))

let hashText: HashText = portable

/**
 * Puts a runtime's native SHA-256 in place of the portable one (about four times as fast on Node).
 * Which of them computes a hash can't be seen in its value, which is checked here once.
 */
export const accelerateHash = (native: HashText): void => {
  for (const text of ['', 'abc', 'ä€😀', 'x'.repeat(1_000)]) {
    assert(native(text) === portable(text), 'the native SHA-256 agrees with the portable one')
  }
  hashText = native
}

/** Kinds of preimages. */
export type Kind =
  | 'genesis'
  | 'transaction'
  | 'signed-transaction'
  | 'block'
  | 'proposal'
  | 'prevote'
  | 'precommit'
  | 'evidence'
  | 'validators'
  | 'leaf'
  | 'branch'
  | 'state-key'
  | 'state-page'
  | 'proposer'
  | 'sign-record'
  | 'card'
  | 'link-dialler'
  | 'link-acceptor'

/** The text that is hashed or signed for an object of this kind. */
export const preimage = (kind: Kind, canonical: string): string => `tautline/${kind}/1\n${canonical}`

/** Hash of a canonical text as this kind of object. */
export const hashCanonical = (kind: Kind, canonical: string): Hash =>
  hashText(preimage(kind, canonical)) as Hash

/** Hash of a value as this kind of object. */
export const hashObject = (kind: Kind, value: Json): Hash => hashCanonical(kind, canonicalize(value))
