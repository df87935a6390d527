/**
 * Sockets that others open to a Durable Object.
 *
 * They are accepted the plain way, and not for hibernation: what a link is about lies in memory, so that a node
 * which has anything to do stays there, and one that rests has let go of all sockets first (`durable-node.ts`).
 */
import { defineWebSocketHelper, WSContext, type WSEvents } from 'hono/ws'
import type { WebSocketDoor } from '../../../routes/events.ts'
import { maxFrameBytes } from '../../messages/limits.ts'
import type { WebSocketPairConstructor, WorkerSocket } from './platform.ts'

declare const WebSocketPair: WebSocketPairConstructor

/** Close code (RFC 6455 §7.4.1). */
const tooBig = 1009

export const webSocketDoor: WebSocketDoor = {
  upgrade: defineWebSocketHelper((_, events) => {
    const { 0: client, 1: server } = new WebSocketPair()
    server.accept()
    listen(server, events)
    return new Response(null, { status: 101, webSocket: client } as ResponseInit)
  }),
  unsentBytes: ({ raw }) => (raw as WorkerSocket | undefined)?.bufferedAmount ?? 0,
}

const listen = (server: WorkerSocket, events: WSEvents): void => {
  const socket = contextOf(server)
  let isOver = false
  const end = (event: CloseEvent): void => {
    if (isOver) return
    isOver = true
    events.onClose?.(event, socket)
  }
  server.addEventListener('message', (event) => {
    if (isOver) return
    if (typeof event.data === 'string' && event.data.length > maxFrameBytes)
      server.close(tooBig, `expected at most ${maxFrameBytes} bytes a frame`)
    else events.onMessage?.(event, socket)
  })
  server.addEventListener('close', (event) => {
    if (server.readyState !== WebSocket.CLOSED) server.close() // or else the other end waits for its answer
    end(event)
  })
  server.addEventListener('error', () => end(new CloseEvent('close', { code: 1006 })))
  queueMicrotask(() => events.onOpen?.(new Event('open'), socket))
}

const contextOf = (server: WorkerSocket): WSContext =>
  new WSContext({
    send: (text) => {
      if (server.readyState === WebSocket.OPEN) server.send(text)
    },
    close: (code, reason) => {
      if (server.readyState === WebSocket.OPEN) server.close(code, reason)
    },
    raw: server,
    get readyState() {
      return server.readyState as 0 | 1 | 2 | 3
    },
  })
