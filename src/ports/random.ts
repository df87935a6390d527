/** The only source of randomness. */
export interface Random {
  /** Unpredictable bytes. */
  bytes(count: number): Uint8Array
  /** From 0 to below 1; for jitter, not for secrets. */
  fraction(): number
}
