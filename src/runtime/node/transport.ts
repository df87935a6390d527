/**
 * Reaching other nodes from Node, by undici: its WebSocket client for links, and plain requests.
 *
 * Both with an agent of their own, whatever else in this process uses undici: its limits hold for these sockets
 * alone. Nothing is compressed, no redirect is followed, and every answer is bounded in size and time.
 */
import type { LookupFunction, Socket } from 'node:net'
import { decodeUtf8 } from '../../codec/bytes.ts'
import { refuseSuppliedUrl } from '../../discovery/public-address.ts'
import { maxFrameBytes } from '../../messages/limits.ts'
import { closeReason } from '../../messages/printable.ts'
import type {
  Courier,
  PlainAnswer,
  PlainRequest,
  Reach,
  Transport,
  Wire,
  WireListener,
} from '../../ports/transport.ts'
import { publicLookup, type ResolveAll, resolveBySystem } from './public-lookup.ts'

/** How long a connection may take to be made, and its first answer to come. */
const connectMs = 5_000
const upgradeMs = 10_000
/** As the server at the other end does, the operating system looks whether a silent link still is one. */
const keepAliveMs = 60_000
const plainly = { timeout: connectMs, keepAlive: true, keepAliveInitialDelay: keepAliveMs }
/** How long the other end has to take part in closing. */
const lingerMs = 3_000
/** Plain connections to one origin. */
const maxConnections = 8

/** Of the codes that the protocol itself gives a meaning, a client may send only this one (RFC 6455 §7.4.1). */
const normalClose = 1000

export interface NodeTransport extends Transport, Courier {
  /** Ends the connections that requests were sent over. */
  close(): Promise<void>
}

type Undici = typeof import('undici')

export interface TransportOptions {
  /** Shown to the nodes that are asked: in a network whose reads are closed, all know the same. */
  readonly readToken?: string
  /** How names are resolved that peers have supplied. */
  readonly resolve?: ResolveAll
}

export const createNodeTransport = ({
  readToken,
  resolve = resolveBySystem,
}: TransportOptions = {}): NodeTransport => {
  const headers = readToken === undefined ? {} : { authorization: `Bearer ${readToken}` }
  let tools: Promise<Tools> | undefined
  const useTools = (): Promise<Tools> => (tools ??= openTools(publicLookup(resolve)))
  return {
    dial: async (url, listen, reach = 'anywhere') => {
      requireReach(url, reach)
      const { undici, connecting } = await useTools()
      return openSocket(undici, connecting[reach], url, listen)
    },
    request: async (url, request, reach = 'anywhere') => {
      requireReach(url, reach)
      const { undici, requests } = await useTools()
      return ask(undici, requests[reach], url, headers, request)
    },
    deliver: async (endpoint, { text, ...asked }, reach) => {
      requireReach(endpoint, reach)
      const { undici, requests } = await useTools()
      return ask(undici, requests[reach], endpoint, {}, { ...asked, method: 'POST', path: '', body: text })
    },
    close: async () => {
      const { requests } = (await tools) ?? {}
      await Promise.all([requests?.anywhere.destroy(), requests?.public.destroy()])
    },
  }
}

interface Tools {
  readonly undici: Undici
  readonly connecting: Readonly<Record<Reach, Connecting>>
  readonly requests: Readonly<Record<Reach, Agent>>
}

type Agent = InstanceType<Undici['Agent']>
type Connecting = typeof plainly & { readonly lookup?: LookupFunction }

/** Only when something is dialled: loading it would cost each start 30 ms. */
const openTools = async (lookup: LookupFunction): Promise<Tools> => {
  const undici = await import('undici')
  const connecting = { anywhere: plainly, public: { ...plainly, lookup } }
  const agentFor = (connect: Connecting): Agent => new undici.Agent({ connect, connections: maxConnections })
  return {
    undici,
    connecting,
    requests: { anywhere: agentFor(connecting.anywhere), public: agentFor(connecting.public) },
  }
}

/** Of a host that is an address nothing is resolved. */
const requireReach = (url: string, reach: Reach): void => {
  const refusal = reach === 'public' ? refuseSuppliedUrl(url) : undefined
  if (refusal !== undefined) throw new Error(refusal)
}

const openSocket = (
  undici: Undici,
  connecting: Connecting,
  url: string,
  listen: (wire: Wire) => WireListener,
): Promise<void> =>
  new Promise((resolve, reject) => {
    const line = new Line(undici, connecting)
    const socket = new undici.WebSocket(`${url.replace(/^http/, 'ws')}/v1/peer`, { dispatcher: line.agent })
    const wire = wireOf(socket, line)
    let listener: WireListener | undefined
    socket.addEventListener('open', () => {
      if (socket.extensions !== '') return line.giveUp('it insists on compression, which is not spoken here')
      listener = listen(wire)
      resolve()
    })
    socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') listener?.onText(data)
      else wire.close('expected text')
    })
    socket.addEventListener('close', ({ code, reason }) => {
      line.hangUp()
      if (listener) listener.onClose(reason || `the connection ended (${code})`)
      else reject(new Error(line.failure ?? 'no WebSocket was opened there: is it a node?'))
    })
  })

const wireOf = (socket: InstanceType<Undici['WebSocket']>, line: Line): Wire => ({
  get unsentBytes() {
    return socket.bufferedAmount
  },
  send: (text) => socket.send(text),
  close: (reason) => {
    socket.close(normalClose, closeReason(reason))
    line.hangUpSoon()
  },
})

/**
 * The connection below one WebSocket. Undici tells neither why it was not made, nor does it ever give one up
 * whose other end doesn't take part in closing.
 */
class Line {
  readonly agent: InstanceType<Undici['Agent']>
  failure: string | undefined
  #socket: Socket | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor({ Agent, buildConnector }: Undici, connecting: Connecting) {
    const connect = buildConnector(connecting)
    this.agent = new Agent({
      connect: (options, callback) =>
        connect(options, (...outcome) => {
          const [error, socket] = outcome
          if (error) this.failure = explain(error)
          this.#socket = socket ?? undefined
          callback(...outcome)
        }),
      headersTimeout: upgradeMs,
      webSocket: { maxPayloadSize: maxFrameBytes },
    })
  }

  giveUp(failure: string): void {
    this.failure = failure
    this.hangUp()
  }

  hangUpSoon(): void {
    this.#timer ??= setTimeout(() => this.hangUp(), lingerMs).unref()
  }

  hangUp(): void {
    clearTimeout(this.#timer)
    this.#socket?.destroy()
    void this.agent.destroy()
  }
}

/** The innermost cause says most: "connect ECONNREFUSED 127.0.0.1:8788". */
const explain = (error: unknown): string => {
  if (error instanceof AggregateError) return error.errors.map(explain).join('; ')
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : explain(error.cause)
}

/** A request to a node, or to somebody who wants another type of body. */
type Asked = PlainRequest & { readonly mediaType?: string }

const ask = async (
  undici: Undici,
  dispatcher: Agent,
  url: string,
  headers: Readonly<Record<string, string>>,
  { method, path, body, maxBytes, timeoutMs, mediaType = 'application/json' }: Asked,
): Promise<PlainAnswer> => {
  try {
    const answer = await undici.request(`${url}${path}`, {
      dispatcher,
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': mediaType }) },
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.timeout(timeoutMs),
    })
    return { status: answer.statusCode, text: decodeUtf8(await collect(answer.body, maxBytes)) }
  } catch (cause) {
    throw new Error(explain(cause), { cause })
  }
}

const collect = async (body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new Error(`the answer has more than ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
