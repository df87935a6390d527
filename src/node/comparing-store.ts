/**
 * A store that takes a replay and compares it with the ledger that is replayed: whatever a block writes must
 * lie there already, byte for byte.
 *
 * Left out are the state's pages and what follows from them: where checkpoints were made is each node's own
 * affair, so pages lie elsewhere. They are checked by their hashes.
 */
import { TautlineError } from '../errors.ts'
import type { Changes, ObjectKey, ObjectStore } from '../ports/object-store.ts'

const nodesOwn = /^(page|stale):/

export class ComparingStore implements ObjectStore {
  readonly durability
  readonly #scratch: ObjectStore
  readonly #original: ObjectStore

  constructor(scratch: ObjectStore, original: ObjectStore) {
    this.durability = scratch.durability
    this.#scratch = scratch
    this.#original = original
  }

  get(key: ObjectKey) {
    return this.#scratch.get(key)
  }

  getMany(keys: readonly ObjectKey[]) {
    return this.#scratch.getMany(keys)
  }

  readHead() {
    return this.#scratch.readHead()
  }

  async commit(changes: Changes, head: Uint8Array): Promise<void> {
    const written = changes.puts.filter(([key]) => !nodesOwn.test(key))
    const kept = await this.#original.getMany(written.map(([key]) => key))
    for (const [at, [key, bytes]] of written.entries()) {
      if (!isSame(bytes, kept[at])) {
        throw new TautlineError('ledger-mismatch', `${key} is not what the blocks lead to`, { key })
      }
    }
    await this.#scratch.commit(changes, head)
  }

  reclaim(prefixes: readonly string[]) {
    return this.#scratch.reclaim(prefixes)
  }

  close() {
    return this.#scratch.close()
  }
}

const isSame = (one: Uint8Array, other: Uint8Array | undefined): boolean =>
  one.length === other?.length && one.every((byte, at) => byte === other[at])
