/** A socket that a peer opened, as the node sees it: texts both ways, and an end with a reason. */
import type { WSContext, WSEvents } from 'hono/ws'
import { closeReason } from '../src/messages/printable.ts'
import type { NodeService } from '../src/node/service.ts'
import type { Wire, WireListener } from '../src/ports/transport.ts'

/** Close codes (RFC 6455 §7.4.1). */
const close = { normal: 1000, unsupported: 1003 } as const

export interface PeerSocketParts {
  readonly node: NodeService
  readonly acceptedUrls: readonly string[]
  /** Bytes that were sent on a socket and not yet taken by the network. */
  readonly unsentBytes: (socket: WSContext) => number
}

export const peerSocket = ({ node, acceptedUrls, unsentBytes }: PeerSocketParts): WSEvents => {
  let listener: WireListener | undefined
  return {
    onOpen: (_, socket) => {
      listener = node.acceptPeer(wireOf(socket, unsentBytes), acceptedUrls)
    },
    onMessage: ({ data }, socket) => {
      if (typeof data === 'string') listener?.onText(data)
      else socket.close(close.unsupported, 'expected text')
    },
    onClose: ({ code, reason }) => listener?.onClose(reason || `the connection ended (${code})`),
  }
}

const wireOf = (socket: WSContext, unsentBytes: PeerSocketParts['unsentBytes']): Wire => ({
  get unsentBytes() {
    return unsentBytes(socket)
  },
  send: (text) => {
    if (socket.readyState === 1) socket.send(text)
  },
  close: (reason) => socket.close(close.normal, closeReason(reason)),
})
