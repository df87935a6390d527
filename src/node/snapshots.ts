/** Snapshots for others to fetch: which there are, what proves each, and its pages. */
import { TautlineError } from '../errors.ts'
import { hashHeader } from '../objects/block.ts'
import type { Finality } from '../objects/proof.ts'
import type { Height } from '../units.ts'
import type { Chain } from './chain.ts'
import { proveFinality } from './proofs.ts'
import type { SnapshotView } from './service.ts'

/** The newest first. */
export const listSnapshots = (chain: Chain): Promise<readonly SnapshotView[]> =>
  Promise.all(
    chain.snapshots.toReversed().map(async ({ height, state: { hash: stateRoot, count: entries } }) => ({
      height,
      hash: hashHeader(await chain.reader.header(height)),
      stateRoot,
      entries,
    })),
  )

/** @throws TautlineError `pruned` when there is none of that height (any more) */
export const proveSnapshot = async (chain: Chain, height: Height): Promise<Finality> => {
  requireSnapshot(chain, height)
  return proveFinality(chain, height)
}

/**
 * Canonical texts of a subtree's pages in preorder; of one with many entries only its root page.
 *
 * @param way - hex digits from the root down
 * @returns undefined when no page begins there
 * @throws TautlineError `pruned`
 */
export const readSnapshotPages = async (
  chain: Chain,
  height: Height,
  way: string,
): Promise<readonly string[] | undefined> => {
  const { state } = requireSnapshot(chain, height)
  try {
    return await chain.state.subtree(state, way)
  } catch (error) {
    requireSnapshot(chain, height) // it may have been let go meanwhile, and its pages with it
    throw error
  }
}

const requireSnapshot = (chain: Chain, height: Height) => {
  const snapshot = chain.snapshots.find((other) => other.height === height)
  if (snapshot) return snapshot
  throw new TautlineError(
    'pruned',
    `this node has no snapshot of height ${height} (any more): GET /v1/snapshots says which it has`,
    { height },
  )
}
