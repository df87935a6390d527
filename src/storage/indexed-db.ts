/**
 * One IndexedDB database with one object store of bytes under text keys: what the driver and the keeper of a
 * browser's key both lie on.
 *
 * Writes ask for `durability: 'strict'`: the transaction is complete once what it changed is on the medium (IndexedDB
 * 3.0, "durability hint"). A hint is all it is: Chromium 156 on Linux does one `fdatasync` for each such transaction,
 * which makes it take 1.7 times as long; of other browsers we know only what they say. Nobody can tell from here
 * whether the window is a private one, whose databases are kept in memory and end with it, and a browser that runs
 * out of disk may remove the data of sites that it wasn't asked to keep (`navigator.storage.persist`).
 *
 * @see https://w3c.github.io/IndexedDB/#transaction-durability-hint
 */
import { storageFailure } from './storage-failure.ts'

const storeName = 'objects'
const version = 1

export class Database {
  readonly #database: IDBDatabase
  /** Why it can't be used any more, when it was taken away while open. */
  #lost: Error | undefined

  private constructor(database: IDBDatabase) {
    this.#database = database
    database.onclose = () => {
      this.#lost = new Error('the browser has closed the database: was the data of this site removed?')
    }
    // Whoever removes the database would wait for as long as it is open here.
    database.onversionchange = () => {
      this.#lost = new Error('the database is being removed')
      database.close()
    }
  }

  /** Makes the database when there is none. @throws TautlineError `storage-unavailable` */
  static async open(name: string): Promise<Database> {
    try {
      const opening = indexedDB.open(name, version)
      opening.onupgradeneeded = () => opening.result.createObjectStore(storeName)
      return new Database(await answerOf(opening))
    } catch (cause) {
      throw storageFailure('open', cause)
    }
  }

  /** Whether this browser knows what is asked of it: see above what that is worth. */
  get isStrict(): boolean {
    return this.#begin('readwrite').durability === 'strict'
  }

  /** All requests are made in one transaction, which sees no writing in between. */
  read<Value>(request: (store: IDBObjectStore) => Promise<Value>): Promise<Value> {
    return request(this.#begin('readonly').objectStore(storeName))
  }

  /** All of it or nothing. Resolves when it is as durable as this browser makes it. */
  async write(change: (store: IDBObjectStore) => void): Promise<void> {
    const transaction = this.#begin('readwrite')
    const done = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve()
      transaction.onabort = () => reject(transaction.error ?? this.#lost ?? new Error('it was aborted'))
    })
    try {
      change(transaction.objectStore(storeName))
      transaction.commit()
    } catch (cause) {
      done.catch(() => undefined)
      transaction.abort()
      throw cause
    }
    await done
  }

  close(): void {
    this.#database.close()
  }

  #begin(mode: 'readonly' | 'readwrite'): IDBTransaction {
    if (this.#lost) throw this.#lost
    return this.#database.transaction(storeName, mode, { durability: 'strict' })
  }
}

/** What a request answers. */
export const answerOf = <Value>(request: IDBRequest<Value>): Promise<Value> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
