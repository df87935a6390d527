/** The only source of time. */
import type { UnixMs } from '../units.ts'

export interface Clock {
  now(): UnixMs
  /** Calls back once, after at least this long; returns what cancels it. Keeps no process alive. */
  schedule(delayMs: number, callback: () => void): () => void
}
