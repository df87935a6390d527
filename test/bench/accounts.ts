/** Who sends and who receives: senders with keys of their own, receivers that are addresses only. */
import { createHash } from 'node:crypto'
import { encodeAddress } from '../../src/codec/address.ts'
import type { Signer } from '../../src/ports/keys.ts'
import { createNodeSigner } from '../../src/runtime/node/keys.ts'
import type { Address } from '../../src/units.ts'

export interface Sender {
  readonly signer: Signer
  /** Of its next transaction. */
  nonce: number
}

const digest = (text: string): Uint8Array => new Uint8Array(createHash('sha256').update(text).digest())

export const createSenders = (count: number): readonly Sender[] =>
  Array.from({ length: count }, (_, at) => ({ signer: createNodeSigner(digest(`sender ${at}`)), nonce: 0 }))

/** Nobody has its key: receiving takes no more than a canonical encoding, which a small y is. */
export const receiver = (at: number): Address => {
  const key = digest(`receiver ${at}`)
  key[31]! &= 0x3f
  return encodeAddress(key)
}

/** The golden ratio's fraction: its multiples fill an interval evenly, wherever one stops. */
const stride = (Math.sqrt(5) - 1) / 2

/** The receiver of the so-manieth transfer, spread over the first `count` of them. */
export const spreadReceiver = (transfer: number, count: number): Address =>
  receiver(Math.floor(((transfer * stride) % 1) * count))
