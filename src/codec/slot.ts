/**
 * Slots: how one value is replaced again and again without ever being lost.
 *
 * Two slots take turns. Each holds a counter, the value, and a checksum over both. A write that was torn
 * by a crash spoils only the slot that it went to, and the other one still holds the value before. Readers
 * take the slot with the highest counter among those that are whole.
 *
 * | offset | bytes | |
 * |---|---|---|
 * | 0 | 8 | `tautslt1` |
 * | 8 | 32 | SHA-256 of everything after it |
 * | 40 | 8 | counter, big-endian, from 1 |
 * | 48 | 4 | length of the value, big-endian |
 * | 52 | | the value; what follows it is ignored, so a file need not be cut to its content |
 */
import { sha256 } from '@noble/hashes/sha2.js'

export interface Slot {
  readonly counter: number
  readonly value: Uint8Array
}

/** SHA-256, 32 bytes. Large values on a runtime with a native one should use that: noble needs 10 ms a megabyte. */
export type Digest = (bytes: Uint8Array) => Uint8Array

const magic = new TextEncoder().encode('tautslt1')
const checksumAt = 8
const counterAt = 40
const lengthAt = 48
const valueAt = 52

export const encodeSlot = ({ counter, value }: Slot, digest: Digest = sha256): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(valueAt + value.length)
  const view = new DataView(bytes.buffer)
  bytes.set(magic)
  view.setBigUint64(counterAt, BigInt(counter))
  view.setUint32(lengthAt, value.length)
  bytes.set(value, valueAt)
  bytes.set(digest(bytes.subarray(counterAt)), checksumAt)
  return bytes
}

/** @returns undefined unless the slot is whole; the value is a view into the given bytes */
export const decodeSlot = (bytes: Uint8Array, digest: Digest = sha256): Slot | undefined => {
  if (bytes.length < valueAt || !startsWith(bytes, magic)) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = valueAt + view.getUint32(lengthAt)
  if (end > bytes.length) return undefined
  if (!startsWith(bytes.subarray(checksumAt), digest(bytes.subarray(counterAt, end)))) return undefined
  return { counter: Number(view.getBigUint64(counterAt)), value: bytes.subarray(valueAt, end) }
}

/** Which of the two slots a counter is written to. */
export const slotIndex = (counter: number): 0 | 1 => (counter % 2 === 0 ? 0 : 1)

export const newestSlot = (slots: readonly (Slot | undefined)[]): Slot | undefined =>
  slots.reduce((newest, slot) => (slot && slot.counter > (newest?.counter ?? 0) ? slot : newest), undefined)

const startsWith = (bytes: Uint8Array, start: Uint8Array): boolean =>
  start.every((byte, at) => bytes[at] === byte)
