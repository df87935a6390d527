/** Bearer tokens. */
import { sha256 } from '@noble/hashes/sha2.js'
import type { Context } from 'hono'
import { encodeUtf8 } from '../src/codec/bytes.ts'

/** The scheme in any case, and any number of spaces behind it (RFC 9110 §11.1, §11.4). */
const scheme = /^bearer +/i

/** Whether a request shows one of the tokens. Takes the same time wherever they differ, and whatever their lengths. */
export const showsToken = (tokens: readonly string[]): ((c: Context) => boolean) => {
  const expected = tokens.map((token) => sha256(encodeUtf8(`Bearer ${token}`)))
  return (c) => {
    const given = sha256(encodeUtf8((c.req.header('authorization') ?? '').replace(scheme, 'Bearer ')))
    return expected.map((digest) => equalDigests(given, digest)).includes(true)
  }
}

const equalDigests = (one: Uint8Array, other: Uint8Array): boolean =>
  one.reduce((difference, byte, at) => difference | (byte ^ other[at]!), 0) === 0
