/**
 * What the doors take at a time. Budgets are the process's own, and who exceeds them is told to come again:
 * nobody is banned by address, since many people share one.
 */
import { TautlineError } from '../src/errors.ts'
import { maxFrameBytes } from '../src/messages/limits.ts'

export interface Limits {
  /** Requests that are being answered at a time; streams that were begun count apart. */
  readonly requests: number
  /** Bytes of request bodies that are being read at a time. */
  readonly bodyBytes: number
  /** Bytes of one JSON body: the largest transaction, in whatever spelling. */
  readonly jsonBytes: number
  /** Bytes of the messages of one POST. */
  readonly peerBytes: number
  /** POSTs of messages at a time. */
  readonly peerPosts: number
  /** Pushed segments at a time. */
  readonly pushedSegments: number
  /** How long a pushed segment may take to come in. */
  readonly segmentMs: number
  /** NDJSON submissions at a time. */
  readonly submissionStreams: number
  /** Bytes of one NDJSON submission. */
  readonly streamBytes: number
  /** Lines of one NDJSON submission. */
  readonly streamLines: number
  /** How long a JSON body may take to come in. */
  readonly jsonMs: number
  /** How long an NDJSON body may bring nothing. */
  readonly streamIdleMs: number
  /** How long an NDJSON body may be waited for, all pauses together. */
  readonly streamMs: number
  /** How long `?wait=committed` waits. */
  readonly waitMs: number
  /** Readers of events at a time. */
  readonly subscribers: number
  /** After this long without an event, a reader is told that the stream is alive. */
  readonly keepAliveMs: number
  /** A reader of events that reads nothing for this long is cut off. */
  readonly stalledReaderMs: number
}

export const defaultLimits: Limits = {
  requests: 4_096,
  bodyBytes: 64 * 1024 * 1024,
  jsonBytes: 256 * 1024,
  peerBytes: maxFrameBytes,
  peerPosts: 32,
  pushedSegments: 2,
  segmentMs: 15_000,
  submissionStreams: 64,
  streamBytes: 8 * 1024 * 1024,
  streamLines: 10_000,
  jsonMs: 15_000,
  streamIdleMs: 10_000,
  streamMs: 60_000,
  waitMs: 30_000,
  subscribers: 1_000,
  keepAliveMs: 30_000,
  stalledReaderMs: 60_000,
}

/** So much of something at a time. */
export class Budget {
  readonly #limit: number
  readonly #what: string
  #taken = 0

  /** @param what - in the plural, for the message: "requests" */
  constructor(limit: number, what: string) {
    this.#limit = limit
    this.#what = what
  }

  /** @throws TautlineError `too-many-requests` */
  take(count: number): void {
    if (this.#taken + count > this.#limit) {
      throw new TautlineError(
        'too-many-requests',
        `this node takes ${this.#limit} ${this.#what} at a time, and has no room for more now: try again in a moment`,
      )
    }
    this.#taken += count
  }

  giveBack(count: number): void {
    this.#taken -= count
  }
}
