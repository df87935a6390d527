/**
 * An edge function without storage, in front of nodes: it serves public reads, so that a busy network can be read
 * from a CDN.
 *
 * In: GETs of what anybody may read. Out: what an origin answers, from the cache when it is there. What can't change
 * (blocks, full segments, final transactions with their proofs, snapshots) is kept for good; all the rest is kept for
 * a second, in which any number of readers costs the origins one request. It knows no secret, and passes none on:
 * whatever acts, for an operator or anybody else, is done at a node. Readers need not believe it either, since all
 * that matters in an answer proves itself.
 *
 * Written for Cloudflare Workers, in nothing but Web standards: any runtime that calls `fetch` will do. Where there
 * is no Cache API, the headers tell the caches in front of it.
 */
import { immutable } from '../../../routes/caching.ts'
import { problemResponse } from '../../../routes/problem.ts'
import { TautlineError } from '../../errors.ts'
import { nodeUrlField } from '../../objects/join-string.ts'
import { consoleLog } from '../workerd/console-log.ts'

export interface EdgeEnv {
  /** URLs of nodes, the preferred first, separated by blanks or commas. */
  readonly TAUTLINE_ORIGINS?: string
}

export interface EdgeContext {
  /** Lets something go on when the answer is given. */
  waitUntil(promise: Promise<unknown>): void
}

/** How long others may keep what is true now. */
const freshSeconds = 1
/** An origin that hasn't answered within this is passed over for the next. */
const originMs = 10_000
/** Twice what the largest segment has. */
const maxAnswerBytes = 32 * 1024 * 1024
const maxPathChars = 1_024

/** What is served. Streams, peers, metrics, and all that takes part or acts are the nodes' own. */
const reads: readonly RegExp[] = [
  /^\/v1\/(status|genesis|validators|blocks|snapshots)$/,
  /^\/v1\/(blocks|headers|transactions|accounts)\/[0-9a-z]+$/,
  /^\/v1\/accounts\/[0-9a-z]+\/transactions$/,
  /^\/v1\/snapshots\/[0-9a-z/]+$/,
  /^\/openapi\.yaml$/,
]

/** Of an origin's answer, what goes on to the reader. */
const passedHeaders = ['content-type', 'etag', 'retry-after']

export default {
  fetch: async (request: Request, env: EdgeEnv, context: EdgeContext): Promise<Response> => {
    try {
      const path = readPath(request)
      const answer = await answerTo(new URL(path, request.url), path, originsOf(env), context)
      return forReader(request, answer)
    } catch (error) {
      return withCors(problemResponse(error, consoleLog))
    }
  },
}

/** @returns path and query, in the one spelling that they are cached under */
const readPath = ({ method, url }: Request): string => {
  const { pathname, searchParams } = new URL(url)
  if (!reads.some((pattern) => pattern.test(pathname)))
    throw new TautlineError('not-found', 'this is not served here, but by the nodes themselves')
  if (method !== 'GET' && method !== 'HEAD')
    throw new TautlineError('method-not-allowed', `only reads are served here, not ${method}: ask a node`)
  searchParams.sort()
  const query = searchParams.toString()
  const path = query === '' ? pathname : `${pathname}?${query}`
  if (path.length <= maxPathChars) return path
  throw new TautlineError('malformed-request', `expected a path of at most ${maxPathChars} characters`)
}

const originsOf = ({ TAUTLINE_ORIGINS = '' }: EdgeEnv): readonly string[] => {
  const words = TAUTLINE_ORIGINS.split(/[\s,]+/).filter((word) => word !== '')
  const origins = words.map((word) => nodeUrlField.safeParse(word))
  if (origins.length > 0 && origins.every(({ success }) => success)) return origins.map(({ data }) => data!)
  throw new TautlineError(
    'bad-configuration',
    'TAUTLINE_ORIGINS names no nodes: set it to their URLs, such as https://node.example, and deploy again',
  )
}

const answerTo = async (
  key: URL,
  path: string,
  origins: readonly string[],
  context: EdgeContext,
): Promise<Response> => {
  const cache = (globalThis as { caches?: { default?: Cache } }).caches?.default
  const kept = await cache?.match(key.href).catch(() => undefined) // where none is configured, it says so this way
  if (kept) return kept
  const answer = keepable(await askOrigins(origins, path))
  if (cache && answer.headers.get('cache-control') !== 'no-store')
    context.waitUntil(cache.put(key.href, answer.clone()).catch(() => undefined))
  return answer
}

/** The first origin that can. What it says of the request, such as that there is no such block, is an answer. */
const askOrigins = async (origins: readonly string[], path: string): Promise<Response> => {
  for (const origin of origins) {
    const answer = await fetch(`${origin}${path}`, {
      redirect: 'manual',
      signal: AbortSignal.timeout(originMs),
    }).catch(() => undefined)
    if (answer && isAnswer(answer)) return answer
    await answer?.body?.cancel()
  }
  throw new TautlineError('no-origin', 'none of the nodes behind this one answers: try again in a moment')
}

const isAnswer = ({ status, headers }: Response): boolean =>
  (status === 200 || (status >= 400 && status < 500 && status !== 429)) &&
  Number(headers.get('content-length') ?? 0) <= maxAnswerBytes

/** With how long it may be kept, and no more of its headers than a reader needs. */
const keepable = (answer: Response): Response => {
  const headers = new Headers({ 'cache-control': cacheControlOf(answer) })
  for (const name of passedHeaders) {
    const value = answer.headers.get(name)
    if (value !== null) headers.set(name, value)
  }
  return withCors(new Response(answer.body, { status: answer.status, headers }))
}

const cacheControlOf = ({ status, headers }: Response): string => {
  const given = headers.get('cache-control')
  if (status !== 200 || given?.startsWith('private')) return 'no-store'
  return given === immutable ? immutable : `public, max-age=${freshSeconds}`
}

const withCors = (answer: Response): Response => {
  answer.headers.set('access-control-allow-origin', '*')
  answer.headers.set('access-control-expose-headers', 'ETag,Retry-After')
  answer.headers.set('x-content-type-options', 'nosniff')
  return answer
}

const forReader = ({ method, headers }: Request, answer: Response): Response => {
  const tag = answer.headers.get('etag')
  const has = headers
    .get('if-none-match')
    ?.split(',')
    .map((one) => one.trim().replace(/^W\//, ''))
  if (tag !== null && has?.includes(tag.replace(/^W\//, '')))
    return new Response(null, { status: 304, headers: answer.headers })
  return method === 'HEAD' ? new Response(null, answer) : answer
}
