/**
 * Where the runtimes that run Node's programs differ from Node. Each of them is told apart here and nowhere else.
 *
 * Deno and Bun serve the doors by their own `node:http`: at 3 to 5 times what a node can verify it is no slower than
 * it must be, and of the tests of Node's doors these few lines are all that theirs need.
 */
import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { createWebTransport } from '../web/transport.ts'
import { createNodeTransport, type NodeTransport, type TransportOptions } from './transport.ts'

const isBun = process.versions.bun !== undefined

/** On Bun, `undici` is Bun's own and obeys no agent, so no limit would hold. */
export const createTransport = (options: TransportOptions = {}): NodeTransport =>
  isBun ? { ...createWebTransport(options), close: async () => undefined } : createNodeTransport(options)

/**
 * Serves a request that asks for another protocol as the plain one that it also is (RFC 9110 §7.8): Java's and
 * other clients ask every server for HTTP/2 this way.
 */
export const serveWithoutUpgrade = (
  server: Server,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): void => (isBun ? answerOnce(server, request, socket) : readAgain(server, request, socket, head))

/** Node has taken it apart by now, so it is put together again without the wish, and read once more. */
const readAgain = (
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

/** Bun has left the body to the request, and reads no second one from this connection. */
const answerOnce = (server: Server, request: IncomingMessage, socket: Duplex): void => {
  const response = new ServerResponse(request)
  response.assignSocket(socket as Parameters<ServerResponse['assignSocket']>[0])
  response.shouldKeepAlive = false
  response.once('finish', () => socket.end())
  server.emit('request', request, response)
}
