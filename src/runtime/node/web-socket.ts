/**
 * WebSockets on Node, by `@hono/node-ws` and made safe to show to strangers.
 *
 * It was written for trusted clients: a request target that is no URL, a socket that breaks in the middle of
 * the handshake or a malformed frame on Node 20 would end the process, and a refused handshake is remembered
 * forever. So {@link attachWebSockets} lets only whole handshakes through to it, and minds their sockets.
 */
import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { createNodeWebSocket } from '@hono/node-ws'
import { Hono } from 'hono'
import type { UpgradeWebSocket, WSContext } from 'hono/ws'
import type { WebSocket } from 'ws'
import { TautlineError } from '../../errors.ts'
import type { Log } from '../../ports/log.ts'
import { answerRaw, letGo } from './raw-answer.ts'

/** Largest message that a peer needs to send; `ws` would take 100 MiB. */
const maxMessageBytes = 1024 * 1024

/** All that `@hono/node-ws` makes of one. Undici has a whole one, which would cost each start 30 ms. */
class MinimalErrorEvent extends Event {
  readonly error: unknown

  constructor(type: string, { error }: { error?: unknown } = {}) {
    super(type)
    this.error = error
  }
}

export type Fetch = (request: Request, env: object) => Response | Promise<Response>

export interface WebSockets {
  readonly upgrade: UpgradeWebSocket
  /** Bytes that were sent on a socket and not yet taken by the operating system. */
  readonly unsentBytes: (socket: WSContext) => number
  /** Asks all sockets to close. */
  closeAll(): void
  terminateAll(): void
}

export interface WebSocketParts {
  /** Answers the requests to upgrade. What it says to one that it refuses is cut down to the status. */
  readonly fetch: Fetch
  readonly refuse: (error: unknown) => Response
  readonly log: Log
}

export const attachWebSockets = (server: Server, { fetch, refuse, log }: WebSocketParts): WebSockets => {
  // Node 20 has no ErrorEvent, and without one a malformed frame throws in the server.
  globalThis.ErrorEvent ??= MinimalErrorEvent as unknown as typeof globalThis.ErrorEvent
  const app = new Hono().all('*', (c) => fetch(c.req.raw, c.env as object))
  const { wss, upgradeWebSocket, injectWebSocket } = createNodeWebSocket({ app })
  wss.options.maxPayload = maxMessageBytes
  wss.options.perMessageDeflate = false // it costs small messages a factor of 15, and 10 MiB of zeros are 10 kB

  type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>
  const upgrade = captureListener<Upgrade>((target) => injectWebSocket(target as unknown as Server))
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (!asksForWebSocket(request)) return serveWithoutUpgrade(server, request, socket, head)
    const fault = findFault(request)
    if (fault !== undefined)
      return void answerRaw(socket, refuse(new TautlineError('malformed-request', fault)))
    socket.on('error', ignore)
    upgrade(request, socket, head).then(
      () => (socket.writableEnded ? letGo(socket) : socket.off('error', ignore)),
      (error: unknown) => {
        log.warn('a WebSocket handshake failed', { error: String(error) })
        socket.destroy()
      },
    )
  })
  return {
    upgrade: upgradeWebSocket as UpgradeWebSocket,
    unsentBytes: (socket) => (socket.raw as WebSocket | undefined)?.bufferedAmount ?? 0,
    closeAll: () => {
      for (const socket of wss.clients) socket.close(1001, 'this node is shutting down')
    },
    terminateAll: () => {
      for (const socket of wss.clients) socket.terminate()
    },
  }
}

/** A socket that breaks is closed as well, and that is what `ws` looks at. */
const ignore = (): void => {}

/** The listener that a function adds to an emitter. */
const captureListener = <Listener>(
  add: (target: { on(event: string, listener: Listener): void }) => void,
): Listener => {
  let captured: Listener | undefined
  add({ on: (_, listener) => (captured = listener) })
  return captured!
}

/** For the server: other wishes to upgrade are passed over. Node 20 doesn't know it. */
export const upgradeOptions = {
  shouldUpgradeCallback: (request: IncomingMessage) => asksForWebSocket(request),
}

const asksForWebSocket = ({ headers }: IncomingMessage): boolean =>
  headers.upgrade?.toLowerCase() === 'websocket'

/** What `ws` would refuse (RFC 6455 §4.2.1): it must not get that far. */
const findFault = ({ method, url = '', headers }: IncomingMessage): string | undefined => {
  if (method !== 'GET') return 'a WebSocket begins with GET'
  if (!url.startsWith('/') || !URL.canParse(url, 'http://localhost')) return 'the request target is no path'
  if (headers['sec-websocket-version'] !== '13') return 'expected Sec-WebSocket-Version 13'
  if (!/^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? ''))
    return 'expected a Sec-WebSocket-Key of 16 bytes in base64'
  if (headers['sec-websocket-protocol'] !== undefined) return 'no subprotocol is spoken here: ask for none'
  return undefined
}

/**
 * Serves a request that asks for another protocol as the plain one that it also is (RFC 9110 §7.8): Java's and
 * other clients ask every server for HTTP/2 this way. Node 20 has taken it apart by now, so it is put together
 * again without the wish, and read once more.
 */
const serveWithoutUpgrade = (
  server: Server,
  { method, url, rawHeaders }: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void => {
  let text = `${method} ${url} HTTP/1.1\r\n`
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (!['upgrade', 'connection', 'http2-settings'].includes(rawHeaders[at]!.toLowerCase()))
      text += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`
  }
  socket.unshift(Buffer.concat([Buffer.from(`${text}\r\n`, 'latin1'), head]))
  server.emit('connection', socket)
}
