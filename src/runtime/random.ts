/** Randomness as this machine has it, by WebCrypto, which every runtime has. */
import type { Random } from '../ports/random.ts'

export const systemRandom: Random = {
  bytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
  fraction: () => crypto.getRandomValues(new Uint32Array(1))[0]! / 2 ** 32,
}
