/**
 * Verification in batches on threads of its own, one for each core.
 *
 * Handing a signature to libuv costs the main thread 30 µs under load (a job, a lock, a wake-up); a batch costs
 * 2 µs for each. libuv's threads moreover stay free for synced writes, which would wait behind verifications.
 * Few that come together, as votes do, are verified where they are: 0.1 ms of the main thread for each costs less
 * than waking another.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Claim } from '../verifier.ts'
import type { NativeEd25519 } from './native-ed25519.js'

/** Most claims of a batch: 3 to 6 ms of a core, after which a claim that came later gets its turn. */
export const maxBatch = 64

/** Claims that come with or right after another one, and are no reason to wake a thread that is at rest. */
const maxFew = 3

/** Claims that are worth waking a thread for while another is at work: handing over fewer costs more than they hold. */
const worthwhileBatch = 16

/**
 * Batches that a thread has been given: it goes on with them while the main thread executes a block of thousands of
 * transactions. Claims are taken in their order in any case, so none waits longer for it.
 */
const maxBatchesAhead = 32

/** Claims one after the other, each as key, signature and message; `ends` says where each of them ends. */
export interface Batch {
  readonly ends: readonly number[]
  readonly bytes: Uint8Array<ArrayBuffer>
}

interface Task {
  readonly claim: Claim
  readonly resolve: (holds: boolean) => void
}

interface Thread {
  readonly worker: Worker
  /** Under way, oldest first. */
  readonly batches: (readonly Task[])[]
}

export class VerificationPool {
  readonly #native: NativeEd25519
  #workers: readonly Thread[] | undefined
  readonly #queue: Task[] = []
  #isFlushing = false

  constructor(native: NativeEd25519) {
    this.#native = native
  }

  /** One in a turn of the event loop is verified at once; what comes with or after it makes a batch, unless it is little. */
  async holds(claim: Claim): Promise<boolean> {
    if (this.#isFlushing || this.#isAtWork) {
      return new Promise((resolve) => this.#enqueue({ claim, resolve }))
    }
    this.#scheduleFlush()
    return this.#verify(claim)
  }

  /** A thread is. */
  get #isAtWork(): boolean {
    return this.#workers?.some(({ batches }) => batches.length > 0) ?? false
  }

  #enqueue(task: Task): void {
    this.#queue.push(task)
    if (!this.#isFlushing) this.#scheduleFlush()
  }

  #scheduleFlush(): void {
    this.#isFlushing = true
    setImmediate(() => {
      this.#isFlushing = false
      this.#flush()
    })
  }

  #flush(): void {
    if (this.#queue.length === 0) return
    if (this.#queue.length <= maxFew && !this.#isAtWork) this.#verifyHere(this.#queue.splice(0))
    else this.#handOut()
  }

  #handOut(): void {
    this.#workers ??= Array.from({ length: availableParallelism() }, () => this.#startThread())
    if (this.#workers.length === 0) this.#verifyHere(this.#queue.splice(0))
    for (;;) {
      const [thread, ...others] = [...this.#workers].sort(byBatches)
      if (!thread || this.#queue.length < leastBatch(thread, others)) return
      const share = Math.max(worthwhileBatch, Math.ceil(this.#queue.length / this.#workers.length))
      this.#dispatch(thread, this.#queue.splice(0, Math.min(maxBatch, share)))
    }
  }

  #dispatch({ worker, batches }: Thread, tasks: readonly Task[]): void {
    batches.push(tasks)
    worker.ref() // only a thread at work keeps the process alive
    const batch = packBatch(tasks.map(({ claim }) => claim))
    worker.postMessage(batch, [batch.bytes.buffer])
  }

  /** A thread answers its batches in their order. */
  #settle({ worker, batches }: Thread, verdicts: Uint8Array): void {
    const tasks = batches.shift() ?? []
    if (batches.length === 0) worker.unref()
    for (const [at, { resolve }] of tasks.entries()) resolve(verdicts[at] === 1)
    this.#flush()
  }

  #startThread(): Thread {
    const worker = new Worker(new URL('./verification-worker.js', import.meta.url), {
      workerData: this.#native.name,
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 },
    })
    const thread: Thread = { worker, batches: [] }
    worker.on('message', (verdicts: Uint8Array) => this.#settle(thread, verdicts))
    worker.on('error', () => this.#lose(thread))
    worker.unref() // last, since listening refers to it again
    return thread
  }

  /** A thread that has died says nothing about the signatures that it held. */
  #lose(thread: Thread): void {
    this.#workers = this.#workers?.filter((other) => other !== thread)
    this.#verifyHere(thread.batches.splice(0).flat())
    this.#flush()
  }

  #verify({ publicKey, message, signature }: Claim): boolean {
    return this.#native.verify(publicKey, message, signature)
  }

  #verifyHere(tasks: readonly Task[]): void {
    for (const { claim, resolve } of tasks) {
      try {
        resolve(this.#verify(claim))
      } catch {
        resolve(false) // an exception is a rejection
      }
    }
  }
}

const byBatches = (one: Thread, other: Thread): number => one.batches.length - other.batches.length

/** How many claims must wait before a thread is given some: few come along with others soon. */
const leastBatch = ({ batches }: Thread, others: readonly Thread[]): number => {
  if (batches.length >= maxBatchesAhead) return Number.POSITIVE_INFINITY
  if (batches.length > 0) return maxBatch
  return others.some((other) => other.batches.length > 0) ? worthwhileBatch : 1
}

const packBatch = (claims: readonly Claim[]): Batch => {
  const ends: number[] = []
  let sizeBytes = 0
  for (const { publicKey, signature, message } of claims) {
    sizeBytes += publicKey.length + signature.length + message.length
    ends.push(sizeBytes)
  }
  const bytes = new Uint8Array(sizeBytes)
  let at = 0
  for (const { publicKey, signature, message } of claims) {
    for (const part of [publicKey, signature, message]) {
      bytes.set(part, at)
      at += part.length
    }
  }
  return { ends, bytes }
}
