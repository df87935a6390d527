/**
 * Remembers what it is told, and forgets what is oldest: it holds at most `max` values, and at least the newest
 * half of them.
 *
 * Two generations instead of one order: nothing is allocated ahead, and nothing has to find the oldest.
 */
export class Memory<Value> {
  readonly #generation: number
  #young = new Set<Value>()
  #old: ReadonlySet<Value> = new Set()

  constructor(max: number) {
    this.#generation = max / 2
  }

  has(value: Value): boolean {
    return this.#young.has(value) || this.#old.has(value)
  }

  add(value: Value): void {
    if (this.#young.size >= this.#generation) this.age()
    this.#young.add(value)
  }

  /** Forgets what was there the last time that it aged. */
  age(): void {
    this.#old = this.#young
    this.#young = new Set()
  }

  clear(): void {
    this.#young = new Set()
    this.#old = new Set()
  }
}
