/**
 * Connections on disk. One commit a step: the connection, what was taken and what is to be said become durable
 * together or not at all. Everything but the list of local ids is sealed.
 *
 * | key | sealed with | |
 * |---|---|---|
 * | `index` | | local ids |
 * | `c:<id>` | held, then kept | the connection |
 * | `o:<id>:<number>` | held | a message of ours |
 * | `i:<id>:<position>` | kept | a message of the other end |
 * | `t:<id>:<hash of its id>` | kept | that it was taken |
 * | `p:<id>:<commitment>` | kept | a private payload, ours or theirs |
 * | `e:<position>` | | an event: the local id, and what happened |
 */

import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { decodeUtf8, encodeHex, encodeUtf8 } from '../../codec/bytes.ts'
import type { Json } from '../../codec/json.ts'
import {
  type Connection,
  decodeConnection,
  encodeConnection,
  type Outbound,
} from '../../connections/connections.ts'
import type { ConnectionKeys } from '../../ports/connection-keys.ts'
import type { ObjectKey, ObjectStore } from '../../ports/object-store.ts'
import type { Random } from '../../ports/random.ts'
import type { Hash } from '../../units.ts'
import { maxEvents, maxInbox } from './limits.ts'
import { decodeRestKeys, encodeRestKeys, makeRestKeys, openJson, type RestKeys, sealJson } from './sealed.ts'
import type { ConnectionEvent, InboxMessage, KeptPayload } from './service.ts'

export interface Entry {
  readonly connection: Connection
  readonly keys: RestKeys
  /** Positions in the inbox: the oldest that is kept, and the one that comes next. */
  readonly inbox: { readonly oldest: number; readonly next: number }
}

/** What becomes durable with a connection. */
export interface Additions {
  readonly taken: readonly InboxMessage[]
  readonly outbound: readonly Outbound[]
  /** Numbers of the outbox that go. */
  readonly dropped: readonly number[]
  readonly events: readonly Omit<ConnectionEvent, 'position'>[]
  readonly payloads: readonly KeptPayload[]
  /** The keys are to be forgotten. */
  readonly erased: boolean
}

export const nothingAdded: Additions = {
  taken: [],
  outbound: [],
  dropped: [],
  events: [],
  payloads: [],
  erased: false,
}

interface Head {
  readonly oldestEvent: number
  readonly nextEvent: number
}

const indexKey: ObjectKey = 'index'
const connectionKey = (id: string): ObjectKey => `c:${id}`
const outboundKey = (id: string, number: number): ObjectKey => `o:${id}:${number}`
const inboxKey = (id: string, position: number): ObjectKey => `i:${id}:${position}`
const payloadKey = (id: string, c: Hash): ObjectKey => `p:${id}:${c}`
const eventKey = (position: number): ObjectKey => `e:${position}`

/** Says nothing about the id to who hasn't the key. */
const takenKey = ({ connection, keys }: Entry, messageId: string): ObjectKey =>
  `t:${connection.id}:${encodeHex(hmac(sha256, keys.kept, encodeUtf8(messageId)).subarray(0, 16))}`

export class ConnectionStore {
  readonly #store: ObjectStore
  readonly #keys: ConnectionKeys
  readonly #random: Random
  readonly #entries = new Map<string, Entry>()
  #head: Head = { oldestEvent: 1, nextEvent: 1 }

  private constructor(store: ObjectStore, keys: ConnectionKeys, random: Random) {
    this.#store = store
    this.#keys = keys
    this.#random = random
  }

  /** @throws TautlineError `damaged-folder` */
  static async open(store: ObjectStore, keys: ConnectionKeys, random: Random): Promise<ConnectionStore> {
    const opened = new ConnectionStore(store, keys, random)
    await opened.#read()
    return opened
  }

  get entries(): ReadonlyMap<string, Entry> {
    return this.#entries
  }

  /** Keys first: a crash in between leaves keys that seal nothing. */
  async add(connection: Connection, additions: Additions, history = noHistory): Promise<void> {
    const keys = makeRestKeys(this.#random)
    await this.#keys.write(connection.id, encodeRestKeys(keys))
    this.#entries.set(connection.id, { connection, keys, inbox: history.inbox })
    try {
      await this.#commit(connection.id, additions, [[indexKey, this.#encodeIndex()]], history.takenIds)
    } catch (error) {
      this.#entries.delete(connection.id)
      throw error
    }
  }

  async update(connection: Connection, additions: Additions): Promise<void> {
    const before = this.#entries.get(connection.id)!
    this.#entries.set(connection.id, { ...before, connection })
    try {
      await this.#commit(connection.id, additions)
    } catch (error) {
      this.#entries.set(connection.id, before)
      throw error
    }
    if (additions.erased) await this.#forgetHeld(connection.id)
  }

  /** What may be forgotten when the process ends: when to try again, and whether the last attempt got through. */
  remember(connection: Connection): void {
    this.#entries.set(connection.id, { ...this.#entries.get(connection.id)!, connection })
  }

  /** Its keys, too: what stays behind under other names (payloads, what was taken) nobody can read any more. */
  async remove(id: string): Promise<void> {
    const entry = this.#entries.get(id)!
    this.#entries.delete(id)
    const removes = [connectionKey(id)]
    for (let position = entry.inbox.oldest; position < entry.inbox.next; position++)
      removes.push(inboxKey(id, position))
    await this.#store.commit({ puts: [[indexKey, this.#encodeIndex()]], removes }, this.#encodeHead())
    await this.#keys.erase(id)
  }

  async isTaken(id: string, messageId: string): Promise<boolean> {
    return (await this.#store.get(takenKey(this.#entries.get(id)!, messageId))) !== undefined
  }

  async outbound(id: string, number: number): Promise<Outbound | undefined> {
    const { held } = this.#entries.get(id)!.keys
    const key = outboundKey(id, number)
    const bytes = held && (await this.#store.get(key))
    return bytes && (openJson(held, key, bytes) as unknown as Outbound)
  }

  async inbox(id: string, from: number, limit: number): Promise<readonly InboxMessage[]> {
    const { keys, inbox } = this.#entries.get(id)!
    const first = Math.max(from, inbox.oldest)
    const positions = Array.from(
      { length: Math.max(0, Math.min(limit, inbox.next - first)) },
      (_, at) => first + at,
    )
    const values = await this.#store.getMany(positions.map((position) => inboxKey(id, position)))
    return values.flatMap((bytes, at) =>
      bytes ? [openJson(keys.kept, inboxKey(id, positions[at]!), bytes) as unknown as InboxMessage] : [],
    )
  }

  async payloadOf(id: string, c: Hash): Promise<KeptPayload | undefined> {
    const entry = this.#entries.get(id)
    const key = payloadKey(id, c)
    const bytes = entry && (await this.#store.get(key))
    return bytes && (openJson(entry.keys.kept, key, bytes) as unknown as KeptPayload)
  }

  /** @returns undefined when no connection has such a payload */
  async findPayload(c: Hash): Promise<KeptPayload | undefined> {
    for (const id of this.#entries.keys()) {
      const payload = await this.payloadOf(id, c)
      if (payload) return payload
    }
    return undefined
  }

  async keepPayload(id: string, payload: KeptPayload): Promise<void> {
    await this.#commit(id, { ...nothingAdded, payloads: [payload] })
  }

  get nextEvent(): number {
    return this.#head.nextEvent
  }

  /** @param from - a position; what isn't kept any more is passed over */
  async events(from: number, limit: number): Promise<readonly ConnectionEvent[]> {
    const { oldestEvent, nextEvent } = this.#head
    const first = Math.max(from, oldestEvent)
    const keys = Array.from({ length: Math.max(0, Math.min(limit, nextEvent - first)) }, (_, at) =>
      eventKey(first + at),
    )
    const values = await this.#store.getMany(keys)
    return values.flatMap((bytes) => (bytes ? [JSON.parse(decodeUtf8(bytes)) as ConnectionEvent] : []))
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async #read(): Promise<void> {
    const head = await this.#store.readHead()
    if (!head) return
    this.#head = JSON.parse(decodeUtf8(head)) as Head
    const index = await this.#store.get(indexKey)
    const ids = index ? (JSON.parse(decodeUtf8(index)) as readonly string[]) : []
    for (const id of ids) await this.#readEntry(id)
  }

  async #readEntry(id: string): Promise<void> {
    const key = connectionKey(id)
    const [bytes, keyBytes] = [await this.#store.get(key), await this.#keys.read(id)]
    // Without its keys nothing can be read of it: it was removed, and a crash came in between.
    if (!bytes || !keyBytes) return
    const keys = decodeRestKeys(keyBytes)
    const sealedWith = bytes[0] === heldMark ? keys.held : keys.kept
    if (!sealedWith) return
    const value = openJson(sealedWith, key, bytes.subarray(1)) as { connection: Json; inbox: Entry['inbox'] }
    const connection = decodeConnection(value.connection)
    this.#entries.set(id, { connection, keys, inbox: value.inbox })
    if (!connection.identity && keys.held) await this.#forgetHeld(id)
  }

  async #forgetHeld(id: string): Promise<void> {
    const entry = this.#entries.get(id)!
    const keys = { kept: entry.keys.kept }
    await this.#keys.write(id, encodeRestKeys(keys))
    this.#entries.set(id, { ...entry, keys })
  }

  async #commit(
    id: string,
    { taken, outbound, dropped, events, payloads }: Additions,
    more: readonly (readonly [ObjectKey, Uint8Array])[] = [],
    takenIds: readonly string[] = [],
  ): Promise<void> {
    const entry = this.#entries.get(id)!
    const { kept, held } = entry.keys
    const puts: (readonly [ObjectKey, Uint8Array])[] = [...more]
    const removes: ObjectKey[] = dropped.map((number) => outboundKey(id, number))
    const put = (key: ObjectKey, sealingKey: Uint8Array, value: unknown): void => {
      puts.push([key, sealJson(sealingKey, key, value as Json, this.#random)])
    }

    let { oldest, next } = entry.inbox
    for (const message of taken) {
      const position = next++
      put(inboxKey(id, position), kept, { ...message, position })
      puts.push([takenKey(entry, message.id), takenMark])
    }
    for (const messageId of takenIds) puts.push([takenKey(entry, messageId), takenMark])
    for (; next - oldest > maxInbox; oldest++) removes.push(inboxKey(id, oldest))
    for (const message of outbound) put(outboundKey(id, message.number), held!, message)
    for (const payload of payloads) put(payloadKey(id, payload.c), kept, payload)

    const inbox = { oldest, next }
    const { connection } = entry
    const sealingKey = connection.identity ? held! : kept
    const key = connectionKey(id)
    const sealed = sealJson(
      sealingKey,
      key,
      { connection: encodeConnection(connection), inbox },
      this.#random,
    )
    const mark = connection.identity ? heldMark : keptMark
    puts.push([key, Uint8Array.of(mark, ...sealed)])

    const head = this.#addEvents(events, puts, removes)
    await this.#store.commit({ puts, removes }, encodeUtf8(JSON.stringify(head)))
    this.#head = head
    this.#entries.set(id, { ...entry, inbox })
  }

  #addEvents(
    events: Additions['events'],
    puts: (readonly [ObjectKey, Uint8Array])[],
    removes: ObjectKey[],
  ): Head {
    let { oldestEvent, nextEvent } = this.#head
    for (const event of events) {
      const position = nextEvent++
      puts.push([eventKey(position), encodeUtf8(JSON.stringify({ ...event, position }))])
    }
    for (; nextEvent - oldestEvent > maxEvents; oldestEvent++) removes.push(eventKey(oldestEvent))
    return { oldestEvent, nextEvent }
  }

  #encodeIndex(): Uint8Array {
    return encodeUtf8(JSON.stringify([...this.#entries.keys()]))
  }

  #encodeHead(): Uint8Array {
    return encodeUtf8(JSON.stringify(this.#head))
  }
}

/** Which of the two keys a connection is sealed with. */
const keptMark = 0
const heldMark = 1
const takenMark = Uint8Array.of(1)
const noHistory: { readonly inbox: Entry['inbox']; readonly takenIds: readonly string[] } = {
  inbox: { oldest: 1, next: 1 },
  takenIds: [],
}
