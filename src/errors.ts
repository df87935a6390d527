/**
 * Errors that carry a code. `src/` knows no HTTP: one exhaustive table in `routes/problem.ts` maps each
 * code to a status, so a code without a row doesn't compile.
 *
 * A message says what was wrong, what was expected and what to do. A bug is not one of these: it is an
 * `assert`, and halts. A peer's fault is not one either: it is a verdict.
 */

export type ErrorCode =
  // unreadable
  | 'malformed-json'
  | 'malformed-request'
  | 'malformed-transaction'
  | 'unsupported-media-type'
  | 'request-too-large'
  | 'request-timeout'
  // readable, but false
  | 'wrong-network'
  | 'nonce-used'
  | 'nonce-too-far'
  | 'expired'
  | 'expires-too-late'
  | 'fee-too-low'
  | 'transaction-too-large'
  | 'invalid-signature'
  | 'insufficient-funds'
  | 'operation-fails'
  | 'replacement-underpriced'
  | 'segment-refused'
  | 'too-many-peers'
  | 'invitation-refused'
  | 'export-refused'
  | 'too-many-connections'
  // gone, or never there
  | 'transaction-dropped'
  | 'upgrade-required'
  | 'not-found'
  | 'method-not-allowed'
  | 'read-only'
  | 'connection-inactive'
  | 'outbox-full'
  | 'pruned'
  // not you
  | 'unauthorized'
  | 'envelope-refused'
  | 'forbidden-origin'
  // not now
  | 'mempool-full'
  | 'too-many-requests'
  | 'storage-unavailable'
  | 'shutting-down'
  | 'lease-lost'
  | 'signing-refused'
  | 'no-origin'
  // a light client's: what the node says can't be believed
  | 'unverified'
  // the operator's own: configuration and data folder
  | 'bad-configuration'
  | 'folder-in-use'
  | 'damaged-folder'
  | 'ledger-mismatch'

export type Details = Readonly<Record<string, string | number | boolean>>

export class TautlineError extends Error {
  override readonly name = 'TautlineError'
  readonly code: ErrorCode
  readonly details: Details

  constructor(code: ErrorCode, message: string, details: Details = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
  }
}

/** A broken invariant is a bug: stop rather than continue on a wrong belief. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${message}`)
}
