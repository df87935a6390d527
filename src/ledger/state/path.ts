/** Where a key belongs in the tree: hashes spread keys evenly, whatever they are, so no one can grow a deep corner. */
import { LRUCache } from 'lru-cache'
import { hashObject } from '../../crypto/hash.ts'
import type { Branded } from '../../units.ts'

/** 64 hex digits, one for each level of the tree from the root down. */
export type Path = Branded<string, 'Path'>

/** Keys whose paths are kept: those of active accounts, of 0.3 KB each, are needed for each of their blocks. */
export const maxKnownPaths = 16_384
const known = new LRUCache<string, Path>({ max: maxKnownPaths })

export const pathOf = (key: string): Path => {
  const path = known.get(key)
  if (path) return path
  const fresh = hashObject('state-key', key) as string as Path
  known.set(key, fresh)
  return fresh
}

export const hexDigits = '0123456789abcdef'

/** The child, 0 to 15, that a path takes at a branch of this depth (the root's is 0). */
export const digitAt = (path: Path, depth: number): number => {
  const unit = path.charCodeAt(depth)
  return unit <= 0x39 ? unit - 0x30 : unit - 0x57
}
