/**
 * Doors on Node: an app behind an HTTP and WebSocket server.
 *
 * In: an app that knows Web requests only. Out: a port that is open, within limits of time, size and number.
 * What Node refuses by itself (a request that is no HTTP, headers that don't end) is answered with problems too.
 * Must never end the process because of what somebody sent.
 */
import { setMaxListeners } from 'node:events'
import { createServer, type Server, type ServerOptions, type ServerResponse } from 'node:http'
import { type AddressInfo, isIPv6 } from 'node:net'
import { getRequestListener, RequestError } from '@hono/node-server'
import { TautlineError } from '../../errors.ts'
import type { Log } from '../../ports/log.ts'
import { answerRaw } from './raw-answer.ts'
import { Turns } from './turns.ts'
import { attachWebSockets, type Fetch, upgradeOptions, type WebSockets } from './web-socket.ts'

export interface Timeouts {
  /** Headers of a request must be here within this. */
  readonly headersMs: number
  /** Whole requests must be here within this. The doors are stricter, save for streams that they slow down themselves. */
  readonly requestMs: number
  /** How long a connection without requests is kept. */
  readonly keepAliveMs: number
  /** A connection whose other end takes none of the bytes that wait for it is destroyed after this. */
  readonly stalledMs: number
  /** How often Node looks for requests that are late. */
  readonly checkEveryMs: number
  /** How long requests that are being answered have when the server closes. */
  readonly graceMs: number
}

const defaultTimeouts: Timeouts = {
  headersMs: 10_000,
  requestMs: 15 * 60_000,
  keepAliveMs: 15_000,
  stalledMs: 75_000,
  checkEveryMs: 5_000,
  graceMs: 1_000,
}

const maxHeaderBytes = 16 * 1024
const maxConnections = 8_192

export interface Listening {
  /** Under which programs on this machine reach it. */
  readonly url: string
  /** All under which it may be reached: the bound address, the loopback names, and what the operator named. */
  readonly urls: readonly string[]
  readonly webSocket: Pick<WebSockets, 'upgrade' | 'unsentBytes'>
  /** Aborts when the server closes. */
  readonly closing: AbortSignal
}

export interface HttpServerOptions {
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
  /** Further URLs under which clients reach this node. */
  readonly urls?: readonly string[]
  /** Called once the port is known. */
  readonly createApp: (listening: Listening) => { readonly fetch: Fetch }
  /** What is answered to a request that can't be read, or that ended in an unexpected error. */
  readonly refuse: (error: unknown) => Response
  readonly timeouts?: Partial<Timeouts>
  readonly log: Log
}

export interface HttpServer {
  readonly url: string
  /** Resolves when no connection is left, within about a second. */
  close(): Promise<void>
}

/** @throws TautlineError `bad-configuration` when it can't listen there */
export const openHttpServer = async (options: HttpServerOptions): Promise<HttpServer> => {
  const { host, port, createApp, refuse, log } = options
  const timeouts = { ...defaultTimeouts, ...options.timeouts }
  const server = createServer(serverOptions(timeouts))
  server.maxConnections = maxConnections
  server.setTimeout(timeouts.stalledMs)
  server.on('request', (_, response) => response.on('timeout', () => destroyIfStalled(response)))
  const closing = new AbortController()
  setMaxListeners(0, closing.signal) // everyone who waits for a transaction or reads events listens

  const bound = await listen(server, host, port)
  server.on('error', (error) => log.warn('a connection could not be taken', { error: String(error) }))
  // Nothing is accepted before the turn ends that the port became known in, so that no request comes too early.
  const fetch: Fetch = (request, env) => app.fetch(request, env)
  const webSocket = attachWebSockets(server, { fetch, refuse, log })
  const url = urlOf(host, bound)
  const urls = reachedUnder(host, bound, options.urls ?? [])
  const app = createApp({ url, urls, webSocket, closing: closing.signal })
  const turns = new Turns(
    getRequestListener(fetch, { errorHandler: (error) => refuse(explainRequestError(error)) }),
  )
  server.on('request', turns.take)
  answerClientErrors(server, turns, refuse)
  return { url, close: () => closeServer(server, webSocket, closing, timeouts.graceMs) }
}

const serverOptions = ({ headersMs, requestMs, keepAliveMs, checkEveryMs }: Timeouts): ServerOptions => ({
  ...upgradeOptions,
  requireHostHeader: false, // or else Node refuses one without it by itself, and without a word
  headersTimeout: headersMs,
  requestTimeout: requestMs,
  keepAliveTimeout: keepAliveMs,
  connectionsCheckingInterval: checkEveryMs,
  maxHeaderSize: maxHeaderBytes,
  // Readers of events may be silent for long; the operating system finds out which of them are gone.
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
})

/**
 * A connection in the middle of an answer may be quiet for as long as both like, unless bytes wait for the
 * other end: then it isn't reading.
 */
const destroyIfStalled = (response: ServerResponse): void => {
  if (response.writableLength > 0) response.destroy()
}

const listen = (server: Server, host: string, port: number): Promise<AddressInfo> =>
  new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explain(error, host, port)))
    server.listen(port, host, () => resolve(server.address() as AddressInfo))
  })

const explain = (error: NodeJS.ErrnoException, host: string, port: number): TautlineError => {
  const notOurs = `${host} is no address of this machine: choose one with --host`
  const reasons: Readonly<Record<string, string>> = {
    EADDRINUSE: `port ${port} on ${host} is in use: stop the other program, or choose another port with --port`,
    EACCES: `port ${port} on ${host} needs rights that this user doesn't have: choose one from 1024 with --port`,
    EADDRNOTAVAIL: notOurs,
    EINVAL: notOurs, // on Deno
    ENOTFOUND: `${host} is neither an address nor a name that resolves to one: choose another with --host`,
  }
  const reason = reasons[error.code ?? ''] ?? `can't listen on port ${port} of ${host}: ${error.message}`
  return new TautlineError('bad-configuration', reason, { host, port }, error)
}

const loopbackNames = ['127.0.0.1', 'localhost', '[::1]']
const anyAddress = new Set(['0.0.0.0', '::', ''])

const urlOf = (host: string, { port }: AddressInfo): string =>
  `http://${anyAddress.has(host) ? '127.0.0.1' : bracket(host)}:${port}`

const bracket = (host: string): string => (isIPv6(host) ? `[${host}]` : host)

const reachedUnder = (host: string, bound: AddressInfo, urls: readonly string[]): readonly string[] => {
  const local = [urlOf(host, bound), ...loopbackNames.map((name) => `http://${name}:${bound.port}`)]
  return [...new Set([...local, ...urls])]
}

/** Answers what Node couldn't read as a request, as far as there is still somebody to answer. */
const answerClientErrors = (server: Server, turns: Turns, refuse: HttpServerOptions['refuse']): void => {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // Bytes before or within another answer would be taken for it, or for a part of it.
    if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy()
    else if (turns.owesAnswer(socket)) turns.endAfterAnswer(socket)
    else void answerRaw(socket, refuse(explainClientError(error)))
  })
}

/** A target or Host that makes no URL never gets as far as the doors. */
const explainRequestError = (error: unknown): unknown =>
  error instanceof RequestError
    ? new TautlineError(
        'malformed-request',
        `the request target and Host make no URL: ${error.message}`,
        {},
        error,
      )
    : error

const explainClientError = ({ code }: NodeJS.ErrnoException): TautlineError => {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new TautlineError('request-timeout', 'the request came in too slowly: send it in one go')
  if (code === 'HPE_HEADER_OVERFLOW' || code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') {
    return new TautlineError(
      'request-too-large',
      `the headers have more than ${maxHeaderBytes} bytes: send fewer`,
    )
  }
  return new TautlineError(
    'malformed-request',
    `this is no HTTP request (${code ?? 'unknown fault'}): expected HTTP/1.1`,
  )
}

const closeServer = async (
  server: Server,
  webSockets: WebSockets,
  closing: AbortController,
  graceMs: number,
): Promise<void> => {
  closing.abort()
  webSockets.closeAll()
  const grace = setTimeout(() => {
    webSockets.terminateAll()
    server.closeAllConnections()
  }, graceMs)
  await new Promise((resolve) => server.close(resolve))
  clearTimeout(grace)
}
