import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeSlot, encodeSlot, newestSlot, type Slot, slotIndex } from '../../../src/codec/slot.ts'

const value = Uint8Array.of(1, 2, 3, 0, 255)
const slot: Slot = { counter: 7, value }

describe('slots', () => {
  test('a slot of any counter and value is read as it was written, whatever follows it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        fc.uint8Array(),
        fc.uint8Array(),
        (counter, given, rest) => {
          const bytes = encodeSlot({ counter, value: given })
          expect(decodeSlot(Uint8Array.from([...bytes, ...rest]))).toEqual({ counter, value: given })
        },
      ),
    )
  })

  test('the encoding is frozen (checksum by sha256sum)', () => {
    expect(Buffer.from(encodeSlot(slot)).toString('hex')).toBe(
      '74617574736c7431' +
        'e9bc5820eb739c01d58e15eadec0aff1c17b1aa23c168e5bd13e73ff19542a17' +
        '0000000000000007' +
        '00000005' +
        '01020300ff',
    )
  })

  test('with any one bit changed it is no slot', () => {
    const bytes = encodeSlot(slot)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = new Uint8Array(bytes)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect(decodeSlot(changed), `bit ${bit}`).toBeUndefined()
    }
  })

  test('cut short anywhere, or empty, or all zeros, it is no slot', () => {
    const bytes = encodeSlot(slot)
    for (let length = 0; length < bytes.length; length++)
      expect(decodeSlot(bytes.subarray(0, length))).toBeUndefined()
    expect(decodeSlot(new Uint8Array(4096))).toBeUndefined()
  })

  test('torn between an older and a newer slot anywhere, it is one of them or none', () => {
    const before = encodeSlot({ counter: 5, value: Uint8Array.of(9, 9, 9, 9, 9, 9, 9) })
    const after = encodeSlot(slot)
    for (let landed = 0; landed <= after.length; landed++) {
      const torn = new Uint8Array(before)
      torn.set(after.subarray(0, landed))
      const expected = landed === 0 ? 5 : landed === after.length ? 7 : undefined
      // The two share their magic, so nothing has changed before it has landed.
      expect(decodeSlot(torn)?.counter).toBe(landed <= 8 ? 5 : expected)
    }
  })

  test('the newest whole slot is taken, in whichever place', () => {
    const older: Slot = { counter: 6, value }
    expect(newestSlot([older, slot])).toBe(slot)
    expect(newestSlot([slot, older])).toBe(slot)
    expect(newestSlot([undefined, older])).toBe(older)
    expect(newestSlot([undefined, undefined])).toBeUndefined()
  })

  test('consecutive counters go to different slots', () => {
    expect([1, 2, 3, 4].map(slotIndex)).toEqual([1, 0, 1, 0])
  })
})
