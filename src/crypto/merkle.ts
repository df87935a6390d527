/**
 * Merkle trees over lists of hashes, shaped as in RFC 6962 §2.1: the left part of a tree of n leaves is the
 * largest power of two below n. Inner nodes are hashed as kind `branch`, which no leaf is.
 */
import type { Hash } from '../units.ts'
import { hashCanonical, hashObject } from './hash.ts'

/** Root of a list of leaf hashes; the empty list has the hash of the empty array. */
export const merkleRoot = (leaves: readonly Hash[]): Hash => {
  if (leaves.length === 0) return hashObject('branch', [])
  let level = leaves
  // Pairing neighbours level by level and carrying an odd last one up gives RFC 6962's shape.
  while (level.length > 1) level = raise(level)
  return level[0]!
}

/**
 * The sibling hashes from a leaf up to the root, lowest first.
 *
 * @param index - of the leaf, 0 to leaves.length − 1
 */
export const merklePath = (leaves: readonly Hash[], index: number): readonly Hash[] => {
  const path: Hash[] = []
  let level = leaves
  for (let at = index; level.length > 1; at >>= 1, level = raise(level)) {
    const sibling = level[at ^ 1]
    if (sibling !== undefined) path.push(sibling)
  }
  return path
}

/**
 * The root that a leaf and its path lead to.
 *
 * @returns undefined when the path is not as long as the place of the leaf requires
 */
export const merkleRootFromPath = (
  leaf: Hash,
  index: number,
  count: number,
  path: readonly Hash[],
): Hash | undefined => {
  if (!isPlace(index, count)) return undefined
  let hash = leaf
  let used = 0
  // No bit operations: they would cut index and count to 32 bits, and so take a path for another place.
  for (let at = index, width = count; width > 1; at = Math.floor(at / 2), width = Math.ceil(width / 2)) {
    const isLeft = at % 2 === 0
    if (isLeft && at + 1 === width) continue // the odd last node of a level moves up as it is
    const sibling = path[used++]
    if (sibling === undefined) return undefined
    hash = isLeft ? branch(hash, sibling) : branch(sibling, hash)
  }
  return used === path.length ? hash : undefined
}

const isPlace = (index: number, count: number): boolean =>
  Number.isSafeInteger(index) && Number.isSafeInteger(count) && index >= 0 && index < count

const raise = (level: readonly Hash[]): readonly Hash[] => {
  const parents: Hash[] = []
  for (let at = 0; at < level.length; at += 2) {
    const right = level[at + 1]
    parents.push(right === undefined ? level[at]! : branch(level[at]!, right))
  }
  return parents
}

// Two hex hashes need no escaping, so their canonical text is written out.
const branch = (left: Hash, right: Hash): Hash => hashCanonical('branch', `["${left}","${right}"]`)
