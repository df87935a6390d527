/**
 * The stream of what was committed, from any place of the ledger on.
 *
 * Events aren't queued: each reader walks the ledger at its own pace and waits at the head for the next
 * block, so a slow one costs no memory and loses nothing.
 */
import { TautlineError } from '../errors.ts'
import { hashHeader } from '../objects/block.ts'
import { type Address, height as asHeight, type Height } from '../units.ts'
import type { Chain } from './chain.ts'
import type { FinalWithTransaction } from './finals.ts'
import { type Place, pruned } from './ledger-store.ts'
import type { RecentBlocks } from './recent-blocks.ts'
import type { EventFilter, EventId, LedgerEvent } from './service.ts'

/** History entries that are looked up at a time. */
const historyBatch = 100
/** Characters of transactions that a reader takes along from a block: all that a slow one keeps in memory. */
const batchChars = 64 * 1024

/** After a block's own event come those of its transactions, so that one stands at index −1. */
const blockIndex = -1

const eventId = ({ height, index }: Place): EventId =>
  index === blockIndex ? `${height}` : `${height}.${index}`

const parseEventId = (id: EventId): Place => {
  const match = /^(\d{1,15})(?:\.(\d{1,9}))?$/.exec(id)
  if (match)
    return {
      height: asHeight(Number(match[1])),
      index: match[2] === undefined ? blockIndex : Number(match[2]),
    }
  throw new TautlineError(
    'malformed-request',
    `${id} is no place in the ledger: expected <height> or <height>.<index>, as in the id of an event`,
  )
}

const isAfter = (one: Place, other: Place): boolean =>
  one.height === other.height ? one.index > other.index : one.height > other.height

interface Ledger {
  readonly chain: Chain
  readonly blocks: RecentBlocks
}

/** @throws TautlineError `malformed-request` at once when the place to resume from is no place; `pruned` when it is gone */
export const streamEvents = (
  ledger: Ledger,
  { account, after }: EventFilter,
  signal: AbortSignal,
): AsyncIterable<LedgerEvent> => {
  const place = after === undefined ? endOf(ledger.chain.head.height) : parseEventId(after)
  const { oldest } = ledger.chain.kept
  if (Math.max(1, place.height) < Math.min(oldest, ledger.chain.head.height))
    throw pruned(asHeight(Math.max(1, place.height)), oldest)
  return account === undefined
    ? walkBlocks(ledger, place, signal)
    : walkHistory(ledger, account, place, signal)
}

/** The last place of a block, whatever the number of its transactions. */
const endOf = (height: Height): Place => ({ height, index: Number.MAX_SAFE_INTEGER })

async function* walkBlocks(
  { chain, blocks }: Ledger,
  after: Place,
  signal: AbortSignal,
): AsyncGenerator<LedgerEvent> {
  // A place at height 0 is before all blocks. One within a block goes on behind it, with the same block.
  let next: Place = {
    height: asHeight(Math.max(1, after.height)),
    index: after.height === 0 ? blockIndex : after.index + 1,
  }
  while (!signal.aborted) {
    if (next.height > chain.head.height) {
      await chain.committed.rings(signal)
      continue
    }
    const { events, following } = await batchAt(blocks, next)
    yield* events
    next = following
  }
}

/** Some events of a block from a place on, and the place where to go on. */
const batchAt = async (
  blocks: RecentBlocks,
  { height, index }: Place,
): Promise<{ events: readonly LedgerEvent[]; following: Place }> => {
  const block = await blocks.at(height)
  const events: LedgerEvent[] = []
  if (index === blockIndex) {
    const { header } = block
    events.push({ id: eventId({ height, index }), type: 'block', data: { hash: hashHeader(header), header } })
  }
  const first = Math.max(0, index)
  const end = Math.min(block.count, first + block.countIn(batchChars))
  for (let at = first; at < end; at++) events.push(transactionEvent(block.final(at)))
  const isOver = end >= block.count
  return {
    events,
    following: isOver ? { height: asHeight(height + 1), index: blockIndex } : { height, index: end },
  }
}

async function* walkHistory(
  { chain, blocks }: Ledger,
  address: Address,
  after: Place,
  signal: AbortSignal,
): AsyncGenerator<LedgerEvent> {
  let next = await firstEntryAfter(chain, address, after)
  while (!signal.aborted) {
    const { history: count } = await chain.account(address)
    if (next >= count) {
      await chain.committed.rings(signal)
      continue
    }
    const numbers = Array.from({ length: Math.min(historyBatch, count - next) }, (_, at) => next + at)
    for (const place of await chain.reader.historyPlaces(address, numbers)) {
      if (!place) throw pruned(after.height, chain.kept.oldest)
      yield transactionEvent((await blocks.at(place.height)).final(place.index))
    }
    next += numbers.length
  }
}

/** Number of the first entry of an account's history behind a place, by halving. */
const firstEntryAfter = async (chain: Chain, address: Address, after: Place): Promise<number> => {
  let low = 0
  let high = (await chain.account(address)).history
  while (low < high) {
    const middle = (low + high) >> 1
    const [place] = await chain.reader.historyPlaces(address, [middle])
    if (place && isAfter(place, after)) high = middle
    else low = middle + 1
  }
  return low
}

const transactionEvent = (final: FinalWithTransaction): LedgerEvent => ({
  id: eventId(final),
  type: 'transaction',
  data: final,
})
