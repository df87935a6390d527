/** A real node behind its doors, in memory: to be asked through `app.request`, or over a real socket. */

import { setMaxListeners } from 'node:events'
import memoryDriver from 'unstorage/drivers/memory'
import { onTestFinished } from 'vitest'
import { createApp } from '../../routes/app.ts'
import type { Limits } from '../../routes/limits.ts'
import { signTransaction } from '../../src/client/sign-transaction.ts'
import { Chain } from '../../src/node/chain.ts'
import { ConnectionStore } from '../../src/node/connections/connection-store.ts'
import { Connections, type ConnectionsParts } from '../../src/node/connections/connections.ts'
import { networkOfOne } from '../../src/node/network-of-one.ts'
import { Node, type NodeParts } from '../../src/node/node.ts'
import { freshSignRecord, writeSignRecord } from '../../src/node/sign-record.ts'
import type { Genesis } from '../../src/objects/genesis.ts'
import type { Operation } from '../../src/objects/operation.ts'
import type { Transaction } from '../../src/objects/transaction.ts'
import type { ConnectionKeys } from '../../src/ports/connection-keys.ts'
import type { Signer } from '../../src/ports/keys.ts'
import type { Log } from '../../src/ports/log.ts'
import type { SignRecordStore } from '../../src/ports/sign-record-store.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import type { Timeouts } from '../../src/runtime/node/http-server.ts'
import { createNodeSigner, createNodeVerifier } from '../../src/runtime/node/keys.ts'
import { serve } from '../../src/runtime/node/serve.ts'
import { systemRandom } from '../../src/runtime/random.ts'
import { openUnstorageStore } from '../../src/storage/unstorage-store.ts'
import type { Address, Amount } from '../../src/units.ts'
import { noNetwork } from '../faults/whole-node.ts'

export const token = 'a-token-of-the-operator'
export const hostUrl = 'http://127.0.0.1:8787'

export const keyOf = (byte: number): Signer => createNodeSigner(new Uint8Array(32).fill(byte))
/** Of the node, and owner of the supply. */
export const rich = keyOf(7)
export const friend = keyOf(8)

export interface Complaint {
  readonly message: string
  readonly details: unknown
}

export interface World {
  readonly node: Node
  readonly app: ReturnType<typeof createApp>
  /** What the doors told the operator's log, above information. */
  readonly complaints: readonly Complaint[]
  ask(path: string, init?: RequestInit): Promise<Response>
  /** A transfer of the rich account, signed. */
  sign(parts?: Partial<Transaction>, signer?: Signer): Promise<Transaction>
  /** Submits and waits. */
  commit(transaction: Transaction): Promise<Response>
}

const memoryRecords = (): SignRecordStore => {
  let kept: Uint8Array | undefined
  return {
    read: async () => kept,
    write: async (record) => {
      kept = record
    },
  }
}

const collectingLog = (complaints: Complaint[]): Log => {
  const complain = (message: string, details: unknown) => complaints.push({ message, details })
  return { debug() {}, info() {}, warn: complain, error: complain }
}

export const testGenesis = (): Genesis => networkOfOne(rich.address, 'test', systemClock.now())

export const createLedger = async (genesis = testGenesis()): Promise<Pick<NodeParts, 'chain' | 'store'>> => {
  const store = await openUnstorageStore(memoryDriver(), 'none')
  return { store, chain: await Chain.create(store, genesis) }
}

/** @param parts - without a ledger that was made elsewhere, it begins a new network of one */
export const startNode = async (log: Log, parts: Partial<NodeParts> = {}): Promise<Node> => {
  const ledger = parts.chain ? {} : await createLedger()
  const records = memoryRecords()
  await writeSignRecord(records, freshSignRecord)
  return Node.start({
    version: '0.1.0',
    records,
    signer: rich,
    verifier: await createNodeVerifier(log),
    clock: systemClock,
    log,
    urls: () => [hostUrl],
    random: noNetwork.random,
    transport: noNetwork.transport,
    onHalt: (error) => {
      throw error
    },
    ...ledger,
    ...parts,
  } as NodeParts)
}

/** Of a node that reaches nobody, unless it is told how. */
export const openConnections = async (
  parts: Pick<ConnectionsParts, 'node' | 'log'> & Partial<ConnectionsParts>,
  keys: ConnectionKeys = new MemoryKeys(),
): Promise<Connections> => {
  const store = await openUnstorageStore(memoryDriver(), 'none')
  return Connections.start({
    store: await ConnectionStore.open(store, keys, systemRandom),
    url: () => hostUrl,
    courier: {
      deliver: () => Promise.reject(new Error('nobody is reached from here')),
    },
    reach: 'public',
    clock: systemClock,
    random: systemRandom,
    ...parts,
  })
}

export class MemoryKeys implements ConnectionKeys {
  readonly kept = new Map<string, Uint8Array>()
  read = async (id: string) => this.kept.get(id)
  write = async (id: string, keys: Uint8Array) => void this.kept.set(id, keys)
  erase = async (id: string) => void this.kept.delete(id)
}

export const inAnHour = (): number => Math.floor(Date.now() / 1_000) + 3_600

export const transfer = (to: Address = friend.address, amount = '1'): Operation => ({
  type: 'transfer',
  to,
  amount: amount as Amount,
})

export const jsonInit = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: typeof body === 'string' ? body : JSON.stringify(body),
})

export const ndjsonInit = (body: BodyInit): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/x-ndjson' },
  body,
  ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
})

export const signWith =
  (node: Node) =>
  async (parts: Partial<Transaction> = {}, signer: Signer = rich): Promise<Transaction> => {
    const { network, nonce = 0, validUntil = inAnHour(), operations = [transfer()], memo, fee } = parts
    const unsigned = {
      network: network ?? node.network,
      nonce,
      validUntil,
      operations: [...operations],
      fee,
      ...(memo === undefined ? {} : { memo }),
    }
    return (await signTransaction(unsigned, signer, node.genesis.parameters)).transaction
  }

/** Without a socket. The node ends with the test, unless it is kept for others. */
export const openWorld = async ({
  limits = {},
  closing = new AbortController().signal,
  keep = false,
  readToken,
  ledger,
}: {
  limits?: Partial<Limits>
  closing?: AbortSignal
  keep?: boolean
  readToken?: string
  ledger?: Pick<NodeParts, 'chain' | 'store'>
} = {}): Promise<World> => {
  setMaxListeners(0, closing) // as the server does
  const complaints: Complaint[] = []
  const log = collectingLog(complaints)
  const node = await startNode(log, ledger)
  if (!keep) onTestFinished(() => node.close())
  const connections = await openConnections({ node, log })
  if (!keep) onTestFinished(() => connections.close())
  const app = createApp({
    node,
    connections,
    operatorToken: token,
    ...(readToken === undefined ? {} : { readToken }),
    acceptedUrls: [hostUrl],
    openapiText: 'openapi: 3.1.0\n',
    readAsset: async (name) => (name === 'swagger-ui.css' ? new TextEncoder().encode('body {}') : undefined),
    limits,
    closing,
    log,
  })
  const ask = async (path: string, init?: RequestInit) => app.request(path, init)
  return {
    node,
    app,
    complaints,
    ask,
    sign: signWith(node),
    commit: (transaction) => ask('/v1/transactions?wait=committed', jsonInit(transaction)),
  }
}

const once = (end: () => Promise<void>): (() => Promise<void>) => {
  let ending: Promise<void> | undefined
  return () => {
    ending ??= end()
    return ending
  }
}

/** On a free port of this machine. Doors and node end with the test. */
export const serveWorld = async ({
  limits = {},
  timeouts = {},
  keep = false,
  port = 0,
  readToken,
  parts = {},
}: {
  limits?: Partial<Limits>
  timeouts?: Partial<Timeouts>
  keep?: boolean
  port?: number
  readToken?: string
  parts?: Partial<NodeParts>
} = {}) => {
  const complaints: Complaint[] = []
  const log = collectingLog(complaints)
  const node = await startNode(log, parts)
  const server = await serve({
    node,
    operatorToken: token,
    host: '127.0.0.1',
    port,
    urls: [],
    ...(readToken === undefined ? {} : { readToken }),
    limits,
    timeouts,
    log,
  })
  const end = once(async () => {
    await server.close()
    await node.close()
  })
  if (!keep) onTestFinished(end)
  return {
    node,
    complaints,
    url: server.url,
    port: Number(new URL(server.url).port),
    server,
    end,
    sign: signWith(node),
  }
}

export interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly [detail: string]: unknown
}

/** The code of a problem, after checking that it is a whole one. */
export const problemOf = async (response: Response): Promise<{ code: string; problem: ProblemBody }> => {
  const text = await response.text()
  if (response.headers.get('content-type') !== 'application/problem+json')
    throw new Error(`${response.status} is no problem: ${text}`)
  const problem = JSON.parse(text) as ProblemBody
  if (problem.status !== response.status)
    throw new Error(`the problem says ${problem.status}, the response ${response.status}`)
  if (!problem.title || !problem.detail) throw new Error(`the problem says too little: ${text}`)
  return { code: problem.type.replace('/problems/', ''), problem }
}
