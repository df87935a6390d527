/**
 * Addresses: bech32m (BIP-350), human part `taut`, over the 32-byte Ed25519 public key. The address is
 * the key, so a signature needs nothing else to be checked; the checksum catches typing errors.
 */
import { bech32m } from '@scure/base'
import { LRUCache } from 'lru-cache'
import type { Address } from '../units.ts'

const prefix = 'taut'

/** Addresses whose keys are kept: decoding costs 3 µs, and an active account is decoded for each of its transactions. */
export const maxDecoded = 32_768
const decoded = new LRUCache<string, Uint8Array>({ max: maxDecoded })

/** @param publicKey - 32 bytes */
export const encodeAddress = (publicKey: Uint8Array): Address =>
  bech32m.encode(prefix, bech32m.toWords(publicKey)) as Address

/** @returns the 32-byte public key, or undefined when the text is no address (only lower case is one) */
export const decodeAddress = (text: string): Uint8Array | undefined => {
  const known = decoded.get(text)
  if (known) return known
  const key = decodeFresh(text)
  if (key) decoded.set(text, key)
  return key
}

const decodeFresh = (text: string): Uint8Array | undefined => {
  if (text.length !== 63 || text !== text.toLowerCase()) return undefined
  try {
    const { prefix: human, words } = bech32m.decode(text as `${string}1${string}`)
    const key = bech32m.fromWords(words)
    return human === prefix && key.length === 32 ? key : undefined
  } catch {
    return undefined
  }
}
