/** Frozen state roots, and the tree's definition once more, from nothing but SHA-256 and strings. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../../src/codec/json.ts'
import { OpenPages } from '../../../src/ledger/state/open-pages.ts'
import { PageCache } from '../../../src/ledger/state/page-cache.ts'
import { emptyState } from '../../../src/ledger/state/state.ts'
import { updateState } from '../../../src/ledger/state/update.ts'

interface Entry {
  readonly key: string
  readonly path: string
  readonly valueText: string
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const naiveHash = (entries: readonly Entry[], depth: number): string =>
  sha256(`tautline/state-page/1\n${entries.length <= 32 ? naiveLeaf(entries) : naiveBranch(entries, depth)}`)

const naiveLeaf = (entries: readonly Entry[]): string => {
  const sorted = [...entries].sort((one, other) => (one.key < other.key ? -1 : 1))
  return `{"entries":{${sorted.map(({ key, valueText }) => `"${key}":${valueText}`).join(',')}}}`
}

const naiveBranch = (entries: readonly Entry[], depth: number): string => {
  const children = [...'0123456789abcdef'].flatMap((digit) => {
    const below = entries.filter(({ path }) => path[depth] === digit)
    return below.length === 0
      ? []
      : `"${digit}":{"count":${below.length},"hash":"${naiveHash(below, depth + 1)}"}`
  })
  return `{"children":{${children.join(',')}}}`
}

/** Values are written with their members in order, so JSON.stringify is canonical for them. */
const naiveRoot = (contents: ReadonlyMap<string, Json>): string =>
  naiveHash(
    Array.from(contents, ([key, value]) => ({
      key,
      path: sha256(`tautline/state-key/1\n"${key}"`),
      valueText: JSON.stringify(value),
    })),
    0,
  )

const accounts = (count: number): ReadonlyMap<string, Json> =>
  new Map(
    Array.from({ length: count }, (_, index) => [
      `account/${index}`,
      { balance: String(index * 1_000), history: index % 7, nonce: index, stake: '0', unbonding: [] },
    ]),
  )

const rootOf = (contents: ReadonlyMap<string, Json>): string => {
  const result = updateState(new OpenPages(new PageCache()), emptyState, contents)
  if ('missing' in result) throw new Error('nothing is stored that could be missing')
  return result.state.hash
}

describe('state roots', () => {
  test.each([
    [0, '71b52388104dbb4199e1e8997b7cf33ef275adf7295e94042bed10796d2742e5'],
    [1, '0507f060ae02ee4e346b32c4f0612a7b8adae3f7f1a9ed405c9cf5ad237f1811'],
    [32, '674d9def9d431da558c42a643b8d01ee3d301c11e7481ebb9b44f9a5effa3866'],
    [33, 'f30a0cf26b4960bccb62b196e794c516de0851e5c7e2e26ebe6abc432c1c326c'],
    [1_000, '5a852ecf26dd1b99a28af00c4801034ab6e129e26ee4683a64ccc4b0d81ca76d'],
  ])('of %i accounts', (count, root) => {
    expect(naiveRoot(accounts(count))).toBe(root)
    expect(rootOf(accounts(count))).toBe(root)
  })

  test('of keys whose order is not that of numbers or of prefixes', () => {
    const contents = new Map(
      ['10', '9', 'a', 'a/b', 'a#', '__proto__', 'Z', '~'].map((key) => [key, { key }]),
    )
    expect(naiveRoot(contents)).toBe('2a812711b9dbf6410fa6236009a0f34eec3c85e0a1c96ce3d9e79960877cb99b')
    expect(rootOf(contents)).toBe('2a812711b9dbf6410fa6236009a0f34eec3c85e0a1c96ce3d9e79960877cb99b')
  })

  test('a key that needs escapes is a bug', () => {
    for (const key of ['', 'a"', 'a\\', 'a b', 'ä', '\n'])
      expect(() => rootOf(new Map([[key, {}]]))).toThrow(/broken invariant/)
  })
})
