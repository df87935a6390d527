/** What went wrong with a request: the node refused it and said why, or there was no such answer at all. */

/** RFC 9457, as a node answers. */
export interface Problem {
  /** `/problems/<code>` */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
}

export interface RequestErrorDetails {
  /** HTTP status; absent when there was no answer. */
  readonly status?: number
  /** When to try again. */
  readonly retryAfterMs?: number
  /** As the node said it. */
  readonly problem?: Problem
}

/**
 * The code is one of the node's (`src/errors.ts`, perhaps of a newer version), or one of ours: `unreachable`,
 * `timeout`, `not-a-node`.
 */
export class RequestError extends Error {
  override readonly name = 'RequestError'
  readonly code: string
  readonly details: RequestErrorDetails

  constructor(code: string, message: string, details: RequestErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.details = details
  }
}

export const isProblem = (value: unknown): value is Problem =>
  typeof value === 'object' &&
  value !== null &&
  'detail' in value &&
  typeof value.detail === 'string' &&
  'type' in value &&
  typeof value.type === 'string'

/** The error that an answer with a status of refusal means. */
export const refusedBy = (url: string, { status, headers }: Response, text: string): RequestError => {
  const problem = readProblem(text)
  if (!problem)
    return new RequestError(
      'not-a-node',
      `${url} answered ${status}, and not as a Tautline node does: check the URL`,
      { status },
    )
  return problemError(problem, retryAfter(headers))
}

/** The error that a problem means, wherever it stood. */
export const problemError = (problem: Problem, details: RequestErrorDetails = {}): RequestError => {
  const { type, detail, status } = problem
  return new RequestError(type.replace(/^.*\//, ''), detail, { status, problem, ...details })
}

/** The error of a request that got no answer. */
export const unreachable = (url: string, timeoutMs: number, cause: unknown): RequestError => {
  if (cause instanceof Error && cause.name === 'TimeoutError') {
    return new RequestError(
      'timeout',
      `${url} did not answer within ${timeoutMs / 1_000} s: try again, or look into the node's log`,
      {},
      cause,
    )
  }
  const why = innermostMessage(cause)
  return new RequestError(
    'unreachable',
    `no node answers at ${url} (${why}): is it running, and is the URL right?`,
    {},
    cause,
  )
}

const readProblem = (text: string): Problem | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return isProblem(value) ? value : undefined
  } catch {
    return undefined
  }
}

const retryAfter = (headers: Headers): RequestErrorDetails => {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  return Number.isFinite(seconds) ? { retryAfterMs: seconds * 1_000 } : {}
}

// fetch says "fetch failed", and why only in its cause; a name with several addresses has one cause for each.
const innermostMessage = (error: unknown): string => {
  if (error instanceof AggregateError && error.message === '') return innermostMessage(error.errors[0])
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : innermostMessage(error.cause)
}
