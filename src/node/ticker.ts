/** Ticks for a machine, as long as it needs them. */
import type { Clock } from '../ports/clock.ts'

export class Ticker {
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #onTick: () => void
  #cancel: (() => void) | undefined

  constructor(clock: Clock, everyMs: number, onTick: () => void) {
    this.#clock = clock
    this.#everyMs = everyMs
    this.#onTick = onTick
  }

  /** @param isNeeded - whether there is to be another tick, as far as is known now */
  need(isNeeded: boolean): void {
    if (!isNeeded) {
      this.#cancel?.()
      this.#cancel = undefined
    } else {
      this.#cancel ??= this.#clock.schedule(this.#everyMs, () => {
        this.#cancel = undefined
        this.#onTick()
      })
    }
  }
}
