/**
 * Public keys as text: base58btc multibase over a multicodec prefix and the 32 bytes of the key.
 *
 * @see https://www.w3.org/TR/cid-1.0/#Multikey
 */
import { base58 } from '@scure/base'

export type KeyKind = 'ed25519' | 'x25519'

/** Multicodec `ed25519-pub` 0xed and `x25519-pub` 0xec, each as a varint of two bytes. */
const prefixes: Readonly<Record<KeyKind, number>> = { ed25519: 0xed, x25519: 0xec }
/** 34 bytes take 47 characters of base58, or 46, and the `z`. */
const maxChars = 49

export interface PublicKey {
  readonly kind: KeyKind
  /** 32 bytes. */
  readonly bytes: Uint8Array
}

export const encodeMultikey = ({ kind, bytes }: PublicKey): string =>
  `z${base58.encode(Uint8Array.of(prefixes[kind], 1, ...bytes))}`

/** @returns undefined for anything else than an Ed25519 or X25519 key */
export const decodeMultikey = (text: string): PublicKey | undefined => {
  if (!text.startsWith('z') || text.length > maxChars) return undefined
  const bytes = decodeBase58(text.slice(1))
  if (bytes?.length !== 34 || bytes[1] !== 1) return undefined
  if (bytes[0] === prefixes.ed25519) return { kind: 'ed25519', bytes: bytes.subarray(2) }
  if (bytes[0] === prefixes.x25519) return { kind: 'x25519', bytes: bytes.subarray(2) }
  return undefined
}

/** The time grows with the square of the length: bound it before. */
export const decodeBase58 = (text: string): Uint8Array | undefined => {
  try {
    return base58.decode(text)
  } catch {
    return undefined
  }
}
