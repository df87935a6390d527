/**
 * Virtual time: a queue of events, worked off one at a time.
 *
 * What an event sets going runs until nothing is left that could go on without time passing. Nodes here do
 * no real input or output, so that is when the queue of microtasks is empty; `process.nextTick` waits for
 * exactly that, in half a microsecond. Two events of one moment happen in the order in which they were made.
 */
import { createHeap } from '../../src/mempool/heap.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { type UnixMs, unixMs } from '../../src/units.ts'

interface Event {
  readonly atMs: number
  readonly order: number
  action: (() => void) | undefined
}

export class VirtualTime {
  readonly #events = createHeap<Event>((one, other) =>
    one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs,
  )
  #nowMs = 0
  #made = 0

  /** Since the simulation began. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** @returns what cancels it */
  after(delayMs: number, action: () => void): () => void {
    const event: Event = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#made++, action }
    this.#events.push(event)
    return () => {
      event.action = undefined
    }
  }

  wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve))
  }

  /** @returns whether it was over before the end; time stands there otherwise */
  async runUntil(isOver: () => boolean, endMs: number): Promise<boolean> {
    await undefined // a tick that is asked for within a tick comes before the microtasks, and would wait for nothing
    await quiescence()
    while (!isOver()) {
      const next = this.#events.items[0]
      if (next === undefined || next.atMs > endMs) {
        this.#nowMs = endMs
        return false
      }
      this.#events.removeAt(0)
      if (next.action === undefined) continue
      this.#nowMs = next.atMs
      next.action()
      await quiescence()
    }
    return true
  }
}

const quiescence = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve))

/** When all simulations begin. */
export const beginning = unixMs(1_790_000_000_000)

/** One machine's clock: ahead or behind, and set now and then. Its timers run on, whatever it shows. */
export class MachineClock {
  readonly #time: VirtualTime
  #offsetMs = 0

  constructor(time: VirtualTime) {
    this.#time = time
  }

  get offsetMs(): number {
    return this.#offsetMs
  }

  set(offsetMs: number): void {
    this.#offsetMs = offsetMs
  }

  /**
   * For one life of the machine: when that is over, nothing of it happens any more.
   *
   * @param lagMs - how late the machine gets round to things just now
   */
  port(isAlive: () => boolean, lagMs: () => number): Clock {
    return {
      now: (): UnixMs => unixMs(beginning + this.#time.nowMs + this.#offsetMs),
      schedule: (delayMs, callback) =>
        this.#time.after(Math.ceil(delayMs) + lagMs(), () => {
          if (isAlive()) callback()
        }),
    }
  }
}
