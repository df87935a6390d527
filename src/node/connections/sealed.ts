/**
 * Sealing at rest. Each connection has two keys: `held` seals what must be gone once it ends (private keys, unsent
 * messages), `kept` what its operator may still read then. Whoever forgets a key forgets all copies that a storage
 * engine may have left on the disk.
 */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { concatBytes } from '@noble/ciphers/utils.js'
import { decodeUtf8, encodeUtf8 } from '../../codec/bytes.ts'
import { type Json, parseJson } from '../../codec/json.ts'
import { TautlineError } from '../../errors.ts'
import type { Random } from '../../ports/random.ts'

export interface RestKeys {
  /** 32 bytes; absent once the connection has ended. */
  readonly held?: Uint8Array
  /** 32 bytes. */
  readonly kept: Uint8Array
}

const keyBytes = 32
const nonceBytes = 24

export const makeRestKeys = (random: Random): RestKeys & { readonly held: Uint8Array } => ({
  held: random.bytes(keyBytes),
  kept: random.bytes(keyBytes),
})

export const encodeRestKeys = ({ kept, held }: RestKeys): Uint8Array =>
  held ? concatBytes(kept, held) : kept

/** @throws TautlineError `damaged-folder` */
export const decodeRestKeys = (bytes: Uint8Array): RestKeys => {
  if (bytes.length !== keyBytes && bytes.length !== 2 * keyBytes)
    throw new TautlineError('damaged-folder', 'the keys of a connection are damaged: restore the data folder')
  const kept = bytes.slice(0, keyBytes)
  return bytes.length === keyBytes ? { kept } : { kept, held: bytes.slice(keyBytes) }
}

/** @param place - under which it is stored: what was sealed for one place can't be put in another */
export const sealJson = (key: Uint8Array, place: string, value: Json, random: Random): Uint8Array => {
  const nonce = random.bytes(nonceBytes)
  const text = encodeUtf8(JSON.stringify(value))
  return concatBytes(nonce, xchacha20poly1305(key, nonce, encodeUtf8(place)).encrypt(text))
}

/** @throws TautlineError `damaged-folder` */
export const openJson = (key: Uint8Array, place: string, bytes: Uint8Array): Json => {
  try {
    const cipher = xchacha20poly1305(key, bytes.subarray(0, nonceBytes), encodeUtf8(place))
    return parseJson(decodeUtf8(cipher.decrypt(bytes.subarray(nonceBytes))))
  } catch (cause) {
    throw new TautlineError(
      'damaged-folder',
      'what is stored of a connection was changed, or its key belongs to another: restore the data folder',
      {},
      cause,
    )
  }
}
