import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hashObject } from '../../src/crypto/hash.ts'
import { merklePath, merkleRoot, merkleRootFromPath } from '../../src/crypto/merkle.ts'
import type { Hash } from '../../src/units.ts'

const leaf = (at: number): Hash => hashObject('leaf', { at })
const leaves = Array.from({ length: 70 }, (_, at) => leaf(at))
const branch = (left: Hash, right: Hash): Hash => hashObject('branch', [left, right])

/** The largest power of two below n (RFC 6962 §2.1). */
const split = (n: number): number => {
  let power = 1
  while (power * 2 < n) power *= 2
  return power
}

/** MTH of RFC 6962 §2.1, word for word. */
const rootByDefinition = (list: readonly Hash[]): Hash => {
  if (list.length === 0) return hashObject('branch', [])
  if (list.length === 1) return list[0]!
  const k = split(list.length)
  return branch(rootByDefinition(list.slice(0, k)), rootByDefinition(list.slice(k)))
}

/** PATH of RFC 6962 §2.1.1, word for word. */
const pathByDefinition = (list: readonly Hash[], m: number): readonly Hash[] => {
  if (list.length === 1) return []
  const k = split(list.length)
  return m < k
    ? [...pathByDefinition(list.slice(0, k), m), rootByDefinition(list.slice(k))]
    : [...pathByDefinition(list.slice(k), m - k), rootByDefinition(list.slice(0, k))]
}

/** On which side the sibling stands, from the leaf up: all that index and count have to do with a path. */
const sides = (index: number, count: number): string => {
  if (count === 1) return ''
  const k = split(count)
  return index < k ? `${sides(index, k)}r` : `${sides(index - k, count - k)}l`
}

const place = fc
  .integer({ min: 1, max: leaves.length })
  .chain((count) => fc.record({ count: fc.constant(count), index: fc.integer({ min: 0, max: count - 1 }) }))

describe('merkle trees', () => {
  test('roots and paths are those of RFC 6962, and lead to one another, for every place in up to 70 leaves', () => {
    expect(merkleRoot([])).toBe(rootByDefinition([]))
    for (let count = 1; count <= leaves.length; count++) {
      const list = leaves.slice(0, count)
      const root = merkleRoot(list)
      expect(root).toBe(rootByDefinition(list))
      for (let index = 0; index < count; index++) {
        const path = merklePath(list, index)
        expect(path).toEqual(pathByDefinition(list, index))
        expect(merkleRootFromPath(list[index]!, index, count, path)).toBe(root)
      }
    }
  })

  test('a path leads to the root from no other index, and from another count only if that has the same shape', () => {
    fc.assert(
      fc.property(place, place, ({ index, count }, other) => {
        const list = leaves.slice(0, count)
        const reached = merkleRootFromPath(list[index]!, other.index, other.count, merklePath(list, index))
        expect(reached === merkleRoot(list)).toBe(sides(index, count) === sides(other.index, other.count))
      }),
      { numRuns: 1_000 },
    )
    const list = leaves.slice(0, 13)
    for (let index = 0; index < 13; index++) {
      for (let other = 0; other < 13; other++) {
        const reached = merkleRootFromPath(list[index]!, other, 13, merklePath(list, index))
        expect(reached === merkleRoot(list)).toBe(index === other)
      }
    }
  })

  test('with any hash of it changed, left out, doubled or swapped a path leads elsewhere', () => {
    fc.assert(
      fc.property(place, fc.nat(), ({ index, count }, seed) => {
        const list = leaves.slice(0, count)
        const root = merkleRoot(list)
        const path = merklePath(list, index)
        const reach = (through: readonly Hash[]): Hash | undefined =>
          merkleRootFromPath(list[index]!, index, count, through)
        expect(merkleRootFromPath(leaf(-1), index, count, path)).not.toBe(root)
        expect(reach([...path, leaf(-1)])).toBeUndefined()
        if (path.length === 0) return
        const at = seed % path.length
        expect(reach(path.with(at, leaf(-1)))).not.toBe(root)
        expect(reach(path.toSpliced(at, 1))).toBeUndefined()
        expect(reach(path.toSpliced(at, 0, path[at]!))).toBeUndefined()
        if (path.length > 1) expect(reach(path.toReversed())).not.toBe(root)
      }),
    )
  })

  test.for<[number, number]>([
    [-1, 4],
    [4, 4],
    [5, 4],
    [0, 0],
    [0.5, 4],
    [Number.NaN, 4],
    [0, Number.NaN],
    [0, Number.POSITIVE_INFINITY],
    [2 ** 32, 4],
    [2 ** 53, 2 ** 54],
  ])('there is no place %d of %d', ([index, count]) => {
    expect(merkleRootFromPath(leaves[0]!, index, count, merklePath(leaves.slice(0, 4), 0))).toBeUndefined()
  })

  test.for([2 ** 31, 2 ** 32, 2 ** 40])(
    'an index or a count beyond by %d is not taken for the one below it',
    (beyond) => {
      const list = leaves.slice(0, 4)
      for (let index = 0; index < 4; index++) {
        const path = merklePath(list, index)
        expect(merkleRootFromPath(list[index]!, index + beyond, 4 + beyond, path)).toBeUndefined()
        expect(merkleRootFromPath(list[index]!, index, 4 + beyond, path)).toBeUndefined()
      }
    },
  )

  test('the sides of a path are right for places beyond 32 bits', () => {
    const beyond = fc
      .integer({ min: 2, max: 2 ** 50 })
      .chain((count) =>
        fc.record({ count: fc.constant(count), index: fc.integer({ min: 0, max: count - 1 }) }),
      )
    fc.assert(
      fc.property(beyond, ({ index, count }) => {
        const way = [...sides(index, count)]
        const path = way.map((_, at) => leaves[at]!)
        const root = way.reduce<Hash>(
          (hash, side, at) => (side === 'r' ? branch(hash, path[at]!) : branch(path[at]!, hash)),
          leaf(-1),
        )
        expect(merkleRootFromPath(leaf(-1), index, count, path)).toBe(root)
      }),
    )
  })

  test('no leaf stands for a branch: a shorter tree of the inner hashes has the same root, and other proofs', () => {
    const inner = [branch(leaves[0]!, leaves[1]!), branch(leaves[2]!, leaves[3]!)]
    const path = merklePath(leaves.slice(0, 4), 0)
    expect(merkleRootFromPath(inner[0]!, 0, 4, path.slice(1))).toBeUndefined()
    expect(hashObject('leaf', [leaves[0]!, leaves[1]!])).not.toBe(inner[0])
  })
})
