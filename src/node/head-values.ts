/**
 * Values of the state at the head that were asked for lately: the accounts that are active are active again in
 * the next block, and finding and parsing them in their pages costs more than all that is done with them.
 */
import { LRUCache } from 'lru-cache'
import type { Json } from '../codec/json.ts'
import type { StateValues } from '../ledger/working-state.ts'

/** Values that are kept, of 0.4 KB each. */
export const maxHeadValues = 16_384

/** In place of what the state doesn't have, since the cache has no room for `undefined`. */
const absent = Symbol('absent')

export class HeadValues {
  /** Counted by size: with `max` all of its room would be taken at once. */
  readonly #values = new LRUCache<string, NonNullable<Json> | typeof absent>({
    maxSize: maxHeadValues,
    sizeCalculation: () => 1,
  })

  has(key: string): boolean {
    return this.#values.has(key)
  }

  /** @returns undefined also for what the state doesn't have: ask {@link has} */
  get(key: string): Json | undefined {
    const value = this.#values.get(key)
    return value === absent ? undefined : value
  }

  /** Takes in what was read of the head's state, or what a new head changes. */
  keep(values: StateValues): void {
    for (const [key, value] of values) this.#values.set(key, value ?? absent)
  }
}
