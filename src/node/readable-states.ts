/**
 * Which states can be read besides the head's: the last checkpoint's, and the snapshots that others fetch.
 *
 * Pages that a checkpoint makes unnecessary are listed, and removed when no state that can be read has them any
 * more. So snapshots cost what has changed since; one that costs more than the state itself is given up.
 */
import type { PageLocation } from '../ledger/state/page.ts'
import type { State } from '../ledger/state/state.ts'
import type { ObjectKey } from '../ports/object-store.ts'
import type { Height } from '../units.ts'
import { maxSnapshots, type Readable, type Snapshot } from './head-record.ts'
import { keys, type LedgerReader, type Put, type StalePages, stalePut } from './ledger-store.ts'

/** A snapshot is made of the state after every so-manieth block, the same for all nodes, so that several have it. */
export const snapshotInterval = 250
/** Pages that may wait for the sake of snapshots, however small the state is. */
const minWaitingPages = 16_384
/** Lists of which a checkpoint removes the pages: more than the one that it adds, so that none is left for long. */
const maxListsAtOnce = 4

/** A checkpoint that was just taken. */
export interface Taken {
  readonly height: Height
  readonly state: State
  /** Pages of the checkpoint before that this one doesn't have. */
  readonly stale: readonly PageLocation[]
  /** Height of the checkpoint before, whose state some may still be reading. */
  readonly last: Height
}

/** What a checkpoint makes readable, and what it lets go. */
export const advanceReadable = async (
  reader: LedgerReader,
  { snapshots, stale }: Readable,
  taken: Taken,
): Promise<{ readable: Readable; puts: readonly Put[]; removes: readonly ObjectKey[] }> => {
  const kept = affordable(withTaken(snapshots, taken), stale.pages + taken.stale.length, taken)
  const list = { height: taken.height, pages: taken.stale }
  const isListed = taken.stale.length > 0
  const needed = Math.min(taken.last, kept[0]?.height ?? taken.last)
  const gone = await readUnneeded(reader, stale, needed)
  const removes = gone.flatMap(({ pages }, at) => [...pages, keys.stale(stale.first + at)])
  return {
    readable: {
      snapshots: kept,
      stale: {
        first: stale.first + gone.length,
        next: stale.next + (isListed ? 1 : 0),
        pages: stale.pages + taken.stale.length - (removes.length - gone.length),
      },
    },
    puts: isListed ? [stalePut(stale.next, list)] : [],
    removes,
  }
}

const withTaken = (snapshots: readonly Snapshot[], { height, state }: Taken): readonly Snapshot[] =>
  height % snapshotInterval === 0 && height > 0
    ? [...snapshots, { height, state }].slice(-maxSnapshots)
    : snapshots

/** Pages that wait for snapshots may take about as much room as the state's own. The newest costs nothing yet. */
const affordable = (
  snapshots: readonly Snapshot[],
  waitingPages: number,
  { height, state }: Taken,
): readonly Snapshot[] => {
  const isTooMuch = waitingPages > Math.max(minWaitingPages, state.count)
  return isTooMuch && snapshots[0] && snapshots[0].height < height ? snapshots.slice(1) : snapshots
}

/** The lists at the front whose pages no state from a height on has. */
const readUnneeded = async (
  reader: LedgerReader,
  { first, next }: Readable['stale'],
  needed: number,
): Promise<readonly StalePages[]> => {
  const lists: StalePages[] = []
  for (let number = first; number < next && lists.length < maxListsAtOnce; number++) {
    const list = await reader.stalePages(number)
    if (list.height > needed) break
    lists.push(list)
  }
  return lists
}

/** All lists of pages that wait to be removed. */
export const readStale = async (
  reader: LedgerReader,
  { first, next }: Readable['stale'],
): Promise<readonly StalePages[]> =>
  Promise.all(Array.from({ length: next - first }, (_, at) => reader.stalePages(first + at)))
