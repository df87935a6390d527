/** Pending transactions by the second of their `validUntil`: those of one second share a place in the order. */
import { type UnixMs, unixMs } from '../units.ts'
import { createFrontier } from './frontier.ts'
import { createHeap } from './heap.ts'
import type { Entry } from './line.ts'

export interface Expiries {
  add(entry: Entry): void
  remove(entry: Entry): void
  /** Those that no block of this time can include any more, the earliest first. */
  expiredAt(timeMs: UnixMs): readonly Entry[]
  /** The first time at which one has expired. */
  earliest(): UnixMs | undefined
}

interface Second {
  readonly validUntil: number
  readonly entries: Set<Entry>
  slot: number
}

/** The last time of a block that can include what is valid until this second. */
export const lastIncludableMs = (validUntil: number): number => validUntil * 1_000

const isEarlier = (one: Second, other: Second): boolean => one.validUntil < other.validUntil

export const createExpiries = (): Expiries => {
  const seconds = new Map<number, Second>()
  const order = createHeap<Second>(isEarlier, (second, slot) => {
    second.slot = slot
  })

  const open = (validUntil: number): Second => {
    const second = { validUntil, entries: new Set<Entry>(), slot: -1 }
    seconds.set(validUntil, second)
    order.push(second)
    return second
  }

  const close = (second: Second): void => {
    seconds.delete(second.validUntil)
    order.removeAt(second.slot)
  }

  return {
    add: (entry) => {
      const { validUntil } = entry.decoded.transaction
      const second = seconds.get(validUntil) ?? open(validUntil)
      second.entries.add(entry)
    },
    remove: (entry) => {
      const second = seconds.get(entry.decoded.transaction.validUntil)!
      second.entries.delete(entry)
      if (second.entries.size === 0) close(second)
    },
    expiredAt: (timeMs) => {
      const expired: Entry[] = []
      const frontier = createFrontier(order.items, isEarlier)
      for (let second = frontier.next(); second !== undefined; second = frontier.next()) {
        if (lastIncludableMs(second.validUntil) >= timeMs) break
        for (const entry of second.entries) expired.push(entry)
      }
      return expired
    },
    earliest: () => {
      const [first] = order.items
      return first === undefined ? undefined : unixMs(lastIncludableMs(first.validUntil) + 1)
    },
  }
}
