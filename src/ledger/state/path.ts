/** Where a key belongs in the tree: hashes spread keys evenly, whatever they are, so no one can grow a deep corner. */
import { hashObject } from '../../crypto/hash.ts'
import type { Branded } from '../../units.ts'

/** 64 hex digits, one for each level of the tree from the root down. */
export type Path = Branded<string, 'Path'>

export const pathOf = (key: string): Path => hashObject('state-key', key) as string as Path

export const hexDigits = '0123456789abcdef'

/** The child, 0 to 15, that a path takes at a branch of this depth (the root's is 0). */
export const digitAt = (path: Path, depth: number): number => {
  const unit = path.charCodeAt(depth)
  return unit <= 0x39 ? unit - 0x30 : unit - 0x57
}
