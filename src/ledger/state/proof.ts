/**
 * Verifies what a state has under a key, from the state root and the pages on the way to it.
 *
 * Needs no node, cache or storage, so it runs wherever a proof is read. Pages must be in canonical text, and
 * none may be left over: a proof has one form only.
 */
import { type Json, parseCanonical } from '../../codec/json.ts'
import { hashCanonical } from '../../crypto/hash.ts'
import { TautlineError } from '../../errors.ts'
import type { Hash } from '../../units.ts'
import { type Path, pathOf } from './path.ts'

/** The value, undefined when it is proven that there is none; or why the proof is refused. */
export type StateProofVerdict = { readonly value: Json | undefined } | { readonly refusal: string }

/** @param pages - texts from the root page to the leaf of the key, or to the branch without a child there */
export const verifyStateProof = (root: Hash, key: string, pages: readonly string[]): StateProofVerdict => {
  try {
    return follow(root, key, pages)
  } catch (error) {
    if (error instanceof TautlineError) return { refusal: `the proof can't be read: ${error.message}` }
    throw error
  }
}

const follow = (root: Hash, key: string, pages: readonly string[]): StateProofVerdict => {
  const path = pathOf(key)
  let hash: Json | undefined = root
  for (const [depth, text] of pages.entries()) {
    if (hashCanonical('state-page', text) !== hash)
      return { refusal: `page ${depth} is not the one that belongs there` }
    const page: Json = parseCanonical(text)
    const entries = member(page, 'entries')
    if (entries !== undefined) return endAt(pages, depth, member(entries, key))
    hash = childHash(page, path, depth)
  }
  return hash === undefined
    ? { value: undefined }
    : { refusal: 'the proof ends before its key: a page is missing' }
}

const endAt = (pages: readonly string[], depth: number, value: Json | undefined): StateProofVerdict =>
  depth === pages.length - 1
    ? { value }
    : { refusal: 'the proof goes on after a leaf: expected no further page' }

const childHash = (page: Json, path: Path, depth: number): Json | undefined => {
  const children = member(page, 'children')
  if (children === undefined)
    throw new TautlineError('malformed-json', `page ${depth} is neither a leaf nor a branch`)
  const child = member(children, path.charAt(depth))
  return child === undefined ? undefined : member(child, 'hash')
}

/** A member of the value's own: names like `__proto__` or `constructor` mean nothing else. */
const member = (value: Json, name: string): Json | undefined =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as { readonly [member: string]: Json })[name]
    : undefined
