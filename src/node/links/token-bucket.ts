/** A budget that refills with time: so much a second, and so much at once. */
import type { UnixMs } from '../../units.ts'

export class TokenBucket {
  readonly #perSecond: number
  readonly #most: number
  #tokens: number
  #sinceMs: UnixMs

  constructor(perSecond: number, burstSeconds: number, now: UnixMs) {
    this.#perSecond = perSecond
    this.#most = perSecond * burstSeconds
    this.#tokens = this.#most
    this.#sinceMs = now
  }

  /** Takes them if they are there. */
  take(count: number, now: UnixMs): boolean {
    this.#refill(now)
    if (this.#tokens < count) return false
    this.#tokens -= count
    return true
  }

  /** Takes them in any case. @returns how many milliseconds it needs to get over that */
  spend(count: number, now: UnixMs): number {
    this.#refill(now)
    this.#tokens -= count
    return Math.max(0, Math.ceil((-this.#tokens * 1_000) / this.#perSecond))
  }

  /** A clock that was set back refills nothing, and counts on from there. */
  #refill(now: UnixMs): void {
    const elapsedMs = Math.max(0, now - this.#sinceMs)
    this.#sinceMs = now
    this.#tokens = Math.min(this.#most, this.#tokens + (elapsedMs * this.#perSecond) / 1_000)
  }
}
