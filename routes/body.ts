/**
 * Reading request bodies, which others send as slowly and as long as they like: within bounds of size and
 * time, and with no more of them in memory than there is a budget for.
 *
 * Only time spent on waiting for the sender counts, so that a node that makes a stream wait for room in the
 * mempool doesn't blame the sender for it.
 */
import { decodeUtf8 } from '../src/codec/bytes.ts'
import { type Json, parseJson } from '../src/codec/json.ts'
import { TautlineError } from '../src/errors.ts'
import type { Budget, Limits } from './limits.ts'
import { joinBytes } from './lines.ts'

/**
 * Reads a body as JSON of any spelling.
 *
 * @throws TautlineError `request-too-large`, `request-timeout`, `malformed-json`
 */
export const readJson = async (
  request: Request,
  { jsonBytes, jsonMs }: Pick<Limits, 'jsonBytes' | 'jsonMs'>,
  budget: Budget,
): Promise<Json> => parseJson(decodeUtf8(await readBytes(request, { bytes: jsonBytes, ms: jsonMs }, budget)))

/** @throws TautlineError `request-too-large`, `request-timeout` */
export const readBytes = async (
  request: Request,
  limit: { readonly bytes: number; readonly ms: number },
  budget: Budget,
): Promise<Uint8Array> => {
  const declared = declaredBytes(request, limit.bytes)
  const reserved = declared ?? limit.bytes
  budget.take(reserved)
  try {
    // With a length declared, the server beneath holds the sender to it, and reading it whole is cheaper.
    const reading = declared === undefined ? readUpTo(request, limit.bytes, limit.ms) : readWhole(request)
    return await within(limit.ms, reading)
  } finally {
    budget.giveBack(reserved)
  }
}

/**
 * What `Content-Length` says.
 *
 * @throws TautlineError `request-too-large` when that is too much already
 */
export const declaredBytes = (request: Request, limitBytes: number): number | undefined => {
  const header = request.headers.get('content-length')
  if (header === null || !/^\d+$/.test(header)) return undefined
  const bytes = Number(header)
  if (bytes > limitBytes) throw tooLarge(limitBytes)
  return bytes
}

export const tooLarge = (limitBytes: number): TautlineError =>
  new TautlineError('request-too-large', `the body has more than ${limitBytes} bytes: send less at a time`, {
    limitBytes,
  })

const readWhole = async (request: Request): Promise<Uint8Array> => {
  try {
    return new Uint8Array(await request.arrayBuffer())
  } catch (cause) {
    throw brokenOff(cause)
  }
}

const readUpTo = async (request: Request, limitBytes: number, ms: number): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of readChunks(request, { idleMs: ms, totalMs: ms })) {
    bytes += chunk.length
    if (bytes > limitBytes) throw tooLarge(limitBytes)
    chunks.push(chunk)
  }
  return joinBytes(chunks, bytes)
}

/**
 * The pieces of a body as they come in.
 *
 * @throws TautlineError `request-timeout` when the sender is slower than allowed
 */
export async function* readChunks(
  request: Request,
  { idleMs, totalMs }: { idleMs: number; totalMs: number },
): AsyncGenerator<Uint8Array> {
  if (!request.body) return
  const reader = request.body.getReader()
  let leftMs = totalMs
  try {
    for (;;) {
      const askedMs = Date.now()
      const { done, value } = await within(Math.min(idleMs, leftMs), readNext(reader))
      if (done) return
      leftMs -= Date.now() - askedMs
      yield value
    }
  } finally {
    reader.cancel().catch(() => {}) // whoever sends on finds the connection closed
  }
}

const readNext = async (reader: ReadableStreamDefaultReader<Uint8Array>) => {
  try {
    return await reader.read()
  } catch (cause) {
    throw brokenOff(cause)
  }
}

const brokenOff = (cause: unknown): TautlineError =>
  new TautlineError('malformed-request', 'the connection ended within the body: send all of it', {}, cause)

const within = <Value>(ms: number, promise: Promise<Value>): Promise<Value> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooSlow()), ms)
    promise.then(resolve, reject).finally(() => clearTimeout(timer))
  })

const tooSlow = (): TautlineError =>
  new TautlineError(
    'request-timeout',
    'the body came in too slowly: send it in one go, over a connection that holds',
  )
