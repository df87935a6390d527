import { maxHashes } from '../messages/limits.ts'
import type { Hash } from '../units.ts'

/** As many messages as these hashes need. */
export function* portions(hashes: readonly Hash[]): Generator<Hash[]> {
  for (let at = 0; at < hashes.length; at += maxHashes) yield hashes.slice(at, at + maxHashes)
}
