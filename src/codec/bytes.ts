/** Text and bytes: UTF-8 that fails instead of replacing, and lowercase hex. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { TautlineError } from '../errors.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export const encodeUtf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text)

/** @throws TautlineError `malformed-json` on bytes that are not UTF-8 (a byte order mark is kept, and then no JSON) */
export const decodeUtf8 = (bytes: Uint8Array): string => {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new TautlineError(
      'malformed-json',
      'the bytes are not UTF-8: send UTF-8 without a byte order mark',
      {},
      cause,
    )
  }
}

/** Length of the text in UTF-8, in bytes. A lone surrogate counts as the three that TextEncoder makes of it. */
export const utf8Bytes = (text: string): number => (beyondAscii.test(text) ? countUtf8(text) : text.length)

// biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII is meant
const beyondAscii = /[^\x00-\x7f]/

const countUtf8 = (text: string): number => {
  let bytes = text.length
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    if (unit >= 0x80) bytes += unit >= 0x800 ? 2 : 1
    if (isHighSurrogate(unit) && isLowSurrogate(text.charCodeAt(at + 1))) at++ // four: three for one half, one for the other
  }
  return bytes
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff
const isLowSurrogate = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff

export const encodeHex = bytesToHex
export const decodeHex = hexToBytes as (hex: string) => Uint8Array<ArrayBuffer>
