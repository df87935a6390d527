import { hashes, Point, verify } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js'
import { describe, expect, test } from 'vitest'
import { encodeAddress } from '../../../src/codec/address.ts'
import { encodeUtf8 } from '../../../src/codec/bytes.ts'
import { isAcceptablePoint, passesPrechecks, verifyPortable } from '../../../src/crypto/ed25519.ts'
import { nodeEquations } from '../../../src/runtime/node/keys.ts'
import { judge } from '../../../src/runtime/verifier.ts'
import { createWebEquation } from '../../../src/runtime/web/keys.ts'
import { decode, smallOrderPoints, toBytes } from './derive-edge-vectors.ts'

const { p, n: order } = Point.CURVE()
const signBit = 1n << 255n

/** Every 32 bytes that ZIP 215 decodes to a point of small order: y or y + p, with either sign. */
const encodings = (): readonly Uint8Array[] => {
  const found = new Map<string, Uint8Array>()
  for (const { y } of smallOrderPoints().map((point) => point.toAffine())) {
    for (const value of [y, y + p].filter((candidate) => candidate < signBit)) {
      for (const sign of [0n, 1n] as const) {
        if (!decode(value, sign)?.isSmallOrder()) continue
        const bytes = toBytes(value | (sign * signBit))
        found.set(bytesToHex(bytes), bytes)
      }
    }
  }
  return [...found.values()]
}

/** The set of ZIP 215: with S = 0 the equation times the cofactor holds for any two of them. */
const pairs = encodings().flatMap((key) =>
  encodings().map((r) => ({
    publicKey: key,
    signature: Uint8Array.from(concatBytes(r, new Uint8Array(32))),
  })),
)
const message = encodeUtf8('Zcash')

describe('points of small order', () => {
  test('there are eight, in 14 encodings, and none is acceptable', () => {
    expect(new Set(smallOrderPoints().map((point) => point.toHex())).size).toBe(8)
    expect(encodings()).toHaveLength(14)
    expect(encodings().filter(isAcceptablePoint)).toEqual([])
  })

  test('all 196 pairs of key and R are refused by the prechecks, though ZIP 215 takes every one', () => {
    hashes.sha512 = sha512
    expect(pairs).toHaveLength(196)
    expect(pairs.filter(({ publicKey, signature }) => passesPrechecks(publicKey, signature))).toEqual([])
    expect(pairs.every(({ publicKey, signature }) => verify(signature, message, publicKey))).toBe(true)
  })

  test('all 196 pairs are rejected, whatever solves the equation', async () => {
    expect(pairs.filter(({ publicKey, signature }) => verifyPortable(publicKey, message, signature))).toEqual(
      [],
    )
    for (const equation of [...nodeEquations(), createWebEquation()]) {
      const verdicts = pairs.map((pair) =>
        judge(equation, { ...pair, message, key: encodeAddress(pair.publicKey) }),
      )
      expect((await Promise.all(verdicts)).filter(Boolean)).toEqual([])
    }
  })
})

describe('encodings at the edges', () => {
  test('y from p upwards is refused with either sign, the largest y below −1 is taken', () => {
    for (let above = 0n; p + above < signBit; above++) {
      expect(isAcceptablePoint(toBytes(p + above))).toBe(false)
      expect(isAcceptablePoint(toBytes((p + above) | signBit))).toBe(false)
    }
    expect(isAcceptablePoint(toBytes(p - 2n))).toBe(true)
    expect(isAcceptablePoint(toBytes((p - 2n) | signBit))).toBe(true)
  })

  test('bytes that differ from a small-order encoding in any one place but the sign are taken', () => {
    const [, ...rest] = encodings().filter(
      (bytes) => Point.fromBytes(bytes, true).toHex() === bytesToHex(bytes),
    )
    for (const bytes of rest) {
      for (let bit = 0; bit < 255; bit++) {
        const changed = Uint8Array.from(bytes)
        changed[bit >> 3]! ^= 1 << (bit & 7)
        const y = BigInt(`0x${bytesToHex(changed.reverse())}`) & (signBit - 1n)
        const isOther = y < p && y > 1n && y !== p - 1n
        expect(isAcceptablePoint(changed.reverse())).toBe(isOther)
      }
    }
  })

  test.for([0, 31, 33, 64])('a point of %i bytes is refused', (length) => {
    expect(isAcceptablePoint(new Uint8Array(length).fill(9))).toBe(false)
  })

  test('S must be below L, to the last bit', () => {
    const passes = (s: bigint): boolean =>
      passesPrechecks(Point.BASE.toBytes(), concatBytes(Point.BASE.toBytes(), toBytes(s)))
    expect([0n, 1n, order - 256n, order - 1n].map(passes)).toEqual([true, true, true, true])
    const above = [order, order + 1n, order + 256n, 2n * order, 1n << 253n, (1n << 256n) - 1n]
    expect(above.filter(passes)).toEqual([])
  })
})
