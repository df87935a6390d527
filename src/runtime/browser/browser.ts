/**
 * A whole node in a browser: a full peer in a tab or in a worker, which dials out and is never dialled.
 *
 * In: a join string. Out: a node that syncs, verifies everything by itself, and keeps the ledger, its key and its sign
 * record in IndexedDB; it answers from what it has, with the network or without, and goes on after a reload. Must
 * never run twice in one database. Uses what pages and workers have in common, and no `eval`.
 *
 * Browsers let a page do this in secure contexts only: https, or a loopback address.
 */
import './jitless.ts'
import { canonicalize, type Json } from '../../codec/json.ts'
import { TautlineError } from '../../errors.ts'
import type { Keep } from '../../node/pruner.ts'
import type { NodeService } from '../../node/service.ts'
import { type JoinString, parseJoinString } from '../../objects/join-string.ts'
import type { Log } from '../../ports/log.ts'
import { Database } from '../../storage/indexed-db.ts'
import { openIndexedDbDriver } from '../../storage/indexed-db-driver.ts'
import { openUnstorageStore } from '../../storage/unstorage-store.ts'
import type { Address, TransactionId } from '../../units.ts'
import { type StartedNode, startNode } from '../start-node.ts'
import { version } from '../version.ts'
import { createWebVerifier } from '../web/keys.ts'
import { createWebTransport } from '../web/transport.ts'
import { consoleLog } from './console-log.ts'
import { openBrowserIdentity } from './identity.ts'
import { takeNameLock } from './name-lock.ts'

export { type ErrorCode, TautlineError } from '../../errors.ts'
export type { Keep } from '../../node/pruner.ts'
export type * from '../../node/service.ts'
export type { Operation } from '../../objects/operation.ts'
export type { Log } from '../../ports/log.ts'

export interface BrowserOptions {
  /** As a node prints it: whom to dial, and which network. Several of one network dial several nodes. */
  readonly join: string | readonly string[]
  /** Tells nodes of one site and one network apart; each has a key and a ledger of its own. */
  readonly name?: string
  /** Begins with the state after a recent block, without those before it. */
  readonly bySnapshot?: boolean
  /** How many of the blocks stay in the ledger; absent: all. */
  readonly keep?: Keep
  /** Of a network whose reads are closed. */
  readonly readToken?: string
  /** Absent: the console. */
  readonly log?: Log
  /** The node decides nothing any more, and should be closed. */
  readonly onHalt?: (error: unknown) => void
}

export interface BrowserNode {
  readonly node: NodeService
  /** There was a ledger of an earlier time, or this start came into the network. */
  readonly beginning: StartedNode['beginning']
  /**
   * What proves an account as of the head, or a transaction that is final: the text that `verifyProof` takes, by which
   * others check it without asking anybody. Undefined when this node has no such transaction.
   */
  proof(of: Address | TransactionId): Promise<string | undefined>
  /** Resolves when everything is kept and nothing is running any more. */
  close(): Promise<void>
}

/** @throws TautlineError with a sentence for the user */
export const startInBrowser = async (options: BrowserOptions): Promise<BrowserNode> => {
  requireBrowser()
  const closers: (() => unknown)[] = []
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).reverse()) await closer()
  }
  try {
    return { ...(await open(options, (closer) => closers.push(closer))), close }
  } catch (error) {
    await close()
    throw error
  }
}

const open = async (
  { join, name = 'node', bySnapshot = false, keep, readToken, log = consoleLog, onHalt }: BrowserOptions,
  onClose: (closer: () => unknown) => void,
): Promise<Omit<BrowserNode, 'close'>> => {
  const joins = parseJoins(join)
  const place = `tautline:${joins[0]!.network}:${name}`
  const lock = await takeNameLock(place)
  onClose(() => lock.release())
  void keepData(log)
  const own = await Database.open(`${place}:identity`)
  onClose(() => own.close())
  const identity = await openBrowserIdentity(own)
  const driver = await openIndexedDbDriver(`${place}:ledger`)
  const peers = [...new Set(joins.map(({ url }) => url))]
  const { node, beginning } = await startNode({
    network: { kind: 'join', joins, bySnapshot },
    pin: latestPin(joins),
    peers,
    ...(keep && { keep }),
    withoutSignRecord: false,
    log,
    onHalt:
      onHalt ?? ((error) => log.error('the node has stopped: reload the page', { error: String(error) })),
    version,
    store: await openUnstorageStore(driver, driver.durability),
    place: `the database ${place} of this browser`,
    readGenesis: async () => undefined,
    identity,
    verifier: await createWebVerifier(log),
    transport: createWebTransport({
      ...(readToken === undefined ? {} : { readToken }),
      fetchOptions: { cache: 'no-store', credentials: 'omit', referrerPolicy: 'no-referrer' },
    }),
    urls: () => [],
  })
  onClose(() => node.close())
  onClose(redialWhenOnline(node, peers))
  return { node, beginning, proof: (of) => prove(node, of) }
}

const parseJoins = (join: BrowserOptions['join']): readonly JoinString[] => {
  const joins = [join].flat().map(parseJoinString)
  if (joins.length === 0)
    throw new TautlineError('bad-configuration', '`join` is empty: expected a join string')
  if (joins.every(({ network }) => network === joins[0]!.network)) return joins
  throw new TautlineError(
    'bad-configuration',
    'the join strings are of different networks: expected those of one',
  )
}

const latestPin = (joins: readonly JoinString[]): JoinString['pin'] =>
  joins.flatMap(({ pin }) => pin ?? []).sort((one, other) => other.height - one.height)[0]

const requireBrowser = (): void => {
  if (!globalThis.isSecureContext) {
    throw new TautlineError(
      'bad-configuration',
      'browsers have keys and locks for pages of https and of loopback addresses only: open this page by one of those',
    )
  }
  const missing = ['indexedDB', 'WebSocket'].filter((name) => !(name in globalThis))
  if (!navigator.locks) missing.push('navigator.locks')
  if (missing.length === 0) return
  throw new TautlineError(
    'bad-configuration',
    `this browser lacks ${missing.join(' and ')}: use one of the last two years, and no private window that forbids it`,
  )
}

/**
 * Or else a browser that runs out of disk may remove them. Pages may ask for it, workers may not; some browsers ask
 * their user first, for whom nothing waits.
 */
const keepData = async (log: Log): Promise<void> => {
  const { storage } = navigator
  const isKept = (await storage.persisted()) || (await storage.persist?.())
  if (isKept) return
  log.info('this browser may remove the key and the ledger of this site when it runs out of disk', {
    persisted: false,
  })
}

const prove = async (node: NodeService, of: Address | TransactionId): Promise<string | undefined> => {
  const view = isTransactionId(of)
    ? await node.transaction(of, { proof: true })
    : await node.account(of, { proof: true })
  return view && 'proof' in view ? canonicalize(view as unknown as Json) : undefined
}

const isTransactionId = (of: Address | TransactionId): of is TransactionId => !of.startsWith('taut')

/** The pauses between attempts have grown while there was no network. @returns what ends it */
const redialWhenOnline = (node: NodeService, peers: readonly string[]): (() => void) => {
  const redial = (): void => {
    for (const url of peers) node.addPeer(url)
  }
  globalThis.addEventListener('online', redial)
  return () => globalThis.removeEventListener('online', redial)
}
