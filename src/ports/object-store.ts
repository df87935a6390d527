/**
 * Where a ledger lies: immutable objects under keys that never change meaning, and one head.
 *
 * No multi-key atomicity is assumed: {@link ObjectStore.commit} makes the objects durable first and the head
 * last, so that whatever a crash leaves, the head names nothing that is missing. Objects beyond the head are
 * leftovers of a commit that didn't happen, and are written over.
 */

/** What survives: a power failure, the death of the process, or neither. */
export type Durability = 'power-loss' | 'process-crash' | 'none'

/** Key of `[a-z0-9:]`, at most 200 characters. */
export type ObjectKey = string

export interface Changes {
  readonly puts: readonly (readonly [ObjectKey, Uint8Array])[]
  /** Objects that nothing reachable from the new head needs; removed after it is durable. */
  readonly removes: readonly ObjectKey[]
}

/** All methods reject with TautlineError `storage-unavailable` when the storage doesn't do as it is told. */
export interface ObjectStore {
  readonly durability: Durability
  /** The bytes under a key, in a buffer of the caller's own. */
  get(key: ObjectKey): Promise<Uint8Array | undefined>
  /** The bytes under many keys, in their order. */
  getMany(keys: readonly ObjectKey[]): Promise<readonly (Uint8Array | undefined)[]>
  /** The head written last, as it was given; undefined in an empty store. */
  readHead(): Promise<Uint8Array | undefined>
  /** Resolves once objects and head are as durable as this store promises. One commit at a time. */
  commit(changes: Changes, head: Uint8Array): Promise<void>
  /** Gives the room of what was removed under these beginnings of keys back now, where it would else be long in coming. */
  reclaim(prefixes: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** Whoever writes to a store that others read. */
export interface Writer {
  /** Address of its node, or what else it is. */
  readonly name: string
  /** Where it is asked, once it listens. */
  readonly url?: string
}

/** A store that another process writes to meanwhile: for reading only. */
export interface SharedStore
  extends Pick<ObjectStore, 'durability' | 'get' | 'getMany' | 'readHead' | 'close'> {
  /** Calls back whenever the head may have changed, until the store is closed. */
  listen(onCommit: () => void): Promise<void>
  /** Who writes now; undefined when nobody does. */
  writer(): Promise<Writer | undefined>
}
