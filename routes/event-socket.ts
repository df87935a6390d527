/**
 * Events over a WebSocket: one JSON text frame for each, `{id, type, data}`.
 *
 * Sockets have no pull: what is sent and not yet taken is counted instead, and nothing is read from the
 * ledger while there is much of it.
 */
import type { WSContext, WSEvents } from 'hono/ws'
import { cutOffReason, EventFeed, type FeedParts, type FeedSource } from './event-feed.ts'
import { toProblem } from './problem.ts'

/** Sent and not yet taken, in bytes: beyond this the reader is waited for. */
const maxUnsentBytes = 256 * 1024
/** How often to look whether a reader that is waited for has read. */
const lookAgainMs = 100
/** Longest message that a reader may send by mistake. */
const maxMessageChars = 1_024

/** Close codes (RFC 6455 §7.4.1, and its registry for 1013). */
const close = { normal: 1000, goingAway: 1001, unsupported: 1003, tooBig: 1009, tryAgainLater: 1013 } as const

export interface SocketParts extends FeedParts {
  /** Bytes that were sent on a socket and not yet taken by the network. */
  readonly unsentBytes: (socket: WSContext) => number
}

/** @throws TautlineError when the stream can't begin */
export const eventSocket = (parts: SocketParts, source: FeedSource): WSEvents => {
  const feed = new EventFeed(parts, source)
  return {
    onOpen: (_, socket) => void sendAll(feed, socket, parts),
    onMessage: ({ data }, socket) => {
      feed.end()
      if (typeof data === 'string' && data.length <= maxMessageChars)
        socket.close(close.unsupported, 'this stream takes no messages')
      else socket.close(close.tooBig, 'this stream takes no messages')
    },
    onClose: () => feed.end(),
    onError: () => feed.end(),
  }
}

const sendAll = async (feed: EventFeed, socket: WSContext, parts: SocketParts): Promise<void> => {
  try {
    while (isOpen(socket)) {
      const event = await feed.next(parts.limits.keepAliveMs)
      if (event === undefined)
        return socket.close(close.goingAway, 'this node is shutting down: resume at another')
      if (event === 'quiet') continue // the operating system probes idle connections
      socket.send(JSON.stringify(event))
      if (!(await hasRoom(socket, parts))) return cutOff(feed, socket, cutOffReason)
    }
  } catch (error) {
    cutOff(feed, socket, toProblem(error, parts.log).detail)
  } finally {
    feed.end()
  }
}

const isOpen = (socket: WSContext): boolean => socket.readyState === 1

/** Waits until the reader has read; false when it reads nothing for long. */
const hasRoom = async (socket: WSContext, { unsentBytes, limits }: SocketParts): Promise<boolean> => {
  let unsent = unsentBytes(socket)
  let sinceMs = Date.now()
  while (isOpen(socket) && unsent > maxUnsentBytes) {
    if (Date.now() - sinceMs >= limits.stalledReaderMs) return false
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs))
    const now = unsentBytes(socket)
    if (now < unsent) sinceMs = Date.now()
    unsent = now
  }
  return true
}

const cutOff = (feed: EventFeed, socket: WSContext, reason: string): void => {
  socket.send(
    JSON.stringify({
      ...(feed.lastId === undefined ? {} : { id: feed.lastId }),
      type: 'cut-off',
      data: { reason },
    }),
  )
  socket.close(close.tryAgainLater, feed.lastId === undefined ? 'cut off' : `cut off after ${feed.lastId}`)
}
