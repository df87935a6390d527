/**
 * IndexedDB as an unstorage driver, for browsers: a commit is one strict transaction (`indexed-db.ts`).
 *
 * Values are stored as buffers of their own: cloning a view would clone all that it is a view of.
 */
import { decodeUtf8, encodeUtf8 } from '../codec/bytes.ts'
import type { Durability, ObjectKey } from '../ports/object-store.ts'
import type { ObjectDriver } from './driver.ts'
import { answerOf, Database } from './indexed-db.ts'

export interface IndexedDbDriver extends ObjectDriver {
  /** What this browser promises for it. */
  readonly durability: Durability
}

/** @throws TautlineError `storage-unavailable` */
export const openIndexedDbDriver = async (name: string): Promise<IndexedDbDriver> => {
  const database = await Database.open(name)
  const read = (key: ObjectKey) => database.read((store) => readBytes(store, key))
  const put = (key: ObjectKey, value: Uint8Array) =>
    database.write((store) => {
      store.put(ownBuffer(value), key)
    })
  return {
    name: 'indexed-db',
    durability: database.isStrict ? 'power-loss' : 'process-crash',
    hasItem: async (key) => (await database.read((store) => answerOf(store.count(key)))) > 0,
    getItem: async (key) => {
      const value = await read(key)
      return value === undefined ? null : decodeUtf8(value)
    },
    getItemRaw: async (key) => (await read(key)) ?? null,
    setItem: (key, value) => put(key, encodeUtf8(value)),
    setItemRaw: put,
    removeItem: (key) =>
      database.write((store) => {
        store.delete(key)
      }),
    getKeys: async (base) =>
      (await database.read((store) => answerOf(store.getAllKeys(beginningWith(base))))) as string[],
    dispose: () => database.close(),
    readMany: (keys) => database.read((store) => Promise.all(keys.map((key) => readBytes(store, key)))),
    writeBatch: (puts, removes) =>
      database.write((store) => {
        for (const [key, value] of puts) store.put(ownBuffer(value), key)
        for (const key of removes) store.delete(key)
      }),
  }
}

const readBytes = async (store: IDBObjectStore, key: ObjectKey): Promise<Uint8Array | undefined> => {
  const value = await answerOf(store.get(key) as IDBRequest<ArrayBuffer | undefined>)
  return value && new Uint8Array(value)
}

const ownBuffer = (value: Uint8Array): ArrayBufferLike =>
  value.byteLength === value.buffer.byteLength ? value.buffer : value.slice().buffer

const beginningWith = (base: string | undefined): IDBKeyRange | undefined =>
  base ? IDBKeyRange.bound(base, `${base}\uffff`) : undefined
