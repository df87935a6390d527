/**
 * Requests take turns on each connection, and answers that nobody reads don't pile up.
 *
 * Node hands over all requests of a chunk at once, and keeps their answers until each has been read: 18 kB of
 * short requests for long answers are 20 MB in memory. So a request waits until the one before it is answered,
 * few may wait, and when all unread answers together are too many the connection that has left its own unread
 * for longest is closed.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** Requests that a connection may send ahead of an answer. */
export const maxRequestsAhead = 16
/** Bytes of answers that wait for their readers, over all connections: some of the longest. */
export const maxUnreadBytes = 64 * 1024 * 1024

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

interface Turn {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

interface Line {
  /** Being answered. */
  turn: Turn
  readonly ahead: Turn[]
}

export class Turns {
  readonly #handle: Handler
  readonly #lines = new WeakMap<Duplex, Line>()
  /** With their bytes, the oldest first. */
  readonly #unread = new Map<ServerResponse, number>()
  #unreadBytes = 0

  /** @param handle - resolves when the whole answer has been handed to Node */
  constructor(handle: Handler) {
    this.#handle = handle
  }

  readonly take: Handler = (request, response) => {
    const { socket } = request
    const line = this.#lines.get(socket)
    const turn = { request, response }
    if (!line) this.#begin(socket, { turn, ahead: [] })
    else if (line.ahead.length < maxRequestsAhead) line.ahead.push(turn)
    else socket.destroy()
  }

  /** Whether a request that came in whole is still to be answered, or its answer is on the way. */
  owesAnswer(socket: Duplex): boolean {
    const turn = this.#lines.get(socket)?.turn
    return turn !== undefined && (turn.request.complete || turn.response.headersSent)
  }

  /** Nothing can be read from this connection any more: it ends when the request that came in whole is answered. */
  endAfterAnswer(socket: Duplex): void {
    const line = this.#lines.get(socket)
    if (!line || line.turn.response.headersSent) return void socket.destroy()
    line.ahead.length = 0
    line.turn.response.shouldKeepAlive = false
  }

  #begin(socket: Duplex, line: Line): void {
    this.#lines.set(socket, line)
    line.turn.response.once('close', () => this.#end(socket, line))
    void this.#answer(line.turn)
  }

  async #answer({ request, response }: Turn): Promise<void> {
    await this.#handle(request, response)
    const bytes = response.writableLength
    if (bytes === 0 || response.closed) return
    this.#unread.set(response, bytes)
    this.#unreadBytes += bytes
    while (this.#unreadBytes > maxUnreadBytes) this.#giveUpOldest()
  }

  #giveUpOldest(): void {
    const [oldest] = this.#unread.keys()
    this.#forget(oldest!)
    oldest!.destroy()
  }

  #end(socket: Duplex, line: Line): void {
    this.#forget(line.turn.response)
    const next = line.ahead.shift()
    if (next && !socket.destroyed) this.#begin(socket, { turn: next, ahead: line.ahead })
    else this.#lines.delete(socket)
  }

  #forget(response: ServerResponse): void {
    this.#unreadBytes -= this.#unread.get(response) ?? 0
    this.#unread.delete(response)
  }
}
