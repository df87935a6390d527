/** What bounds the mempool. */

export interface MempoolLimits {
  /** Canonical bytes of all transactions. */
  readonly maxBytes: number
  readonly maxTransactions: number
  /** A sender's nonces are less than this ahead of its account's; so no more are ready, either. */
  readonly maxAheadPerSender: number
  /** Transactions of one sender behind a gap. */
  readonly maxWaitingPerSender: number
}

export const defaultMempoolLimits: MempoolLimits = {
  maxBytes: 32 * 1024 * 1024,
  maxTransactions: 32_768,
  maxAheadPerSender: 4_096,
  maxWaitingPerSender: 64,
}
