/** Checkpoints: the dirty pages of a state, to be stored, and what may be deleted then. */
import type { Height } from '../../units.ts'
import type { Page, PageLocation, PageRef } from './page.ts'
import type { PageCache } from './page-cache.ts'
import { type CheckpointRoot, openState, type State, type Superseded } from './state.ts'
import { encodePage, locate } from './stored-page.ts'

export interface Checkpoint {
  /** Keys and contents of what must be stored before {@link root} is named anywhere. */
  readonly pages: readonly (readonly [PageLocation, Uint8Array])[]
  /** What the checkpoint before used and this one doesn't: may be deleted once this one is durable. */
  readonly stale: readonly PageLocation[]
  readonly root: CheckpointRoot
  /** The same state, from its stored pages. */
  readonly state: State
}

/**
 * Gives every dirty page a place. Clean ones keep theirs, so a checkpoint is as large as what changed.
 *
 * @param height - above that of every checkpoint that is stored: places are named after it
 */
export const checkpointState = (cache: PageCache, state: State, height: Height): Checkpoint => {
  const pages: [PageLocation, Uint8Array][] = []
  const store = (ref: PageRef): StoredRef => {
    const { hash, count, at } = ref
    if (typeof at === 'string') return { hash, count, at }
    const page = withStoredChildren(at, store)
    const location = locate(height, pages.length)
    pages.push([location, encodePage(page)])
    cache.put(location, page)
    return { hash, count, at: location }
  }
  const { hash, count, at: location } = store(state)
  const root = { hash, count, location }
  return { pages, stale: listSuperseded(state.superseded), root, state: openState(root) }
}

type StoredRef = PageRef & { readonly at: PageLocation }

const withStoredChildren = (page: Page, store: (ref: PageRef) => StoredRef): Page =>
  page.kind === 'leaf' ? page : { ...page, children: page.children.map((child) => child && store(child)) }

const listSuperseded = (last: Superseded | undefined): readonly PageLocation[] => {
  const parts: (readonly PageLocation[])[] = []
  for (let link = last; link; link = link.before) parts.push(link.locations)
  return parts.flat()
}
