/** Who waits for a transaction to become final, and how each of them learns what became of it. */
import { TautlineError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { TransactionId } from '../units.ts'
import type { FinalTransaction, Submission } from './service.ts'

/** Most requests that wait at a time. */
export const maxWaiters = 16_384

export type DropReason = 'replaced' | 'expired' | 'evicted' | 'invalid'

interface Waiter {
  settle(result: Submission): void
  fail(error: unknown): void
}

const droppedBecause: Readonly<Record<DropReason, string>> = {
  replaced: 'another transaction with the same nonce and a higher fee took its place',
  expired: 'no block included it before its validUntil',
  evicted: 'the mempool was full, and others paid more',
  invalid: "it can't be included any more, since its account has changed",
}

export class Waiters {
  readonly #clock: Clock
  readonly #waiting = new Map<TransactionId, Set<Waiter>>()
  #count = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @returns what became of the transaction, or that it is pending still when the time is over */
  wait(id: TransactionId, timeoutMs: number): Promise<Submission> {
    if (this.#count >= maxWaiters) {
      throw new TautlineError(
        'too-many-requests',
        `${maxWaiters} requests wait for transactions already: ask for this one later by its id`,
      )
    }
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.schedule(timeoutMs, () => waiter.settle({ id, status: 'pending' }))
      const end = (): void => {
        cancel()
        this.#remove(id, waiter)
      }
      const waiter: Waiter = {
        settle: (result) => {
          end()
          resolve(result)
        },
        fail: (error) => {
          end()
          reject(error)
        },
      }
      this.#add(id, waiter)
    })
  }

  final(result: FinalTransaction): void {
    for (const waiter of this.#waiting.get(result.id) ?? []) waiter.settle(result)
  }

  dropped(id: TransactionId, reason: DropReason): void {
    const waiters = this.#waiting.get(id)
    if (!waiters) return
    const error = new TautlineError(
      'transaction-dropped',
      `transaction ${id} was dropped: ${droppedBecause[reason]}`,
      { id, reason },
    )
    for (const waiter of waiters) waiter.fail(error)
  }

  /** Everyone who still waits is told that the transaction is pending. */
  close(): void {
    for (const [id, waiters] of this.#waiting)
      for (const waiter of waiters) waiter.settle({ id, status: 'pending' })
  }

  #add(id: TransactionId, waiter: Waiter): void {
    const waiters = this.#waiting.get(id)
    if (waiters) waiters.add(waiter)
    else this.#waiting.set(id, new Set([waiter]))
    this.#count++
  }

  #remove(id: TransactionId, waiter: Waiter): void {
    const waiters = this.#waiting.get(id)
    if (!waiters?.delete(waiter)) return
    if (waiters.size === 0) this.#waiting.delete(id)
    this.#count--
  }
}
