/**
 * The sign record in a Durable Object's storage.
 *
 * A transaction replaces it whole or not at all, so there is no need of two files that take turns.
 */
import { assert, TautlineError } from '../../errors.ts'
import type { SignRecordStore } from '../../ports/sign-record-store.ts'
import { SqlBlobs, type SqlStorage } from '../../storage/sql-blobs.ts'

/** As on Node: twice what a block of 4 MiB and its polka take. */
const maxSignRecordBytes = 16 * 1024 * 1024
const key = 'record'

export const createSignRecordStore = (storage: SqlStorage): SignRecordStore => {
  const blobs = new SqlBlobs(storage, 'signer')
  return {
    read: async () => blobs.get(key),
    write: async (record) => {
      assert(record.length <= maxSignRecordBytes, `a sign record has at most ${maxSignRecordBytes} bytes`)
      try {
        storage.transactionSync(() => blobs.put(key, record))
        await storage.sync()
      } catch (cause) {
        throw new TautlineError(
          'storage-unavailable',
          `the sign record could not be written (${cause instanceof Error ? cause.message : String(cause)}), ` +
            'so nothing is signed: see whether the storage of the Durable Object is full',
          {},
          cause,
        )
      }
    },
  }
}
