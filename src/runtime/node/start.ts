/**
 * Starts a whole node on this machine: data folder, key, storage, ledger, machines, doors; and stops it again.
 */
import { join } from 'node:path'
import { accelerateHash } from '../../crypto/hash.ts'
import { ConnectionStore } from '../../node/connections/connection-store.ts'
import { Connections } from '../../node/connections/connections.ts'
import type { DiscoveryChoices } from '../../node/discovery/discovery.ts'
import type { Node } from '../../node/node.ts'
import type { CardMemory } from '../../ports/card-memory.ts'
import type { ConnectionKeys } from '../../ports/connection-keys.ts'
import type { Courier } from '../../ports/transport.ts'
import { openStore } from '../../storage/open-store.ts'
import { systemClock } from '../clock.ts'
import { type Identity, throwawayIdentity } from '../identity.ts'
import { systemRandom } from '../random.ts'
import { type NodeChoices, startNode } from '../start-node.ts'
import { collectOnceAtRest } from './collect-once.ts'
import { openConnectionKeyFiles } from './connection-key-files.ts'
import { type DataFolder, openDataFolder } from './data-folder.ts'
import { createTransport } from './engine.ts'
import { formatFolderConfig, readFolderConfig } from './folder-config.ts'
import { readFolderGenesis } from './genesis-file.ts'
import { openFolderIdentity } from './identity.ts'
import { createNodeSigner, createNodeVerifier, nativeHash } from './keys.ts'
import { operatorToken } from './operator-token.ts'
import { version } from './package.ts'
import { serve } from './serve.ts'

export interface StartOptions extends NodeChoices {
  readonly dataFolder: string
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** What others dial, the first of them in the node's own answers; by default the address it listens on. */
  readonly urls: readonly string[]
  /** Without it, anybody may read; with it, whoever shows it: the same for all nodes of a network. */
  readonly readToken?: string
  /** As `--storage` takes it. */
  readonly storage: string
  /** What the keys of connections are sealed by on the disk; absent: only their file mode keeps others out. */
  readonly connectionsPassphrase?: string
  /** Whom it dials beside those that it was given: nobody, peers on the public internet, or any that peers name. */
  readonly discovers: 'nothing' | 'public' | 'private'
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
export const startFromFolder = async (options: StartOptions): Promise<RunningNode> => {
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
  const identity = await identityOf(options.storage, folder, onClose)
  const { readToken } = options
  const closedReads = readToken === undefined ? {} : { readToken }
  const transport = createTransport(closedReads)
  onClose(() => transport.close())
  const reachedUnder = [...options.urls]
  const store = await openStore(options.storage, folder.path, {
    writer: () => ({ name: identity.signer.address, ...(reachedUnder[0] && { url: reachedUnder[0] }) }),
    onLost: options.onHalt,
  })
  if (store.durability === 'process-crash')
    log.warn('a power failure may take blocks from this storage that were answered as committed', {
      storage: options.storage.replace(/\/\/[^/]*@/, '//'),
    })
  let tellReached!: (url: string) => void
  const reached = new Promise<string>((resolve) => {
    tellReached = resolve
  })
  const { node, beginning } = await startNode({
    ...options,
    version,
    store,
    place: folder.path,
    readGenesis: () => readFolderGenesis(folder),
    identity,
    verifier: await createNodeVerifier(log),
    transport,
    urls: () => reachedUnder,
    onJoined: () => rememberNetwork(folder, options),
    ...discoveryOf(options, folder, reached),
  })
  onClose(() => node.close())
  const connections = await openConnections(options, folder, node, transport, () => reachedUnder[0]!)
  onClose(() => connections.close())
  const server = await serve({
    node,
    connections,
    operatorToken: await operatorToken(folder),
    host: options.host,
    port: options.port,
    urls: options.urls,
    ...closedReads,
    log,
  })
  onClose(() => server.close())
  reachedUnder.push(server.url)
  tellReached(reachedUnder[0]!)
  await folder.writeFile('node.json', `${JSON.stringify({ url: server.url })}\n`)
  return { node, url: server.url, dataFolder: folder.path, isNew: beginning === 'made' }
}

/** Whatever the ledger lies on, these lie in the data folder: they are this node's alone. */
const openConnections = async (
  { storage, connectionsPassphrase, discovers, log }: StartOptions,
  folder: DataFolder,
  node: Node,
  courier: Courier,
  url: () => string,
): Promise<Connections> => {
  const place = join(folder.path, 'connections')
  const isThrowaway = storage === 'memory'
  const keys = isThrowaway ? createMemoryKeys() : await openConnectionKeyFiles(place, connectionsPassphrase)
  const store = await openStore(isThrowaway ? 'memory' : `level:${join(place, 'messages')}`, folder.path)
  return Connections.start({
    store: await ConnectionStore.open(store, keys, systemRandom),
    node,
    url,
    courier,
    reach: discovers === 'private' ? 'anywhere' : 'public',
    clock: systemClock,
    random: systemRandom,
    log,
  })
}

const createMemoryKeys = (): ConnectionKeys => {
  const keys = new Map<string, Uint8Array>()
  return {
    read: async (id) => keys.get(id),
    write: async (id, bytes) => void keys.set(id, bytes),
    erase: async (id) => void keys.delete(id),
  }
}

/** Reads that are closed are closed to strangers: such a network's members name each other. */
const discoveryOf = (
  { discovers, readToken }: StartOptions,
  folder: DataFolder,
  url: Promise<string>,
): { discovery?: DiscoveryChoices } => {
  if (discovers === 'nothing' || readToken !== undefined) return {}
  const memory: CardMemory = {
    read: () => folder.readFile('peers.json'),
    write: (text) => folder.writeFile('peers.json', text),
  }
  return { discovery: { allowPrivate: discovers === 'private', url, memory } }
}

const identityOf = async (
  storage: string,
  folder: DataFolder,
  onClose: (closer: () => Promise<void>) => void,
): Promise<Identity> => {
  if (storage === 'memory') return throwawayIdentity(createNodeSigner)
  const identity = await openFolderIdentity(folder)
  onClose(() => identity.close())
  return identity
}

/** So that later starts need no flags to come back into the network; what the operator has written there stays. */
const rememberNetwork = async (folder: DataFolder, { urls, peers, pin }: StartOptions): Promise<void> => {
  const known = { ...(urls.length > 0 && { urls: [...urls] }), peers: [...peers], ...(pin && { pin }) }
  const config = await readFolderConfig(folder.path)
  await folder.writeFile('config.json', formatFolderConfig({ ...known, ...config }))
}
