/** A whole node on a faulty disk, with a clock of its own: the same calls make the same writes. */

import { decodeAccount, holdingsOf } from '../../src/ledger/account.ts'
import { genesisSupply } from '../../src/ledger/genesis.ts'
import { burnedKey, decodeBurned } from '../../src/ledger/working-state.ts'
import { chainSink } from '../../src/node/block-sink.ts'
import { Chain } from '../../src/node/chain.ts'
import { networkOfOne } from '../../src/node/network-of-one.ts'
import { Node } from '../../src/node/node.ts'
import { readAll, replayAll } from '../../src/node/replay.ts'
import type { FinalTransaction } from '../../src/node/service.ts'
import { freshSignRecord, readSignRecord, writeSignRecord } from '../../src/node/sign-record.ts'
import type { Operation } from '../../src/objects/operation.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Signer, Verifier } from '../../src/ports/keys.ts'
import type { Log } from '../../src/ports/log.ts'
import type { Changes, Durability, ObjectStore } from '../../src/ports/object-store.ts'
import type { Random } from '../../src/ports/random.ts'
import type { SignRecordStore } from '../../src/ports/sign-record-store.ts'
import type { Transport } from '../../src/ports/transport.ts'
import { createNodeSigner } from '../../src/runtime/node/keys.ts'
import type { ObjectDriver } from '../../src/storage/driver.ts'
import { openUnstorageStore } from '../../src/storage/unstorage-store.ts'
import { type Address, type Amount, unixMs } from '../../src/units.ts'
import type { FaultyDisk } from './faulty-driver.ts'

export const genesisTime = unixMs(1_790_000_000_000)

/** Advances by a millisecond each time that it is read; what is scheduled never comes. */
export const tickingClock = (): Clock => {
  let now = genesisTime
  return { now: () => (now = unixMs(now + 1)), schedule: () => () => undefined }
}

/** For a node that is to reach nobody. */
export const noNetwork: { readonly random: Random; readonly transport: Transport } = {
  random: { bytes: (count) => new Uint8Array(count), fraction: () => 0 },
  transport: {
    dial: () => Promise.reject(new Error('there is no network')),
    request: () => Promise.reject(new Error('there is no network')),
  },
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** What may have left the node: signed, and durable since, by a record or a head. Shared by all runs of one validator. */
export class Released {
  readonly #byPlace = new Map<string, string>()
  #unsaved: string[] = []

  signer(signer: Signer): Signer {
    return {
      address: signer.address,
      sign: (text) => {
        if (!text.startsWith('tautline/transaction/')) this.#unsaved.push(text)
        return signer.sign(text)
      },
    }
  }

  records(store: SignRecordStore): SignRecordStore {
    return {
      read: () => store.read(),
      write: (record) => this.#releaseAfter(store.write(record)),
    }
  }

  /** Changes the store itself. */
  watch(store: ObjectStore): ObjectStore {
    const commit = store.commit.bind(store)
    return Object.assign(store, {
      commit: (changes: Changes, head: Uint8Array) => this.#releaseAfter(commit(changes, head)),
    })
  }

  /** A restart forgets what was signed and not saved. */
  restart(): void {
    this.#unsaved = []
  }

  async #releaseAfter(write: Promise<void>): Promise<void> {
    const saved = this.#unsaved.splice(0)
    await write
    for (const text of saved) this.#release(text)
  }

  #release(text: string): void {
    const [tag, json] = text.split('\n')
    const { height, round } = JSON.parse(json!) as { height: number; round: number }
    const place = `${tag} ${height} ${round}`
    const before = this.#byPlace.get(place)
    if (before !== undefined && before !== text)
      throw new Error(`the validator contradicts itself: ${before} and ${text}`)
    this.#byPlace.set(place, text)
  }
}

export const testSigner = createNodeSigner(new Uint8Array(32).fill(7))

export interface WholeNode {
  readonly node: Node
  readonly chain: Chain
}

export const startOn = async (
  disk: FaultyDisk,
  { driver, durability }: { driver: ObjectDriver; durability: Durability },
  verifier: Verifier,
  released: Released,
  onHalt: (error: unknown) => void,
): Promise<WholeNode> => {
  released.restart()
  const signer = released.signer(testSigner)
  const records = released.records(disk.signRecords())
  if ((await readSignRecord(records)) === undefined) await writeSignRecord(records, freshSignRecord)
  const store = released.watch(await openUnstorageStore(driver, durability))
  const chain =
    (await Chain.open(store, silentLog)) ??
    (await Chain.create(store, networkOfOne(signer.address, 'test', genesisTime)))
  const clock = tickingClock()
  const node = await Node.start({
    version: 'test',
    chain,
    store,
    records,
    signer,
    verifier,
    clock,
    log: silentLog,
    urls: () => ['test'],
    random: noNetwork.random,
    transport: noNetwork.transport,
    onHalt,
  })
  return { node, chain }
}

export const pay = (to: Address, amount: number): Operation => ({
  type: 'transfer',
  to,
  amount: String(amount) as Amount,
})

/** Spends and waits; resolves with undefined when the disk dies first. */
export const spendOn = (
  disk: FaultyDisk,
  { node }: WholeNode,
  operations: readonly Operation[],
): Promise<FinalTransaction | undefined> => {
  const spent = node
    .spend({ operations })
    .then(async ({ id }) => (await node.waitUntilFinal(id, 1)) as FinalTransaction)
  spent.catch(() => undefined)
  return Promise.race([spent, disk.death.then(() => undefined)])
}

/** Every rule that a ledger must keep, whatever it went through. */
export const checkLedger = async (
  { chain }: WholeNode,
  verifier: Verifier,
  acknowledged: readonly FinalTransaction[],
): Promise<void> => {
  const scratch = await Chain.create(await openUnstorageStore(memory(), 'none'), chain.genesis)
  const places = new Map<string, string>()
  await replayAll(readAll(chain), {
    sink: chainSink(scratch),
    network: chain.network,
    verifier,
    onApplied: ({ header, transactions }) => {
      for (const [index, { transaction }] of transactions.entries()) {
        const key = JSON.stringify([transaction.from, transaction.nonce])
        if (places.has(key)) throw new Error(`${key} is in two blocks`)
        places.set(key, `${header.height}.${index}`)
      }
    },
  })
  if (scratch.head.hash !== chain.head.hash) throw new Error('the replay comes to another head')
  for (const { id, height: at, index } of acknowledged) {
    const place = await chain.reader.placeOf(id)
    if (place?.height !== at || place.index !== index)
      throw new Error(`what was acknowledged at ${at}.${index} is lost`)
  }
  const supply = await countSupply(chain)
  if (supply !== genesisSupply(chain.genesis)) throw new Error(`supply is ${supply}`)
}

export const countSupply = async (chain: Chain): Promise<bigint> => {
  let supply = decodeBurned(chain.head.common.get(burnedKey))
  for await (const [key, value] of chain.state.entries(chain.head.state)) {
    if (key.startsWith('account/')) supply += holdingsOf(decodeAccount(value))
  }
  return supply
}

const memory = (): ObjectDriver => {
  const objects = new Map<string, Uint8Array>()
  return {
    name: 'scratch',
    hasItem: (key) => objects.has(key),
    getItem: () => null,
    getItemRaw: (key) => objects.get(key) ?? null,
    setItemRaw: (key, value: Uint8Array) => {
      objects.set(key, value)
    },
    removeItem: (key) => {
      objects.delete(key)
    },
    getKeys: () => [...objects.keys()],
  }
}

export const addressOf = (byte: number): Address => createNodeSigner(new Uint8Array(32).fill(byte)).address
