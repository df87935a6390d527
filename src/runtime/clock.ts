/** Time as this machine has it. Its timers keep no process alive. */
import type { Clock } from '../ports/clock.ts'
import { unixMs } from '../units.ts'

/** setTimeout takes no longer delay; a longer one is waited for in parts. */
const maxDelayMs = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => unixMs(Date.now()),
  schedule: (delayMs, callback) => {
    let timer: ReturnType<typeof setTimeout>
    const wait = (leftMs: number): void => {
      timer = setTimeout(
        () => (leftMs > maxDelayMs ? wait(leftMs - maxDelayMs) : callback()),
        Math.min(leftMs, maxDelayMs),
      )
      if (typeof timer === 'object') timer.unref()
    }
    wait(delayMs)
    return () => clearTimeout(timer)
  },
}
