/**
 * A disk that fails at one chosen write: for sweeps that fail at every write of a run in turn.
 *
 * A {@link FaultyDisk} holds a ledger's objects and a sign record. What changes them, or makes them durable,
 * is numbered from 1 in one count for both: a put, a removal, a sync, a batch, a sign record. At the write of
 * the fault the machine dies: that call rejects, and so does every later one. {@link FaultyDisk.survivors}
 * is what a new process then finds; give it to a new disk. Nothing here is random: the same calls give the
 * same survivors.
 *
 * ```ts
 * const length = await run(faultyDisk())                       // how many writes are there?
 * for (const fault of everyFault(length)) {
 *   const disk = faultyDisk({ fault })
 *   await run(disk).catch(() => undefined)
 *   await checkAfterRestart(faultyDisk({ survivors: disk.survivors() }))
 * }
 * ```
 */
import { createHash } from 'node:crypto'
import { type Digest, decodeSlot, encodeSlot, newestSlot, slotIndex } from '../../src/codec/slot.ts'
import { TautlineError } from '../../src/errors.ts'
import type { SignRecordStore } from '../../src/ports/sign-record-store.ts'
import type { ObjectDriver } from '../../src/storage/driver.ts'

/**
 * - `crash`: the process dies before this write; what was written before, synced or not, is there.
 * - `tear`: the process dies within this write, and a part of it has landed: by the write's number nothing,
 *   half, or all but the last byte. What is atomic (a batch, a removal, a sync) hasn't happened.
 * - `lose`: the power fails, and everything since the last sync is gone, this write as well.
 * - `reorder`: the power fails, and of everything since the last sync only this write has reached the disk.
 *   When nothing else was unsynced, it is a write that happened and was never acknowledged.
 */
export const faultKinds = ['crash', 'tear', 'lose', 'reorder'] as const
export type FaultKind = (typeof faultKinds)[number]

export interface Fault {
  readonly kind: FaultKind
  /** From 1. */
  readonly atWrite: number
}

export interface Survivors {
  readonly objects: ReadonlyMap<string, Uint8Array>
  /** The two slots of the sign record, as they lie on the disk. */
  readonly signRecord: readonly (Uint8Array | undefined)[]
}

/** Every kind of fault at every write of a run. */
export const everyFault = (writes: number): readonly Fault[] =>
  Array.from({ length: writes }, (_, at) => faultKinds.map((kind) => ({ kind, atWrite: at + 1 }))).flat()

export const describeFault = ({ kind, atWrite }: Fault): string => `${kind} at write ${atWrite}`

export interface FaultyDisk {
  /** Writes so far, the one that failed included. */
  readonly writes: number
  readonly isDead: boolean
  /** Resolves when the fault strikes; never without one. */
  readonly death: Promise<void>
  /** An unstorage driver with `sync` and no `writeBatch`. */
  driver(): ObjectDriver
  /** An unstorage driver with `writeBatch` and `readMany`. */
  batchDriver(): ObjectDriver
  signRecords(): SignRecordStore
  /** Without a fault: what a `kill -9` would leave now. */
  survivors(): Survivors
  /** The process is killed, not within a write. */
  die(): void
}

export const faultyDisk = (given: { fault?: Fault; survivors?: Survivors } = {}): FaultyDisk =>
  new Disk(given.fault, given.survivors)

type Objects = Map<string, Uint8Array>

/** What a write does: all of it to what the next process sees, or a part of it when it is torn. */
interface Write {
  readonly land: (objects: Objects) => void
  readonly tear?: (objects: Objects, share: Share) => void
  /** True for what is durable once it resolves. */
  readonly syncs: boolean
}

const digest: Digest = (bytes) => createHash('sha256').update(bytes).digest()

/** How much of so many bytes lands. */
type Share = (bytes: number) => number
const shares: readonly Share[] = [() => 0, (bytes) => bytes >> 1, (bytes) => Math.max(0, bytes - 1)]

class Disk implements FaultyDisk {
  readonly death: Promise<void>
  readonly #fault: Fault | undefined
  #writes = 0
  #isDead = false
  #die: () => void = () => undefined
  /** What a process sees, and finds again after a crash of the process. */
  #written: Objects
  /** What it finds after a power failure. */
  #synced: Objects
  readonly #signRecord: (Uint8Array | undefined)[]

  constructor(fault: Fault | undefined, survivors: Survivors | undefined) {
    this.#fault = fault
    this.#written = copyOf(survivors?.objects ?? new Map())
    this.#synced = new Map(this.#written)
    this.#signRecord = [0, 1].map((at) => copied(survivors?.signRecord[at]))
    this.death = new Promise((resolve) => {
      this.#die = resolve
    })
  }

  get writes(): number {
    return this.#writes
  }

  get isDead(): boolean {
    return this.#isDead
  }

  driver(): ObjectDriver {
    return {
      ...this.#plainDriver('faulty'),
      sync: async () => this.#write({ syncs: true, land: () => undefined }),
    }
  }

  batchDriver(): ObjectDriver {
    return {
      ...this.#plainDriver('faulty-batch'),
      readMany: async (keys) => keys.map((key) => this.#read(key)),
      writeBatch: async (puts, removes) =>
        this.#write({
          syncs: true,
          land: (objects) => {
            for (const [key, value] of puts) objects.set(key, new Uint8Array(value))
            for (const key of removes) objects.delete(key)
          },
        }),
    }
  }

  /** As the real one: a slot appears whole, is then written over in place, and is durable when it resolves. */
  signRecords(): SignRecordStore {
    const newest = () => newestSlot(this.#signRecord.map((slot) => slot && decodeSlot(slot, digest)))
    return {
      read: async () => {
        this.#requireAlive()
        return copied(newest()?.value)
      },
      write: async (record) => {
        this.#requireAlive()
        const counter = (newest()?.counter ?? 0) + 1
        const index = slotIndex(counter)
        const slot = encodeSlot({ counter, value: record }, digest)
        const before = this.#signRecord[index]
        this.#write({
          syncs: false, // the ledger's objects
          land: () => {
            this.#signRecord[index] = slot
          },
          tear: (_, share) => {
            if (before) this.#signRecord[index] = overwritten(before, slot.subarray(0, share(slot.length)))
          },
        })
      },
    }
  }

  survivors(): Survivors {
    return { objects: copyOf(this.#written), signRecord: this.#signRecord.map(copied) }
  }

  die(): void {
    this.#isDead = true
    this.#die()
  }

  #plainDriver(name: string): ObjectDriver {
    return {
      name,
      hasItem: async (key) => this.#read(key) !== undefined,
      getItem: async (key) => new TextDecoder().decode(this.#read(key)),
      getItemRaw: async (key) => this.#read(key) ?? null,
      getKeys: async () => {
        this.#requireAlive()
        return [...this.#written.keys()]
      },
      setItemRaw: async (key, value: Uint8Array) => this.#write(putting(key, value)),
      removeItem: async (key) => this.#write({ syncs: false, land: (objects) => objects.delete(key) }),
    }
  }

  #read(key: string): Uint8Array | undefined {
    this.#requireAlive()
    return copied(this.#written.get(key))
  }

  #write(write: Write): void {
    this.#requireAlive()
    this.#writes++
    if (this.#fault?.atWrite === this.#writes) this.#fail(this.#fault, write)
    write.land(this.#written)
    if (write.syncs) this.#synced = new Map(this.#written)
  }

  #fail({ kind, atWrite }: Fault, write: Write): never {
    if (kind === 'tear') write.tear?.(this.#written, shares[atWrite % shares.length]!)
    if (kind === 'lose' || kind === 'reorder') this.#written = new Map(this.#synced)
    if (kind === 'reorder') write.land(this.#written)
    this.die()
    throw this.#deadError()
  }

  #requireAlive(): void {
    if (this.#isDead) throw this.#deadError()
  }

  #deadError(): TautlineError {
    const what = this.#fault ? describeFault(this.#fault) : 'dead'
    return new TautlineError('storage-unavailable', `the faulty disk is dead: ${what}`)
  }
}

const putting = (key: string, value: Uint8Array): Write => {
  const bytes = new Uint8Array(value)
  return {
    syncs: false,
    land: (objects) => objects.set(key, bytes),
    tear: (objects, share) => objects.set(key, bytes.slice(0, share(bytes.length))), // fs drivers truncate first
  }
}

const overwritten = (before: Uint8Array, start: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(Math.max(before.length, start.length))
  bytes.set(before)
  bytes.set(start)
  return bytes
}

const copied = (bytes: Uint8Array | undefined): Uint8Array | undefined => bytes && new Uint8Array(bytes)

const copyOf = (objects: ReadonlyMap<string, Uint8Array>): Objects =>
  new Map([...objects].map(([key, bytes]) => [key, new Uint8Array(bytes)]))
