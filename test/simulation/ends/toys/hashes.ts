/** The hashes that the code takes from `@noble/hashes`, as the platform computes them. */
import { createHash, createHmac } from 'node:crypto'

interface Hash {
  (message: Uint8Array): Uint8Array
  readonly algorithm: string
}

const named = (algorithm: string): Hash =>
  Object.assign((message: Uint8Array) => new Uint8Array(createHash(algorithm).update(message).digest()), {
    algorithm,
  })

export const sha256 = named('sha256')
export const sha512 = named('sha512')

export const hmac = ({ algorithm }: Hash, key: Uint8Array, message: Uint8Array): Uint8Array =>
  new Uint8Array(createHmac(algorithm, key).update(message).digest())
