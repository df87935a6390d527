/** Randomness as this machine has it. */
import { randomBytes, randomInt } from 'node:crypto'
import type { Random } from '../../ports/random.ts'

export const systemRandom: Random = {
  bytes: (count) => new Uint8Array(randomBytes(count)),
  fraction: () => randomInt(2 ** 32) / 2 ** 32,
}
