/**
 * What readers of events have in common, whatever carries their stream.
 *
 * Events are taken from the node at the reader's pace. One that stops reading is cut off after a while and
 * told where, so that it can go on from there: it never misses one without knowing.
 */
import type { Log } from '../src/ports/log.ts'
import type { Budget, Limits } from './limits.ts'

/** What a stream carries. */
export interface FeedEvent {
  /** Place to resume after. */
  readonly id: string
  readonly type: string
  readonly data: object
}

/** Where a stream's events come from: past ones first, then as they come, until the signal aborts. */
export interface FeedSource {
  readonly open: (signal: AbortSignal) => AsyncIterable<FeedEvent>
  /** Id of the event that the reader resumes after. */
  readonly after?: string | undefined
}

export interface FeedParts {
  readonly limits: Pick<Limits, 'keepAliveMs' | 'stalledReaderMs'>
  readonly subscribers: Budget
  /** Aborts when the doors close. */
  readonly closing: AbortSignal
  readonly log: Log
}

export const cutOffReason = 'you read too slowly: resume after the last event that you have'

/** One reader's events, and its place among the subscribers, which {@link EventFeed.end} gives back. */
export class EventFeed {
  readonly #ended = new AbortController()
  readonly #events: AsyncIterator<FeedEvent>
  readonly #giveBack: () => void
  #next: Promise<IteratorResult<FeedEvent>> | undefined
  /** Id of the event taken last, or where the reader began. */
  lastId: string | undefined

  /** @throws TautlineError `too-many-requests`; whatever the source says about the place to resume from */
  constructor({ subscribers, closing }: FeedParts, { open, after }: FeedSource) {
    subscribers.take(1)
    this.#giveBack = () => subscribers.giveBack(1)
    this.lastId = after
    closing.addEventListener('abort', this.#stop, { once: true, signal: this.#ended.signal })
    if (closing.aborted) this.#stop()
    try {
      this.#events = open(this.#ended.signal)[Symbol.asyncIterator]()
    } catch (error) {
      this.end()
      throw error
    }
  }

  /**
   * The next event; undefined when there are none any more.
   *
   * @returns 'quiet' when none came in time: ask again
   */
  async next(patienceMs: number): Promise<FeedEvent | 'quiet' | undefined> {
    this.#next ??= this.#events.next()
    const result = await orQuiet(this.#next, patienceMs)
    if (result === 'quiet') return result
    this.#next = undefined
    if (result.done || this.#ended.signal.aborted) return undefined
    this.lastId = result.value.id
    return result.value
  }

  readonly #stop = (): void => this.#ended.abort()

  /** The reader is gone, or has had enough. */
  end(): void {
    this.#giveBackOnce()
    this.#stop()
    void this.#events?.return?.().catch(() => {})
  }

  #isGivenBack = false
  #giveBackOnce(): void {
    if (!this.#isGivenBack) this.#giveBack()
    this.#isGivenBack = true
  }
}

const orQuiet = async <Value>(promise: Promise<Value>, patienceMs: number): Promise<Value | 'quiet'> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const quiet = new Promise<'quiet'>((resolve) => {
    timer = setTimeout(() => resolve('quiet'), patienceMs)
  })
  try {
    return await Promise.race([promise, quiet])
  } finally {
    clearTimeout(timer)
  }
}
