/** What the load generator, a process of its own, is asked to do, and what it answers. */

export type LoadTask =
  /** Each line of the files in a request of its own, the connections shared equally. */
  | { readonly kind: 'single'; readonly targets: readonly Target[]; readonly connections: number }
  /** Streams side by side, each of files that are sent one after the other. */
  | { readonly kind: 'ndjson'; readonly url: string; readonly streams: readonly (readonly string[])[] }
  /** Each line of the file once to the node, waiting for it to be final, and once to the bare server. */
  | {
      readonly kind: 'latency'
      readonly url: string
      readonly bareUrl: string
      readonly file: string
      /** For the durable writes; on the same file system as the ledger. */
      readonly scratch: string
    }
  /** Each line of the file to the next node in turn, waiting for it to be final. */
  | { readonly kind: 'waiting'; readonly urls: readonly string[]; readonly file: string }

/** What a node is sent. */
export interface Target {
  readonly url: string
  readonly file: string
}

export interface ThroughputReport {
  readonly transactions: number
  /** From the first request to the last transaction being final on all nodes. */
  readonly seconds: number
}

/** One entry for each round. */
export interface LatencyReport {
  readonly waitedMs: readonly number[]
  readonly bareMs: readonly number[]
  readonly writesMs: readonly number[]
}

export interface WaitingReport {
  readonly waitedMs: readonly number[]
}

export interface LoadReports {
  readonly single: ThroughputReport
  readonly ndjson: ThroughputReport
  readonly latency: LatencyReport
  readonly waiting: WaitingReport
}

export type LoadAnswer = { readonly report: LoadReports[LoadTask['kind']] } | { readonly error: string }
