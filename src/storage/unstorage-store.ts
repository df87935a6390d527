/**
 * The ObjectStore port over an unstorage driver.
 *
 * The head lies in two slots that take turns (`codec/slot.ts`), so a driver whose single writes can be torn
 * still never loses the head before. A driver with `writeBatch` gets one batch a commit; any other gets the
 * objects, a sync, the head, a sync, and then the removals, whose loss would waste space and nothing else.
 *
 * unstorage is not trusted to be friendly (1.17): its `fs` drivers return errors as values, `memory` hands
 * out its own buffers, keys are rewritten. So every value is checked and copied, and every key is checked.
 */
import { createStorage, type Storage } from 'unstorage'
import { decodeSlot, encodeSlot, newestSlot, type Slot, slotIndex } from '../codec/slot.ts'
import { assert, TautlineError } from '../errors.ts'
import type { Changes, Durability, ObjectKey, ObjectStore, SharedStore } from '../ports/object-store.ts'
import type { ObjectDriver } from './driver.ts'
import { storageFailure } from './storage-failure.ts'

const maxKeyLength = 200
/** Calls in flight to a driver that takes one key at a time. */
const maxParallel = 32

const headKeys = ['head:0', 'head:1'] as const

/** Takes the driver over: {@link ObjectStore.close} disposes of it, and so does a failure to open. */
export const openUnstorageStore = async (
  driver: ObjectDriver,
  durability: Durability,
): Promise<ObjectStore> => {
  const storage = createStorage({ driver })
  try {
    const slots = await readSlots(storage)
    return new UnstorageStore(driver, storage, durability, slots)
  } catch (cause) {
    await storage.dispose()
    throw cause
  }
}

/** For reading what another process writes meanwhile, by a driver that can tell. */
export const openSharedStore = async (driver: ObjectDriver, durability: Durability): Promise<SharedStore> => {
  const store = await openUnstorageStore(driver, durability)
  return Object.assign(store, {
    listen: (onCommit: () => void) => attempt('read', async () => driver.listen?.(onCommit)),
    writer: () => attempt('read', async () => driver.writer?.()),
  })
}

class UnstorageStore implements ObjectStore {
  readonly durability: Durability
  readonly #driver: ObjectDriver
  readonly #storage: Storage
  /** As they lie in the storage, by all that this store knows. */
  readonly #slots: Slots
  /** Of the head that was committed last; 0 before the first. */
  #counter: number
  #committing: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor(driver: ObjectDriver, storage: Storage, durability: Durability, slots: Slots) {
    this.#driver = driver
    this.#storage = storage
    this.durability = durability
    this.#slots = slots
    this.#counter = newestOf(slots)?.counter ?? 0
  }

  async get(key: ObjectKey): Promise<Uint8Array | undefined> {
    this.#requireOpen()
    assertKey(key)
    return readBytes(this.#storage, key)
  }

  async getMany(keys: readonly ObjectKey[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.#requireOpen()
    keys.forEach(assertKey)
    if (this.#driver.readMany) return attempt('read', async () => this.#driver.readMany!(keys))
    const values = new Array<Uint8Array | undefined>(keys.length)
    await runInLanes(keys, async (key, at) => {
      values[at] = await readBytes(this.#storage, key)
    })
    return values
  }

  async readHead(): Promise<Uint8Array | undefined> {
    this.#requireOpen()
    const head = newestOf(await readSlots(this.#storage))
    return head && new Uint8Array(head.value)
  }

  async commit(changes: Changes, head: Uint8Array): Promise<void> {
    this.#requireOpen()
    assert(this.#committing === undefined, 'one commit at a time')
    for (const [key] of changes.puts) assertKey(key)
    changes.removes.forEach(assertKey)
    this.#committing = attempt('write', () => this.#write(changes, head))
    try {
      await this.#committing
    } finally {
      this.#committing = undefined
    }
  }

  async reclaim(prefixes: readonly string[]): Promise<void> {
    this.#requireOpen()
    for (const prefix of prefixes) await attempt('write', async () => this.#driver.reclaim?.(prefix))
  }

  close(): Promise<void> {
    this.#closing ??= this.#dispose()
    return this.#closing
  }

  /** After a failure the counter stands, so the next attempt goes to the same slot and spares the head before. */
  async #write({ puts, removes }: Changes, head: Uint8Array): Promise<void> {
    const counter = this.#counter + 1
    const headKey = headKeys[slotIndex(counter)]
    const slot = encodeSlot({ counter, value: head })
    if (this.#driver.writeBatch) {
      await this.#driver.writeBatch([...puts, [headKey, slot]], removes, [...this.#slots])
    } else {
      await runInLanes(puts, ([key, value]) => this.#storage.setItemRaw(key, new Uint8Array(value)))
      await this.#driver.sync?.()
      await this.#storage.setItemRaw(headKey, slot)
      await this.#driver.sync?.()
      await runInLanes(removes, (key) => this.#storage.removeItem(key))
    }
    this.#counter = counter
    this.#slots.set(headKey, slot)
  }

  async #dispose(): Promise<void> {
    await this.#committing?.catch(() => undefined) // whoever asked for the commit has been told
    await attempt('close', () => this.#storage.dispose())
  }

  #requireOpen(): void {
    if (this.#closing)
      throw new TautlineError('storage-unavailable', 'the storage is closed: this node is shutting down')
  }
}

type Slots = Map<ObjectKey, Uint8Array | undefined>

const readSlots = async (storage: Storage): Promise<Slots> =>
  new Map(await Promise.all(headKeys.map(async (key) => [key, await readBytes(storage, key)] as const)))

const newestOf = (slots: Slots): Slot | undefined => {
  const bytes = [...slots.values()]
  const head = newestSlot(bytes.map((slot) => slot && decodeSlot(slot)))
  // One bad slot alone is what the very first commit leaves when it is torn: nothing was promised yet.
  if (head === undefined && bytes.every((slot) => slot !== undefined)) {
    throw new TautlineError(
      'damaged-folder',
      'both copies of the ledger’s head are damaged: restore the ledger from a backup, or move it away and sync anew',
    )
  }
  return head
}

const readBytes = async (storage: Storage, key: ObjectKey): Promise<Uint8Array | undefined> => {
  const value = await attempt('read', () => storage.getItemRaw<unknown>(key))
  if (value === null || value === undefined) return undefined
  if (value instanceof Uint8Array) return new Uint8Array(value)
  throw storageFailure(
    'read',
    value instanceof Error ? value : new Error(`the driver gave a ${typeof value}, not bytes`),
  )
}

const attempt = async <Value>(
  action: 'read' | 'write' | 'close',
  run: () => Promise<Value>,
): Promise<Value> => {
  try {
    return await run()
  } catch (cause) {
    throw cause instanceof TautlineError ? cause : storageFailure(action, cause)
  }
}

// Segments must not be empty: unstorage would drop them, and two keys would become one.
const keyPattern = /^[a-z0-9]+(?::[a-z0-9]+)*$/

const assertKey = (key: ObjectKey): void => {
  assert(key.length <= maxKeyLength && keyPattern.test(key), `"${key}" is an object key`)
  assert(!key.startsWith('head:'), 'the head is written by commits only')
}

/** Runs all, some side by side. When one fails no more are begun, and none is left running. */
const runInLanes = async <Item>(
  items: readonly Item[],
  run: (item: Item, at: number) => Promise<void>,
): Promise<void> => {
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++
      await run(items[at]!, at).catch((cause: unknown) => {
        next = items.length
        throw cause
      })
    }
  }
  const lanes = await Promise.allSettled(Array.from({ length: Math.min(maxParallel, items.length) }, lane))
  const failed = lanes.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}
