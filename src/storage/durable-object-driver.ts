/**
 * Objects in the storage of a Cloudflare Durable Object, which is strongly consistent, and durable once `sync`
 * resolves: such a store promises `power-loss`. A commit is one transaction.
 */
import { decodeUtf8, encodeUtf8 } from '../codec/bytes.ts'
import type { ObjectDriver } from './driver.ts'
import { SqlBlobs, type SqlStorage } from './sql-blobs.ts'

/** @param storage - of a class with SQLite behind it (`new_sqlite_classes`), the kind that Cloudflare recommends */
export const durableObjectDriver = (storage: SqlStorage): ObjectDriver => {
  const objects = new SqlBlobs(storage, 'objects')
  const write = (run: () => void): Promise<void> => {
    storage.transactionSync(run)
    return storage.sync()
  }
  const get = (key: string): Uint8Array | null => objects.get(key) ?? null
  return {
    name: 'durable-object',
    hasItem: (key) => get(key) !== null,
    getItem: (key) => {
      const value = get(key)
      return value && decodeUtf8(value)
    },
    getItemRaw: get,
    setItem: (key, value) => write(() => objects.put(key, encodeUtf8(value))),
    setItemRaw: (key, value: Uint8Array) => write(() => objects.put(key, value)),
    removeItem: (key) => write(() => objects.remove(key)),
    getKeys: (base) => objects.keys(base),
    readMany: async (keys) => keys.map((key) => objects.get(key)),
    writeBatch: (puts, removes) =>
      write(() => {
        for (const [key, value] of puts) objects.put(key, value)
        for (const key of removes) objects.remove(key)
      }),
  }
}
