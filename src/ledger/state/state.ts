/**
 * The state: an authenticated map from keys to JSON values (DESIGN.md §4).
 *
 * A tree of pages whose shape follows from its contents alone: sixteen ways by the digits of a key's hash,
 * subtrees of at most 32 entries in one leaf. Its hash commits to every entry, and to there being no other.
 * A State never changes; an update makes a new one that shares the pages it didn't touch.
 *
 * In: a State and keys or changes. Out: values, a new State, proofs, pages to be stored. Nothing here waits or
 * knows a storage: an operation is an attempt that ends with its result or with the pages it misses.
 *
 * ```ts
 * const pages = new OpenPages(cache)
 * let result = readState(pages, state, keys)
 * while ('missing' in result) {
 *   const bytes = await store.getMany(result.missing.map(({ location }) => location))
 *   result.missing.forEach((request, at) => pages.supply(request, bytes[at]))
 *   result = readState(pages, state, keys)
 * }
 * ```
 *
 * Must never: depend on the order of arrival, change a page, or hold more clean pages than the cache's bound
 * and those of the operations under way. Dirty pages are held by the State until a checkpoint stores them.
 */
import type { Hash } from '../../units.ts'
import { makeLeaf, type Page, type PageLocation, type PageRef } from './page.ts'

/** The root page's reference: `hash` is the state root, `count` the number of entries. */
export interface State extends PageRef {
  /** Pages that are in memory only, about 2 kB each: how large the next checkpoint gets. */
  readonly dirtyPages: number
  readonly superseded: Superseded | undefined
}

/** Pages of the last checkpoint that this state no longer uses: those of the last update, and those before. */
export interface Superseded {
  readonly locations: readonly PageLocation[]
  readonly before: Superseded | undefined
}

/** What names a stored state. */
export interface CheckpointRoot {
  readonly hash: Hash
  readonly count: number
  readonly location: PageLocation
}

/** A page that is not stored yet. */
export const dirtyRef = (page: Page, count: number): PageRef => ({ hash: page.hash, count, at: page })

export const emptyState: State = { ...dirtyRef(makeLeaf([]), 0), dirtyPages: 1, superseded: undefined }

/** The state of a checkpoint, to go on from after a restart. */
export const openState = ({ hash, count, location }: CheckpointRoot): State => ({
  hash,
  count,
  at: location,
  dirtyPages: 0,
  superseded: undefined,
})
