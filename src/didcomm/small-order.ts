/**
 * X25519 keys that give no secret: whoever agrees with one gets zero, whatever their own key is.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7748 §6.1
 */
import { decodeHex } from '../codec/bytes.ts'

/** Little-endian, without the top bit, which X25519 ignores: the five u of small order, and p and p + 1, read as 0 and 1. */
const smallOrderUs = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map(decodeHex)

/** @param publicKey - X25519, 32 bytes */
export const isSmallOrder = (publicKey: Uint8Array): boolean =>
  smallOrderUs.some((u) =>
    u.every((byte, at) => byte === (at === 31 ? publicKey[at]! & 0x7f : publicKey[at])),
  )
