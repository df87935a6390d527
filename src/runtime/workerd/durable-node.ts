/**
 * A whole node in a Cloudflare Durable Object, which sleeps while there is nothing to do.
 *
 * In: requests and alarms. Out: the answers of the same doors as on Node. Whatever comes wakes it: the node starts
 * from its storage, dials its peers, catches up, votes. Once nothing has happened for a while it is closed: it holds
 * no socket and runs no timer, and the platform takes the object out of memory. Its hello says that it sleeps, so
 * that nobody dials it while nothing happens, and what is said then comes by POST and wakes it.
 *
 * While awake there is always an alarm ahead, so that a node that died in the middle of something comes back by
 * itself. Asleep there is only one for the heartbeat, days ahead.
 */
import { createHash } from 'node:crypto'
import { createApp } from '../../../routes/app.ts'
import type { ReadAsset } from '../../../routes/assets.ts'
import { describeApi } from '../../../routes/describe.ts'
import { problemResponse } from '../../../routes/problem.ts'
import { encodeHex } from '../../codec/bytes.ts'
import { accelerateHash } from '../../crypto/hash.ts'
import type { Node } from '../../node/node.ts'
import type { Verifier } from '../../ports/keys.ts'
import { durableObjectDriver } from '../../storage/durable-object-driver.ts'
import { SqlBlobs } from '../../storage/sql-blobs.ts'
import { openUnstorageStore } from '../../storage/unstorage-store.ts'
import { type Identity, type KeyPlace, openIdentity } from '../identity.ts'
import { systemRandom } from '../random.ts'
import { startNode } from '../start-node.ts'
import { version } from '../version.ts'
import { createWebSigner, createWebVerifier } from '../web/keys.ts'
import { createWebTransport } from '../web/transport.ts'
import { type Configuration, type Env, readConfiguration } from './configuration.ts'
import { consoleLog as log } from './console-log.ts'
import type { DurableObjectState } from './platform.ts'
import { createSignRecordStore } from './sign-record.ts'
import { webSocketDoor } from './web-socket.ts'

/** How often an awake node looks whether there is something to do. */
const lookMs = 5_000
/** It rests after this long without. */
const restAfterMs = 20_000
/** An awake node that dies is woken within this. */
const returnMs = 30_000

accelerateHash((text) => createHash('sha256').update(text).digest('hex'))

interface Awake {
  readonly node: Node
  readonly fetch: (request: Request) => Response | Promise<Response>
  /** Ends what waits at the doors. */
  readonly closing: AbortController
}

export class TautlineNode {
  readonly #state: DurableObjectState
  readonly #env: Env
  #awake: Promise<Awake> | undefined
  /** Resolves when the node that was there before is closed. */
  #closed: Promise<void> = Promise.resolve()
  /** Requests that are being answered. */
  #answering = 0
  #idleSinceMs = 0
  #alarmAtMs = 0

  constructor(state: DurableObjectState, env: Env) {
    this.#state = state
    this.#env = env
  }

  async fetch(request: Request): Promise<Response> {
    this.#answering++
    this.#idleSinceMs = Date.now()
    try {
      return await (await this.#wake()).fetch(request)
    } catch (error) {
      return problemResponse(error, log)
    } finally {
      this.#answering--
    }
  }

  async alarm(): Promise<void> {
    this.#alarmAtMs = 0
    await this.#wake().catch(() => undefined) // it was logged, and the next request tries again
  }

  #wake(): Promise<Awake> {
    this.#awake ??= this.#start().catch((error: unknown) => {
      this.#awake = undefined
      log.error(`the node can't start: ${error instanceof Error ? error.message : String(error)}`)
      throw error
    })
    return this.#awake
  }

  async #start(): Promise<Awake> {
    await this.#closed
    await this.#alarmWithin(returnMs)
    const configuration = readConfiguration(this.#env)
    const awake = await open(this.#state, configuration, readAssetOf(this.#env), (error) => this.#halt(error))
    this.#idleSinceMs = Date.now()
    log.info('awake', { height: awake.node.status().head.height })
    this.#look(awake)
    return awake
  }

  #look(awake: Awake): void {
    setTimeout(() => {
      const now = Date.now()
      if (this.#answering > 0 || isBusy(awake.node)) this.#idleSinceMs = now
      if (now - this.#idleSinceMs >= restAfterMs) return void this.#rest(awake)
      void this.#alarmWithin(returnMs)
      this.#look(awake)
    }, lookMs)
  }

  #rest({ node, closing }: Awake): void {
    const { height, time } = node.status().head
    this.#awake = undefined
    this.#closed = (async () => {
      closing.abort()
      await node.close()
      const heartbeatAtMs = time + node.genesis.parameters.heartbeatMs
      await this.#setAlarm(Math.max(heartbeatAtMs, Date.now() + returnMs))
      log.info('asleep', { height })
    })()
  }

  /** Written seldom: each costs a write. */
  async #alarmWithin(delayMs: number): Promise<void> {
    const now = Date.now()
    if (this.#alarmAtMs - now < delayMs / 2 || this.#alarmAtMs > now + delayMs)
      await this.#setAlarm(now + delayMs)
  }

  async #setAlarm(atMs: number): Promise<void> {
    this.#alarmAtMs = atMs
    await this.#state.storage.setAlarm(atMs)
  }

  /** A broken invariant. Whoever asks next starts it again, and is told of it if it still is so. */
  #halt(error: unknown): void {
    log.error(`halted: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    void this.#state.storage.deleteAlarm().finally(() => this.#state.abort('a broken invariant'))
  }
}

/** Something is to be decided, fetched or told. */
const isBusy = (node: Node): boolean => {
  const { mempool, syncing } = node.status()
  return (
    syncing || mempool.transactions > 0 || node.consensus().active || node.metrics().event_subscribers > 0
  )
}

const open = async (
  { storage }: DurableObjectState,
  configuration: Configuration,
  readAsset: ReadAsset,
  onHalt: (error: unknown) => void,
): Promise<Awake> => {
  const { urls, readToken, operatorToken } = configuration
  const closedReads = readToken === undefined ? {} : { readToken }
  const closing = new AbortController()
  const { node } = await startNode({
    ...configuration,
    version,
    store: await openUnstorageStore(durableObjectDriver(storage), 'power-loss'),
    place: 'the storage of this Durable Object',
    readGenesis: async () => undefined,
    identity: await identityIn(storage, configuration.key),
    verifier: await verifierOnce(),
    transport: createWebTransport(closedReads),
    urls: () => urls,
    sleeps: true,
    log,
    onHalt,
  })
  const app = createApp({
    node,
    operatorToken: operatorToken ?? unguessable(),
    acceptedUrls: urls,
    openapiText: descriptionOnce,
    readAsset,
    webSocket: webSocketDoor,
    closing: closing.signal,
    ...closedReads,
    log,
  })
  return { node, closing, fetch: (request) => app.fetch(request) }
}

/** They lie beside the Worker, and not in it: they are ten times its size, and hardly ever asked for. */
const readAssetOf =
  ({ TAUTLINE_ASSETS }: Env): ReadAsset =>
  async (name) => {
    const file = await TAUTLINE_ASSETS?.fetch(`http://assets/${name}`)
    if (file?.ok) return new Uint8Array(await file.arrayBuffer())
    await file?.body?.cancel()
    return undefined
  }

/** The key is the secret that the Worker was given, or lies beside its record. */
const identityIn = (
  storage: DurableObjectState['storage'],
  secret: string | undefined,
): Promise<Identity> => {
  const blobs = new SqlBlobs(storage, 'keys')
  const own: KeyPlace = {
    name: 'the key in the storage of this Durable Object',
    read: async () => {
      const bytes = blobs.get('node')
      return bytes && new TextDecoder().decode(bytes)
    },
    write: async (text) => {
      storage.transactionSync(() => blobs.put('node', new TextEncoder().encode(text)))
      await storage.sync()
    },
  }
  const given: KeyPlace = { ...own, name: 'the secret TAUTLINE_KEY', read: async () => secret }
  return openIdentity({
    place: secret === undefined ? own : given,
    records: createSignRecordStore(storage),
    createSigner: createWebSigner,
  })
}

/** Of a token that was not given: nobody knows it. */
const unguessable = (): string => encodeHex(systemRandom.bytes(32))

// One isolate may wake the node many times.

let verifier: Promise<Verifier> | undefined
const verifierOnce = (): Promise<Verifier> => (verifier ??= createWebVerifier(log))

let description: string | undefined
/** JSON, which is YAML too. */
const descriptionOnce = (): string => (description ??= JSON.stringify(describeApi(), null, 2))
