/**
 * The signature rule: one verdict on every (key, message, signature), on every node.
 *
 * Native Ed25519 verifiers disagree with one another only about points of small order and encodings that are
 * not canonical. So those are refused first ({@link passesPrechecks}, no curve arithmetic), and what remains
 * is decided by the equation that all of them compute: SB − kA, encoded, is R, without multiplying by the
 * cofactor. {@link verifyPortable} is that equation without native help: slow, but right everywhere.
 *
 * Must never ask noble's own `verify`, which multiplies by the cofactor and so accepts what natives reject.
 *
 * @see https://www.rfc-editor.org/rfc/rfc8032 §5.1
 */
import { Point } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { decodeHex, encodeHex } from '../codec/bytes.ts'

/** Order of the base point, `L` (RFC 8032 §5.1). */
const order = 2n ** 252n + 27742317777372353535851937790883648493n

const littleEndian = (bytes: Uint8Array): bigint => BigInt(`0x${encodeHex(bytes.slice().reverse())}`)
const orderBytes = decodeHex(order.toString(16).padStart(64, '0')).reverse()

/**
 * The y coordinates of the eight points of small order, little-endian: one of order 1, one of order 2, one
 * shared by the two of order 4, two shared by the four of order 8. `small-order.test.ts` derives them.
 */
const smallOrderYs = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].map(decodeHex)

/**
 * Whether a key, or the R of a signature, has the one encoding of its point (RFC 8032 §5.1.3) and is not of
 * small order. Says nothing about whether there is such a point on the curve: the equation does.
 *
 * @param bytes - refused unless 32 of them
 */
export const isAcceptablePoint = (bytes: Uint8Array): boolean =>
  bytes.length === 32 && isReduced(bytes) && !isSmallOrder(bytes)

/** The 255 bits of y are below the field's prime 2^255 − 19, whose bytes are `ed ff … ff 7f`. */
const isReduced = (bytes: Uint8Array): boolean => {
  if ((bytes[31]! & 0x7f) !== 0x7f) return true
  for (let at = 30; at > 0; at--) if (bytes[at] !== 0xff) return true
  return bytes[0]! < 0xed
}

/**
 * Leaves the sign bit aside: with either sign these are of small order, or, for the two with x = 0, one sign
 * is no canonical encoding.
 */
const isSmallOrder = (bytes: Uint8Array): boolean => {
  for (const y of smallOrderYs) if (hasY(bytes, y)) return true
  return false
}

const hasY = (bytes: Uint8Array, y: Uint8Array): boolean => {
  for (let at = 0; at < 31; at++) if (bytes[at] !== y[at]) return false
  return (bytes[31]! & 0x7f) === y[31]
}

/** `S < L`, the last 32 bytes of a signature (RFC 8032 §5.1.7, step 1). Nearly always the first comparison decides. */
const isScalarReduced = (signature: Uint8Array): boolean => {
  for (let at = 31; at >= 0; at--) {
    const difference = signature[32 + at]! - orderBytes[at]!
    if (difference !== 0) return difference < 0
  }
  return false
}

/** The part of the rule that native verifiers don't agree on: lengths, A and R acceptable, S < L. Under 0.2 µs. */
export const passesPrechecks = (publicKey: Uint8Array, signature: Uint8Array): boolean =>
  signature.length === 64 &&
  isScalarReduced(signature) &&
  isAcceptablePoint(publicKey) &&
  isAcceptablePoint(signature.subarray(0, 32))

/** The rule, by noble's point arithmetic: about 1 ms. An exception is a rejection. */
export const verifyPortable = (
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean => {
  if (!passesPrechecks(publicKey, signature)) return false
  try {
    return encodeHex(expectedR(publicKey, message, signature)) === encodeHex(signature.subarray(0, 32))
  } catch {
    return false // no point of the curve has this key's encoding
  }
}

/** SB − kA, encoded. k is reduced by L before it multiplies A: for a key with a torsion part that matters. */
const expectedR = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): Uint8Array => {
  const a = Point.fromBytes(publicKey)
  const digest = sha512.create().update(signature.subarray(0, 32)).update(publicKey).update(message).digest()
  const k = littleEndian(digest) % order
  const s = littleEndian(signature.subarray(32))
  return Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k)).toBytes()
}
