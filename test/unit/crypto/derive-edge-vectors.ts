/**
 * The edge vectors of `src/crypto/edge-vectors.ts`, derived from the curve's definition (RFC 8032 §5.1).
 *
 * Every signature is made by somebody who knows the scalars, so that it is right or wrong for exactly one
 * reason. T is a point of order 8: a key or an R "with torsion" has a multiple of T added to it.
 */
import { Point } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import type { EdgeVector } from '../../../src/crypto/edge-vectors.ts'

const { p, n: order } = Point.CURVE()

const toNumber = (bytes: Uint8Array): bigint => BigInt(`0x${bytesToHex(bytes.slice().reverse())}`)
export const toBytes = (value: bigint): Uint8Array =>
  hexToBytes(value.toString(16).padStart(64, '0')).reverse()

const scalarOf = (label: string): bigint => toNumber(sha512(utf8ToBytes(label))) % order
const times = (point: Point, by: bigint): Point => point.multiplyUnsafe(((by % order) + order) % order)

/** The point whose y is this, if there is one (non-canonical y and all). */
export const decode = (y: bigint, sign: 0n | 1n = 0n): Point | undefined => {
  try {
    return Point.fromBytes(toBytes(y | (sign << 255n)), true)
  } catch {
    return undefined
  }
}

/** L times a point of full order 8L leaves its torsion part, of order 8; tried from y = 2 upwards. */
const findTorsion = (): Point => {
  for (let y = 2n; ; y++) {
    const point = decode(y)
    const torsion = point && times(point, order - 1n).add(point)
    if (torsion && !torsion.double().double().is0()) return torsion
  }
}

/** The eight points of small order: 0T, 1T, … 7T. */
export const smallOrderPoints = (): readonly Point[] => {
  const torsion = findTorsion()
  const points = [Point.ZERO]
  while (points.length < 8) points.push(points.at(-1)!.add(torsion))
  return points
}

const t = smallOrderPoints()
const a = scalarOf('tautline edge vectors: secret')
const r = scalarOf('tautline edge vectors: nonce')
const A = times(Point.BASE, a)
const R = times(Point.BASE, r)

const challenge = (rBytes: Uint8Array, key: Uint8Array, message: string): bigint =>
  toNumber(sha512(concatBytes(rBytes, key, utf8ToBytes(message))))

interface Parts {
  readonly key?: Uint8Array
  readonly rBytes?: Uint8Array
  readonly message?: string
  /** The key's scalar, and R's: 0 for a point that is only torsion. */
  readonly secret?: bigint
  readonly nonce?: bigint
  readonly s?: (s: bigint) => bigint
}

const build = (name: string, valid: boolean, parts: Parts = {}): EdgeVector => {
  const {
    key = A.toBytes(),
    rBytes = R.toBytes(),
    message = name,
    secret = a,
    nonce = r,
    s = (of) => of,
  } = parts
  const k = challenge(rBytes, key, message) % order
  const signature = concatBytes(rBytes, toBytes(s((nonce + k * secret) % order)))
  return { name, publicKey: bytesToHex(key), message, signature: bytesToHex(signature), valid }
}

/** The name, and a number that makes the challenge as wanted. */
const search = (
  name: string,
  rBytes: Uint8Array,
  key: Uint8Array,
  wanted: (k: bigint) => boolean,
): string => {
  for (let attempt = 0; ; attempt++) {
    const message = `${name} ${attempt}`
    if (wanted(challenge(rBytes, key, message))) return message
  }
}

/** A key of torsion `i`T and an R of torsion `j`T: the equation asks for −k·i ≡ j (mod 8). */
const torsioned = (
  name: string,
  valid: boolean,
  i: number,
  j: number,
  wanted: (k: bigint) => boolean,
): EdgeVector => {
  const key = A.add(t[i]!).toBytes()
  const rBytes = R.add(t[j]!).toBytes()
  return build(name, valid, { key, rBytes, message: search(name, rBytes, key, wanted) })
}

const reduced = (k: bigint): bigint => (k % order) % 8n

const torsionVectors = (): readonly EdgeVector[] => [
  torsioned('key with torsion of order 2, even challenge', true, 4, 0, (k) => reduced(k) % 2n === 0n),
  torsioned('key with torsion of order 2, odd challenge', false, 4, 0, (k) => reduced(k) % 2n === 1n),
  torsioned('key with torsion of order 4, challenge divides', true, 2, 0, (k) => reduced(k) % 4n === 0n),
  torsioned('key with torsion of order 4, challenge is 2 mod 4', false, 2, 0, (k) => reduced(k) % 4n === 2n),
  torsioned(
    'key with torsion of order 8, divides only once reduced',
    true,
    1,
    0,
    (k) => reduced(k) === 0n && k % 8n !== 0n,
  ),
  torsioned(
    'key with torsion of order 8, divides only unreduced',
    false,
    1,
    0,
    (k) => reduced(k) !== 0n && k % 8n === 0n,
  ),
  torsioned('key with torsion of order 8, challenge is 4 mod 8', false, 1, 0, (k) => reduced(k) === 4n),
  torsioned('R with torsion of order 2', false, 0, 4, () => true),
  torsioned('R with torsion of order 4', false, 0, 2, () => true),
  torsioned('R with torsion of order 8', false, 0, 1, () => true),
  torsioned('key and R with torsion that cancels', true, 1, 3, (k) => reduced(k) === 5n),
  torsioned('key and R with torsion that does not cancel', false, 1, 3, (k) => reduced(k) === 3n),
]

/** The equation holds on the decoded points in all of these, and the prechecks refuse them. */
const smallOrderVectors = (): readonly EdgeVector[] => {
  const order8 = t[1]!.toBytes()
  const identity = Point.ZERO.toBytes()
  const long = toBytes(p + 1n) // another encoding of the identity
  return [
    build('key is the identity', false, { key: identity, secret: 0n }),
    build('key is of order 8, challenge divides', false, {
      key: order8,
      secret: 0n,
      message: search('key is of order 8', R.toBytes(), order8, (k) => reduced(k) === 0n),
    }),
    build('R is the identity', false, { rBytes: identity, nonce: 0n }),
    build('key is the identity with y = p + 1', false, { key: long, secret: 0n }),
    build('R is the identity with y = p + 1', false, { rBytes: long, nonce: 0n }),
    build('key is the identity with the sign bit set', false, {
      key: toBytes(1n | (1n << 255n)),
      secret: 0n,
    }),
  ]
}

const firstY = (from: bigint, wanted: boolean): Uint8Array => {
  for (let y = from; ; y++) if ((decode(y) !== undefined) === wanted) return toBytes(y)
}

const encodingVectors = (): readonly EdgeVector[] => [
  build('key with y = p + 3 or above', false, { key: firstY(p + 3n, true) }),
  build('key not on the curve', false, { key: firstY(2n, false) }),
  build('R not on the curve', false, { rBytes: firstY(2n, false) }),
  build('S + L', false, { s: (s) => s + order }),
  build('S + 1', false, { s: (s) => s + 1n }),
  build('S is L − S', false, { s: (s) => order - s }),
  build('R of the other sign', false, { nonce: r, rBytes: R.negate().toBytes() }),
]

const cut = (
  vector: EdgeVector,
  name: string,
  change: (of: EdgeVector) => Partial<EdgeVector>,
): EdgeVector => ({
  ...vector,
  ...change(vector),
  name,
  valid: false,
})

export const deriveEdgeVectors = (): readonly EdgeVector[] => {
  const plain = build('plain', true)
  return [
    plain,
    build('empty message', true, { message: '' }),
    build('message of many blocks and of all lengths of UTF-8', true, { message: 'aä€😀'.repeat(40) }),
    cut(plain, 'another message', () => ({ message: 'plain.' })),
    cut(plain, 'signature of 63 bytes', ({ signature }) => ({ signature: signature.slice(0, -2) })),
    cut(plain, 'signature of 65 bytes', ({ signature }) => ({ signature: `${signature}00` })),
    cut(plain, 'no signature', () => ({ signature: '' })),
    cut(plain, 'key of 31 bytes', ({ publicKey }) => ({ publicKey: publicKey.slice(0, -2) })),
    cut(plain, 'key of 33 bytes', ({ publicKey }) => ({ publicKey: `${publicKey}00` })),
    ...torsionVectors(),
    ...smallOrderVectors(),
    ...encodingVectors(),
  ]
}
