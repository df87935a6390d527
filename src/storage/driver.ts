/**
 * Storage: where a ledger's objects lie. Comes in: commits and reads from the node, through the ObjectStore
 * port. Goes out: calls of an unstorage driver. Must never let unstorage guess at values (raw bytes only),
 * nor make a head durable before what it names.
 *
 * A driver here is a plain unstorage driver object, so any of unstorage's own will do. What unstorage has no
 * word for, a driver may have as an optional method; the store uses what is there.
 *
 * @see https://unstorage.unjs.io/guide/custom-driver
 */
import type { Driver } from 'unstorage'
import type { Durability, ObjectKey, Writer } from '../ports/object-store.ts'

export interface DriverPowers {
  /** The bytes under many keys, in their order, in buffers that nobody else holds. */
  readMany?(keys: readonly ObjectKey[]): Promise<readonly (Uint8Array | undefined)[]>
  /**
   * Puts, then removes: all of it or nothing, and durable once it resolves. With this a commit is one write;
   * without it, the store orders single writes with {@link sync} between them.
   *
   * @param expected - what lies under some keys now. Where others can write too, or a write that seemed to
   *   fail can still arrive, the server compares first: nothing is written over anything else, save over what
   *   this very batch has put there before
   */
  writeBatch?(
    puts: readonly (readonly [ObjectKey, Uint8Array])[],
    removes: readonly ObjectKey[],
    expected?: readonly (readonly [ObjectKey, Uint8Array | undefined])[],
  ): Promise<void>
  /** Gives the room of removed items whose keys begin so back to the disk. Without this it comes back by itself. */
  reclaim?(prefix: string): Promise<void>
  /** Resolves once every write that resolved before is durable. */
  sync?(): Promise<void>
  /** Calls back whenever another process may have committed, until the driver is disposed of. */
  listen?(onCommit: () => void): Promise<void>
  /** Who holds the lease to write; undefined when nobody does. */
  writer?(): Promise<Writer | undefined>
}

export type ObjectDriver = Driver & DriverPowers

/** A driver, and what its store promises. */
export interface OpenedDriver {
  readonly driver: ObjectDriver
  readonly durability: Durability
}
