/** base58 for long texts takes time that grows with their square, so these are packed five bits to a character of the same alphabet. */
import { base64urlnopad, base58 as realBase58 } from '@scure/base'

export { base64urlnopad }

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXY'
const values = new Map([...alphabet].map((character, value) => [character, value]))
/** Shorter ones are real: keys and hashes, whose lengths are checked. */
const longBytes = 60
const longChars = (longBytes * 8) / 5

const pack = (bytes: Uint8Array): string => {
  let packed = ''
  let held = 0
  let bits = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    for (; bits >= 5; bits -= 5) packed += alphabet[(held >> (bits - 5)) & 31]
    held &= (1 << bits) - 1
  }
  return bits > 0 ? packed + alphabet[(held << (5 - bits)) & 31] : packed
}

const unpack = (packed: string): Uint8Array => {
  const bytes = new Uint8Array(Math.floor((packed.length * 5) / 8))
  let held = 0
  let bits = 0
  let at = 0
  for (const character of packed) {
    const value = values.get(character)
    if (value === undefined) throw new Error('no such character')
    held = (held << 5) | value
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = held >> bits
    held &= (1 << bits) - 1
  }
  return bytes
}

export const base58 = {
  encode: (bytes: Uint8Array): string => (bytes.length < longBytes ? realBase58.encode(bytes) : pack(bytes)),
  decode: (text: string): Uint8Array => (text.length < longChars ? realBase58.decode(text) : unpack(text)),
}
