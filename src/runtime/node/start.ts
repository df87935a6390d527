/**
 * Starts a whole node on this machine: data folder, key, storage, ledger, machines, doors; and stops it again.
 */
import { accelerateHash } from '../../crypto/hash.ts'
import { Node } from '../../node/node.ts'
import { freshSignRecord, readSignRecord, writeSignRecord } from '../../node/sign-record.ts'
import type { BlockPin } from '../../objects/join-string.ts'
import type { Log } from '../../ports/log.ts'
import { openStore } from '../../storage/open-store.ts'
import type { Address } from '../../units.ts'
import { systemClock } from './clock.ts'
import { collectOnceAtRest } from './collect-once.ts'
import { type DataFolder, openDataFolder } from './data-folder.ts'
import { formatFolderConfig, readFolderConfig } from './folder-config.ts'
import { type Identity, openIdentity, throwawayIdentity } from './identity.ts'
import { createNodeVerifier, nativeHash } from './keys.ts'
import { type NetworkChoice, openChain } from './open-chain.ts'
import { operatorToken } from './operator-token.ts'
import { version } from './package.ts'
import { systemRandom } from './random.ts'
import { serve } from './serve.ts'
import { createNodeTransport } from './transport.ts'

export interface StartOptions {
  readonly dataFolder: string
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** What others dial, the first of them in the node's own answers; by default the address it listens on. */
  readonly urls: readonly string[]
  /** URLs of nodes of the same network to dial. */
  readonly peers: readonly string[]
  /** The only node keys that are linked; absent: all. */
  readonly allowPeers?: readonly Address[]
  /** Without it, anybody may read; with it, whoever shows it: the same for all nodes of a network. */
  readonly readToken?: string
  /** As `--storage` takes it. */
  readonly storage: string
  /** What an empty folder becomes part of; a folder that has a ledger must be of it. */
  readonly network: NetworkChoice
  /** A block that the chain must contain. */
  readonly pin: BlockPin | undefined
  /** Lets a key sign that has no record of what it signed before. */
  readonly withoutSignRecord: boolean
  readonly log: Log
  /** The node decides nothing any more, and should be stopped. */
  readonly onHalt: (error: unknown) => void
}

export interface RunningNode {
  readonly node: Node
  readonly url: string
  /** Absolute path of the data folder. */
  readonly dataFolder: string
  /** This start made the network. */
  readonly isNew: boolean
  close(): Promise<void>
}

/** @throws TautlineError with a sentence for the operator */
export const startNode = async (options: StartOptions): Promise<RunningNode> => {
  collectOnceAtRest()
  accelerateHash(nativeHash)
  const closers: (() => Promise<void>)[] = []
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
  options: StartOptions,
  onClose: (closer: () => Promise<void>) => void,
): Promise<Omit<RunningNode, 'close'>> => {
  const { log } = options
  const folder = await openDataFolder(options.dataFolder, log)
  onClose(() => folder.close())
  const identity = options.storage === 'memory' ? await throwawayIdentity() : await openIdentity(folder)
  onClose(() => identity.close())
  if (options.withoutSignRecord) await makeMissingRecord(identity)

  const { allowPeers, readToken } = options
  const closedReads = readToken === undefined ? {} : { readToken }
  const transport = createNodeTransport(closedReads)
  onClose(() => transport.close())
  const store = await openStore(options.storage, folder.path)
  const { chain, beginning } = await openChain({ store, folder, identity, transport, ...options }).catch(
    async (error: unknown) => {
      await store.close()
      throw error
    },
  )
  if (beginning === 'joined') await rememberNetwork(folder, options)
  const reachedUnder = [...options.urls]
  const node = await Node.start({
    version,
    chain,
    store,
    records: identity.records,
    signer: identity.signer,
    verifier: await createNodeVerifier(log),
    clock: systemClock,
    log,
    random: systemRandom,
    transport,
    urls: () => reachedUnder,
    peers: options.peers,
    ...(allowPeers && { allowedPeers: new Set(allowPeers) }),
    onHalt: options.onHalt,
  })
  onClose(() => node.close())
  const server = await serve({
    node,
    operatorToken: await operatorToken(folder),
    host: options.host,
    port: options.port,
    urls: options.urls,
    ...closedReads,
    log,
  })
  onClose(() => server.close())
  reachedUnder.push(server.url)
  await folder.writeFile('node.json', `${JSON.stringify({ url: server.url })}\n`)
  return { node, url: server.url, dataFolder: folder.path, isNew: beginning === 'made' }
}

/** So that later starts need no flags to come back into the network; what the operator has written there stays. */
const rememberNetwork = async (folder: DataFolder, { urls, peers, pin }: StartOptions): Promise<void> => {
  const known = { ...(urls.length > 0 && { urls: [...urls] }), peers: [...peers], ...(pin && { pin }) }
  const config = await readFolderConfig(folder.path)
  await folder.writeFile('config.json', formatFolderConfig({ ...known, ...config }))
}

const makeMissingRecord = async ({ records }: Identity): Promise<void> => {
  if ((await readSignRecord(records)) === undefined) await writeSignRecord(records, freshSignRecord)
}
