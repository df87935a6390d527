/**
 * Commitments: what the ledger holds of a payload that only two ends have seen. Without the salt nobody can
 * even try payloads out.
 */
import { concatBytes } from '@noble/ciphers/utils.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { encodeHex, encodeUtf8 } from '../codec/bytes.ts'
import { assert } from '../errors.ts'
import type { Hash } from '../units.ts'

/** Unpredictable bytes that one payload is committed to with; used once. */
export const saltBytes = 32

const domain = encodeUtf8('tautline/commitment/1\0')

/** `HMAC-SHA256(salt, "tautline/commitment/1\0" ‖ payload)`, 64 hex digits. */
export const commitmentOf = (salt: Uint8Array, payload: Uint8Array): Hash => {
  assert(salt.length === saltBytes, `a commitment's salt has ${saltBytes} bytes`)
  return encodeHex(hmac(sha256, salt, concatBytes(domain, payload))) as Hash
}
