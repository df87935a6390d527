/** Unpredictable bytes of a step, all made of its seed. */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'

export class Entropy {
  readonly #seed: Uint8Array
  #blocks = 0

  constructor(seed: Uint8Array) {
    this.#seed = seed
  }

  /** Bytes that were never taken before. */
  take(count: number): Uint8Array {
    const bytes = new Uint8Array(Math.ceil(count / 32) * 32)
    for (let at = 0; at < count; at += 32) bytes.set(this.#block(), at)
    return bytes.subarray(0, count)
  }

  /** From 0 to below 1. */
  fraction(): number {
    return new DataView(this.take(4).buffer).getUint32(0) / 2 ** 32
  }

  #block(): Uint8Array {
    const counter = new Uint8Array(4)
    new DataView(counter.buffer).setUint32(0, this.#blocks++)
    return hmac(sha256, this.#seed, counter)
  }
}
