/**
 * Errors as RFC 9457 problems: the one place where codes become status codes.
 *
 * In: anything thrown behind a door. Out: `application/problem+json` whose `type` ends with the code. What
 * carries no code is a bug: it is logged here and answered without a word about the inside.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { type Details, type ErrorCode, TautlineError } from '../src/errors.ts'
import type { Log } from '../src/ports/log.ts'

export type ProblemCode = ErrorCode | 'internal-error'

interface Row {
  readonly status: ContentfulStatusCode
  readonly title: string
  /** Said in `Retry-After`: it may go well then, with the same request. */
  readonly retryAfterSeconds?: number
}

const notNow = { status: 503, retryAfterSeconds: 1 } as const

/** Unreadable is 400, readable but false 422, too much 413 or 429, not now 503. */
export const problems: Readonly<Record<ProblemCode, Row>> = {
  'malformed-json': { status: 400, title: 'Malformed JSON' },
  'malformed-request': { status: 400, title: 'Malformed request' },
  'malformed-transaction': { status: 400, title: 'Malformed transaction' },
  'unsupported-media-type': { status: 415, title: 'Unsupported media type' },
  'request-too-large': { status: 413, title: 'Request too large' },
  'request-timeout': { status: 408, title: 'Request too slow' },

  'wrong-network': { status: 422, title: 'Wrong network' },
  'nonce-used': { status: 422, title: 'Nonce used' },
  'nonce-too-far': { status: 422, title: 'Nonce too far ahead' },
  expired: { status: 422, title: 'Expired' },
  'expires-too-late': { status: 422, title: 'Expires too late' },
  'fee-too-low': { status: 422, title: 'Fee too low' },
  'transaction-too-large': { status: 413, title: 'Transaction too large' },
  'invalid-signature': { status: 422, title: 'Invalid signature' },
  'insufficient-funds': { status: 422, title: 'Insufficient funds' },
  'operation-fails': { status: 422, title: 'Operation fails' },
  'replacement-underpriced': { status: 422, title: 'Replacement underpriced' },
  'segment-refused': { status: 422, title: 'Segment refused' },
  'too-many-peers': { status: 422, title: 'Too many peers' },
  'invitation-refused': { status: 422, title: 'Invitation refused' },
  'export-refused': { status: 422, title: 'Export refused' },
  'too-many-connections': { status: 422, title: 'Too many connections' },

  'transaction-dropped': { status: 409, title: 'Transaction dropped' },
  'upgrade-required': { status: 426, title: 'Upgrade required' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'Method not allowed' },
  'read-only': { status: 403, title: 'Read-only node' },
  'connection-inactive': { status: 409, title: 'Connection not active' },
  'outbox-full': { status: 409, title: 'Outbox full' },
  pruned: { status: 410, title: 'Pruned' },

  'envelope-refused': { status: 403, title: 'Envelope refused' },
  unauthorized: { status: 401, title: 'Unauthorized' },
  'forbidden-origin': { status: 403, title: 'Forbidden host or origin' },

  'mempool-full': { ...notNow, title: 'Mempool full' },
  'too-many-requests': { status: 429, title: 'Too many requests', retryAfterSeconds: 1 },
  'storage-unavailable': { ...notNow, retryAfterSeconds: 5, title: 'Storage unavailable' },
  'shutting-down': { ...notNow, retryAfterSeconds: 5, title: 'Shutting down' },
  'lease-lost': { ...notNow, retryAfterSeconds: 60, title: 'Lease lost' },
  'signing-refused': { ...notNow, retryAfterSeconds: 60, title: 'Signing refused' },

  unverified: { status: 502, title: 'Not verified' },

  'no-origin': { ...notNow, retryAfterSeconds: 5, title: 'No origin answers' },

  'bad-configuration': { status: 500, title: 'Bad configuration' },
  'folder-in-use': { status: 500, title: 'Data folder in use' },
  'damaged-folder': { status: 500, title: 'Damaged data folder' },
  'ledger-mismatch': { status: 500, title: 'Ledger mismatch' },
  'internal-error': { status: 500, title: 'Internal error' },
}

export interface Problem extends Details {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
}

const problemOf = (code: ProblemCode, detail: string, details: Details = {}): Problem => {
  const { title, status } = problems[code]
  const members = { type: `/problems/${code}`, title, status, detail }
  return { ...members, ...details, ...members } // details come last, and replace none of these
}

/** The problem that an error is, for whoever asked. */
export const toProblem = (error: unknown, log: Log): Problem => {
  if (error instanceof TautlineError) return problemOf(error.code, error.message, error.details)
  log.error('a request ended in an unexpected error', { error: describeError(error) })
  return problemOf('internal-error', 'something went wrong in this node; its log says what')
}

const describeError = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)

/** @param headers - what the status asks for beyond `Retry-After`: `Allow`, `WWW-Authenticate` */
export const problemResponse = (
  error: unknown,
  log: Log,
  headers: Readonly<Record<string, string>> = {},
): Response => {
  const problem = toProblem(error, log)
  const { retryAfterSeconds } = problems[codeOf(error)]
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
      ...(problem.status === 401 ? { 'www-authenticate': 'Bearer realm="operator"' } : {}),
      ...headers,
    },
  })
}

const codeOf = (error: unknown): ProblemCode =>
  error instanceof TautlineError ? error.code : 'internal-error'
