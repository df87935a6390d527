/**
 * Joining by a snapshot: from the state after a recent block instead of all of history.
 *
 * In: nodes that may have one. Out: a ledger that begins there. Nothing is believed: the header follows from the
 * network id over every change of the validators, and each page from the one above it, up to the header's state
 * root. So pages come from several nodes at once, and one that gives a false page, or dies, costs its own answers
 * only. What has come is kept over an interruption, also for a newer snapshot, of which most pages are the same.
 */
import { TautlineError } from '../../errors.ts'
import { countEntriesIn } from '../../ledger/state/page.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { ObjectStore } from '../../ports/object-store.ts'
import type { Transport } from '../../ports/transport.ts'
import { readArrival } from '../arrival-record.ts'
import { Chain } from '../chain.ts'
import { type Choice, type ChoiceParts, chooseSnapshot } from './choose.ts'
import { Download } from './download.ts'
import { maxAttempts, pauseMs } from './limits.ts'
import { Source, SourceFault } from './sources.ts'

export interface SnapshotJoinParts extends ChoiceParts {
  readonly store: ObjectStore
  /** Nodes to ask. */
  readonly urls: readonly string[]
  readonly transport: Pick<Transport, 'request'>
  readonly clock: Clock
  readonly log: Log
}

/**
 * @returns undefined when the history is too short for there to be a snapshot
 * @throws TautlineError `bad-configuration` when none can be had, with the reasons; what has come is kept
 */
export const joinBySnapshot = async (parts: SnapshotJoinParts): Promise<Chain | undefined> => {
  const { urls, transport, clock, log } = parts
  for (let attempt = 1; ; attempt++) {
    const sources = urls.map((url) => new Source(url, transport, log))
    const choice = await chooseSnapshot(sources, parts)
    if (!choice) return undefined
    const chain = await fetchSnapshot(choice, parts)
    if (chain) return chain
    if (attempt === maxAttempts) throw nobodyLeft(sources)
    await new Promise<void>((resolve) => clock.schedule(pauseMs, resolve))
  }
}

const nobodyLeft = (sources: readonly Source[]): TautlineError =>
  new TautlineError(
    'bad-configuration',
    `the snapshot could not be fetched whole: ${sources.map(({ url, fault = 'it has no more' }) => `${url}: ${fault}`).join('; ')}; ` +
      'what has come is kept: start again to go on, or name more nodes with --join',
  )

/** @returns undefined when nobody is left to ask */
const fetchSnapshot = async (
  { proof, sources }: Choice,
  parts: SnapshotJoinParts,
): Promise<Chain | undefined> => {
  const { header } = proof
  const { store, genesis, log } = parts
  log.info('joining by a snapshot', { height: header.height, sources: sources.length })
  const before = await readArrival(store)
  const root = await fetchRoot(sources, proof)
  if (!root) return undefined
  const download = new Download(parts, sources, before, { ...root, height: header.height })
  if (!(await download.run())) return undefined
  const { removes, location } = await download.finish()
  log.info('the state has arrived', { height: header.height, entries: root.count })
  return Chain.arrive(
    store,
    { genesis, proof, root: { hash: header.stateRoot, count: root.count, location } },
    removes,
  )
}

/** Only the root page itself says how many entries there are. */
const fetchRoot = async (
  sources: readonly Source[],
  { header }: Choice['proof'],
): Promise<{ readonly hash: typeof header.stateRoot; readonly count: number } | undefined> => {
  for (const source of sources) {
    try {
      const [text] = await source.pages(header.height, '')
      const count = countEntriesIn(text!, header.stateRoot)
      if (count !== undefined) return { hash: header.stateRoot, count }
      source.drop('its first page of the snapshot is not the one that the header names')
    } catch (error) {
      if (!(error instanceof SourceFault)) throw error
      source.drop(error.message)
    }
  }
  return undefined
}
