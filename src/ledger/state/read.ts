/** Reading: values by key, all entries one leaf at a time, and the pages that prove a key. */
import type { Json } from '../../codec/json.ts'
import { assert } from '../../errors.ts'
import type { Attempt, OpenPages } from './open-pages.ts'
import {
  type Branch,
  entryKey,
  findValueText,
  type Leaf,
  leafEntries,
  type Page,
  type PageRef,
  pageText,
} from './page.ts'
import { digitAt, hexDigits, type Path } from './path.ts'
import type { State } from './state.ts'

export interface Values {
  /** For each key that was asked for; undefined where the state has none. */
  readonly values: ReadonlyMap<string, Json | undefined>
}

export const readState = (pages: OpenPages, state: State, keys: readonly string[]): Attempt<Values> => {
  const values = new Map<string, Json | undefined>()
  for (const key of keys) values.set(key, readValue(pages, state, key))
  return pages.takeMissing() ?? { values }
}

const readValue = (pages: OpenPages, state: State, key: string): Json | undefined => {
  const page = descend(pages, state, pages.pathOf(key))
  const text = page?.kind === 'leaf' ? findValueText(page, key) : undefined
  return text === undefined ? undefined : (JSON.parse(text) as Json)
}

/**
 * Where a path ends: the leaf that has or would have its key, or the branch without a child there; undefined
 * before a missing page.
 */
export const descend = (
  pages: OpenPages,
  root: PageRef,
  path: Path,
  visit?: (page: Page) => void,
): Page | undefined => {
  let page = pages.get(root)
  for (let depth = 0; page; depth++) {
    visit?.(page)
    if (page.kind === 'leaf') return page
    const child: PageRef | undefined = page.children[digitAt(path, depth)]
    if (!child) return page
    page = pages.get(child)
  }
  return undefined
}

export interface StateProof {
  /** Canonical texts from the root to where the key is, or would be; `proof.ts` verifies them. */
  readonly pages: readonly string[]
}

/** Proves what the state has under a key, or that it has nothing there. */
export const proveState = (pages: OpenPages, state: State, key: string): Attempt<StateProof> => {
  const texts: string[] = []
  descend(pages, state, pages.pathOf(key), (page) => texts.push(pageText(page)))
  return pages.takeMissing() ?? { pages: texts }
}

/** Place in a walk over all entries: the prefix of the paths that come next. */
export type WalkCursor = string

export interface WalkStep {
  /** At most a leaf's, in order of their keys. */
  readonly entries: readonly (readonly [key: string, value: Json])[]
  /** Where the walk goes on; absent at its end. */
  readonly next?: WalkCursor
}

/**
 * One step of a walk over all entries, in an order that only the contents decide. Take fresh pages for each,
 * or those of the whole walk stay in memory. What is missing is asked for with the siblings that come after it.
 *
 * @param cursor - empty at the beginning, then that of the step before, in the same state
 */
export const walkState = (pages: OpenPages, state: State, cursor: WalkCursor): Attempt<WalkStep> => {
  let page = pages.get(state)
  let next: WalkCursor | undefined
  for (let prefix = ''; page?.kind === 'branch'; ) {
    const due = childrenFrom(page, prefix, cursor)
    const [first, second] = due
    assert(first, 'the cursor of a walk is one of the same state')
    next = second?.prefix ?? next
    prefix = first.prefix
    page = pages.get(first.ref)
    if (!page) for (const { ref } of due) pages.get(ref)
  }
  const missing = pages.takeMissing()
  if (missing) return missing
  assert(page, 'a page is there or missing')
  return { entries: parseEntries(page), ...(next !== undefined && { next }) }
}

const childrenFrom = (
  branch: Branch,
  prefix: string,
  cursor: WalkCursor,
): readonly { readonly prefix: string; readonly ref: PageRef }[] =>
  branch.children.flatMap((ref, digit) => {
    const childPrefix = prefix + hexDigits[digit]
    return ref && childPrefix >= cursor.slice(0, childPrefix.length) ? [{ prefix: childPrefix, ref }] : []
  })

const parseEntries = (leaf: Leaf): WalkStep['entries'] =>
  leafEntries(leaf).map((entry) => {
    const key = entryKey(entry)
    return [key, JSON.parse(entry.slice(key.length + 3)) as Json]
  })

/** The references that pages hold, one level further down. */
export const childrenOf = (
  pages: OpenPages,
  refs: readonly PageRef[],
): Attempt<{ readonly children: readonly PageRef[] }> => {
  const children = refs.flatMap((ref) => {
    const page = pages.get(ref)
    return page?.kind === 'branch' ? page.children.filter((child) => child !== undefined) : []
  })
  return pages.takeMissing() ?? { children }
}
