/** Updating: a new state from an old one and changes; the old one stays as it is. */
import { canonicalize, type Json } from '../../codec/json.ts'
import type { Attempt, OpenPages } from './open-pages.ts'
import {
  type Branch,
  type Children,
  countEntries,
  entryKey,
  entryText,
  findEntry,
  hashLeaf,
  type Leaf,
  type LeafBody,
  leafEntries,
  makeBranch,
  makeLeaf,
  maxLeafEntries,
  type Page,
  type PageLocation,
  type PageRef,
  replaceEntry,
} from './page.ts'
import { digitAt, hexDigits, type Path } from './path.ts'
import { dirtyRef, type State } from './state.ts'

/**
 * Values to be set, nested at most 30 levels deep (a proof wraps them in two more); undefined removes a key.
 */
export type StateChanges = ReadonlyMap<string, Json | undefined>

/** An entry on its way to its leaf; without a text it is removed. */
interface Change {
  readonly key: string
  readonly path: Path
  readonly entry: string | undefined
}

/** What an update does to the set of pages, for the next checkpoint. */
interface Edit {
  readonly pages: OpenPages
  readonly superseded: PageLocation[]
  dirtyPages: number
}

/** Nothing is hashed before all pages on the way are there, so an attempt that fails costs little. */
export const updateState = (
  pages: OpenPages,
  state: State,
  changes: StateChanges,
): Attempt<{ readonly state: State }> => {
  const sorted = Array.from(changes, ([key, value]) => readChange(pages, key, value)).sort(byPath)
  openPages(pages, state, sorted, 0)
  return pages.takeMissing() ?? applyChanges(pages, state, sorted)
}

/** Opens all pages that changes lead to. */
const openPages = (pages: OpenPages, ref: PageRef, changes: readonly Change[], depth: number): void => {
  const page = pages.get(ref)
  if (page?.kind !== 'branch') return
  for (const [digit, part] of splitChanges(changes, depth)) {
    const child = page.children[digit]
    if (child) openPages(pages, child, part, depth + 1)
  }
}

/** The changes for each child of a branch at this depth. */
const splitChanges = (
  changes: readonly Change[],
  depth: number,
): readonly [digit: number, part: readonly Change[]][] => {
  const parts: [number, readonly Change[]][] = []
  for (let from = 0, to = 0; from < changes.length; from = to) {
    const digit = digitAt(changes[from]!.path, depth)
    while (to < changes.length && digitAt(changes[to]!.path, depth) === digit) to++
    parts.push([digit, changes.slice(from, to)])
  }
  return parts
}

const readChange = (pages: OpenPages, key: string, value: Json | undefined): Change => ({
  key,
  path: pages.pathOf(key),
  entry: value === undefined ? undefined : entryText(key, canonicalize(value)),
})

const byPath = (one: { readonly path: Path }, other: { readonly path: Path }): number =>
  one.path < other.path ? -1 : 1

const applyChanges = (
  pages: OpenPages,
  state: State,
  sorted: readonly Change[],
): Attempt<{ readonly state: State }> => {
  const edit: Edit = { pages, superseded: [], dirtyPages: state.dirtyPages }
  const root = updatePage(edit, state, sorted, 0) ?? addPage(edit, makeLeaf([]), 0)
  // Removals may join a page with siblings that no change led to.
  const missing = pages.takeMissing()
  if (missing) return missing
  if (root === state) return { state }
  return { state: { ...root, dirtyPages: edit.dirtyPages, superseded: superseded(edit, state) } }
}

const superseded = (edit: Edit, state: State): State['superseded'] =>
  edit.superseded.length === 0 ? state.superseded : { locations: edit.superseded, before: state.superseded }

const addPage = (edit: Edit, page: Page, count: number): PageRef => {
  edit.dirtyPages++
  return dirtyRef(page, count)
}

const dropPage = (edit: Edit, ref: PageRef): void => {
  if (typeof ref.at === 'string') edit.superseded.push(ref.at)
  else edit.dirtyPages--
}

/** The same reference when nothing changes, and none when no entry is left. */
const updatePage = (
  edit: Edit,
  ref: PageRef,
  changes: readonly Change[],
  depth: number,
): PageRef | undefined => {
  const page = edit.pages.get(ref)
  if (!page) return ref
  const after =
    page.kind === 'leaf'
      ? updateLeaf(edit, ref, page, changes, depth)
      : updateBranch(edit, ref, page, changes, depth)
  if (after !== ref) dropPage(edit, ref)
  return after
}

const updateLeaf = (
  edit: Edit,
  ref: PageRef,
  leaf: Leaf,
  changes: readonly Change[],
  depth: number,
): PageRef | undefined => {
  let body: LeafBody = leaf
  const resizing: Change[] = []
  for (const change of changes) {
    const index = findEntry(body, change.key)
    if (index >= 0 && change.entry !== undefined) body = replaceEntry(body, index, change.entry)
    else if (index >= 0 || change.entry !== undefined) resizing.push(change)
  }
  if (resizing.length > 0) return growSubtree(edit, resize(leafEntries(body), resizing), depth)
  return body === leaf ? ref : addPage(edit, hashLeaf(body), ref.count)
}

/** @param changes - insertions and removals */
const resize = (entries: readonly string[], changes: readonly Change[]): readonly string[] => {
  const removed = new Set(changes.map(({ key }) => key))
  return [...entries.filter((entry) => !removed.has(entryKey(entry))), ...insertions(changes)].sort()
}

const insertions = (changes: readonly Change[]): string[] => changes.flatMap(({ entry }) => entry ?? [])

/** @param entries - sorted */
const growSubtree = (edit: Edit, entries: readonly string[], depth: number): PageRef | undefined => {
  if (entries.length <= maxLeafEntries) return growLeaf(edit, entries)
  const parts = Array.from(hexDigits, (): string[] => [])
  for (const entry of entries) parts[digitAt(edit.pages.pathOf(entryKey(entry)), depth)]!.push(entry)
  const children = parts.map((part) => growSubtree(edit, part, depth + 1))
  return addPage(edit, makeBranch(children), entries.length)
}

const growLeaf = (edit: Edit, entries: readonly string[]): PageRef | undefined =>
  entries.length === 0 ? undefined : addPage(edit, makeLeaf(entries), entries.length)

const updateBranch = (
  edit: Edit,
  ref: PageRef,
  branch: Branch,
  changes: readonly Change[],
  depth: number,
): PageRef | undefined => {
  const children = [...branch.children]
  let isChanged = false
  for (const [digit, part] of splitChanges(changes, depth)) {
    const child = children[digit]
    children[digit] = updateChild(edit, child, part, depth + 1)
    isChanged ||= children[digit] !== child
  }
  return isChanged ? branchOrLeaf(edit, children) : ref
}

const updateChild = (
  edit: Edit,
  child: PageRef | undefined,
  changes: readonly Change[],
  depth: number,
): PageRef | undefined => {
  if (child) return updatePage(edit, child, changes, depth)
  return growSubtree(edit, insertions(changes).sort(), depth)
}

const branchOrLeaf = (edit: Edit, children: Children): PageRef | undefined => {
  const count = countEntries(children)
  if (count > maxLeafEntries) return addPage(edit, makeBranch(children), count)
  const entries = children.flatMap((child) => (child ? takeEntries(edit, child) : []))
  return growLeaf(edit, entries.sort())
}

/** The entries of a subtree that becomes part of a leaf: few enough for it to be a leaf itself. */
const takeEntries = (edit: Edit, child: PageRef): readonly string[] => {
  dropPage(edit, child)
  const page = edit.pages.get(child)
  return page?.kind === 'leaf' ? leafEntries(page) : []
}
