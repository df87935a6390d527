/**
 * Bare verification with nothing around it, texts encoded beforehand: by `node:crypto`, the yardstick, its keys
 * imported beforehand too; and by whatever library the node chooses on this machine.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import { loadNativeEd25519 } from '../../src/runtime/node/native-ed25519.js'

export interface SignedText {
  /** 32 bytes. */
  readonly publicKey: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

export interface Claim extends SignedText {
  readonly key: KeyObject
}

export const importClaims = (texts: readonly SignedText[]): readonly Claim[] =>
  texts.map(({ publicKey, message, signature }) => {
    const x = Buffer.from(publicKey).toString('base64url')
    return {
      key: createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' }),
      publicKey,
      message,
      signature,
    }
  })

/** Between two looks at the clock. */
const burst = 16

/** What the node verifies with. */
export const ownVerifier = loadNativeEd25519()[0]!

const verifyOnce = {
  yardstick: ({ key, message, signature }: Claim) => verify(null, message, key, signature),
  own: ({ publicKey, message, signature }: Claim) => ownVerifier.verify(publicKey, message, signature),
}
export type Means = keyof typeof verifyOnce

/** Verifies on this thread. */
export const verifyFor = (claims: readonly Claim[], means: Means, durationMs: number): number => {
  const endMs = performance.now() + durationMs
  let count = 0
  while (performance.now() < endMs) {
    for (let at = 0; at < burst; at++) {
      const claim = claims[count++ % claims.length]!
      if (!verifyOnce[means](claim)) throw new Error('a good signature was found bad')
    }
  }
  return count
}

/** Given to libuv's threads at a time: as many as the node gives them. */
const inFlight = 128

/** Verifies on libuv's threads. */
export const verifyOnLibuvFor = (claims: readonly Claim[], durationMs: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const endMs = performance.now() + durationMs
    let begun = 0
    let done = 0
    let isOver = false
    const next = (): void => {
      const { key, message, signature } = claims[begun++ % claims.length]!
      verify(null, message, key, signature, (error, holds) => {
        if (error || !holds) return reject(error ?? new Error('a good signature was found bad'))
        done++
        isOver ||= performance.now() >= endMs
        if (!isOver) next()
        else if (done === begun) resolve(done)
      })
    }
    for (let at = 0; at < inFlight; at++) next()
  })
