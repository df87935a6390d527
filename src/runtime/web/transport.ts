/**
 * Reaching other nodes by what every runtime brings along: the global `WebSocket` and `fetch`.
 *
 * A WebSocket of this kind can be neither limited nor destroyed: a frame is measured when it is here, and an end
 * that doesn't take part in closing is left to the runtime. No redirect is followed, nothing compressed is taken,
 * and every answer is bounded in size and time.
 */
import { decodeUtf8, utf8Bytes } from '../../codec/bytes.ts'
import { isPublicAddress, refuseSuppliedUrl } from '../../discovery/public-address.ts'
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

/** How long a connection may take to be made and upgraded. */
const upgradeMs = 10_000
/** How long the other end has to take part in closing before it is no longer listened to. */
const lingerMs = 3_000

/** Of the codes that the protocol itself gives a meaning, a client may send only this one (RFC 6455 §7.4.1). */
const normalClose = 1000

export interface WebTransportOptions {
  /** Shown to the nodes that are asked by HTTP: in a network whose reads are closed, all know the same. */
  readonly readToken?: string
  /** What this runtime's `fetch` is to be told besides, such as to keep no copies. */
  readonly fetchOptions?: Pick<RequestInit, 'cache' | 'credentials' | 'referrerPolicy'>
}

export const createWebTransport = ({
  readToken,
  fetchOptions,
}: WebTransportOptions = {}): Transport & Courier => {
  const headers = readToken === undefined ? {} : { authorization: `Bearer ${readToken}` }
  return {
    dial: async (url, listen, reach) => {
      requireReach(url, reach)
      return openSocket(url, listen)
    },
    request: async (url, request, reach) => {
      requireReach(url, reach)
      return ask(url, request, headers, fetchOptions)
    },
    deliver: async (endpoint, { text, ...asked }, reach) => {
      requireReach(endpoint, reach)
      return ask(endpoint, { ...asked, method: 'POST', path: '', body: text }, {}, fetchOptions)
    },
  }
}

/** Which address a name resolves to can neither be seen nor chosen here, so that a name might lead anywhere. */
const requireReach = (url: string, reach: Reach = 'anywhere'): void => {
  if (reach === 'anywhere') return
  const { hostname } = new URL(url)
  const refusal = refuseSuppliedUrl(url)
  if (refusal !== undefined) throw new Error(refusal)
  if (!isPublicAddress(hostname))
    throw new Error(`${hostname} is a name, and this runtime doesn't tell where it leads to`)
}

const openSocket = (url: string, listen: (wire: Wire) => WireListener): Promise<void> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/v1/peer`)
    socket.binaryType = 'arraybuffer'
    let failure: string | undefined
    let listener: WireListener | undefined
    let isOver = false
    const end = (reason: string): void => {
      if (isOver) return
      isOver = true
      clearTimeout(timer)
      if (listener) listener.onClose(reason)
      else reject(new Error(failure ?? 'no WebSocket was opened there: is it a node?'))
    }
    const giveUp = (reason: string): void => {
      failure = reason
      socket.close()
      end(reason)
    }
    let timer = setTimeout(() => giveUp(`no WebSocket was opened within ${upgradeMs / 1_000} s`), upgradeMs)
    const close = (reason: string): void => {
      if (isOver) return
      socket.close(normalClose, closeReason(reason))
      clearTimeout(timer)
      timer = setTimeout(() => end('it took no part in closing'), lingerMs)
    }
    socket.addEventListener('open', () => {
      if (isOver) return socket.close()
      clearTimeout(timer)
      if (socket.extensions) return giveUp('it insists on compression, which is not spoken here')
      listener = listen(wireOf(socket, close))
      resolve()
    })
    socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      if (isOver) return
      if (typeof data !== 'string') close('expected text')
      else if (utf8Bytes(data) > maxFrameBytes) close(`expected at most ${maxFrameBytes} bytes a frame`)
      else listener?.onText(data)
    })
    socket.addEventListener('error', (event) => {
      failure ??= reasonIn(event)
    })
    socket.addEventListener('close', ({ code, reason }) => end(reason || `the connection ended (${code})`))
  })

const wireOf = (socket: WebSocket, close: (reason: string) => void): Wire => ({
  get unsentBytes() {
    return socket.bufferedAmount
  },
  send: (text) => {
    if (socket.readyState === socket.OPEN) socket.send(text)
  },
  close,
})

/** Browsers keep the reason to themselves. */
const reasonIn = (event: Event): string | undefined =>
  'message' in event && typeof event.message === 'string' && event.message !== '' ? event.message : undefined

/** A request to a node, or to somebody who wants another type of body. */
type Asked = PlainRequest & { readonly mediaType?: string }

const ask = async (
  url: string,
  { method, path, body, maxBytes, timeoutMs, mediaType = 'application/json' }: Asked,
  headers: Readonly<Record<string, string>>,
  fetchOptions: WebTransportOptions['fetchOptions'],
): Promise<PlainAnswer> => {
  try {
    const answer = await fetch(`${url}${path}`, {
      ...fetchOptions,
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': mediaType }) },
      ...(body === undefined ? {} : { body }),
      redirect: 'manual', // workerd knows no 'error'
      signal: AbortSignal.timeout(timeoutMs),
    })
    if (answer.type === 'opaqueredirect') throw new Error('it answers with a redirect, which is not followed')
    return { status: answer.status, text: decodeUtf8(await collect(answer, maxBytes)) }
  } catch (cause) {
    throw new Error(explain(cause, timeoutMs), { cause })
  }
}

const collect = async ({ body }: Response, maxBytes: number): Promise<Uint8Array> => {
  if (!body) return new Uint8Array()
  const reader = body.getReader()
  const chunks: Uint8Array[] = []
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return joined(chunks, bytes)
    bytes += value.length
    if (bytes > maxBytes) {
      reader.cancel().catch(() => undefined) // whoever sends on finds the connection closed
      throw new Error(`the answer has more than ${maxBytes} bytes`)
    }
    chunks.push(value)
  }
}

const joined = (chunks: readonly Uint8Array[], bytes: number): Uint8Array => {
  const whole = new Uint8Array(bytes)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}

/** The innermost cause says most, where there is one. */
const explain = (error: unknown, timeoutMs: number): string => {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return `no whole answer within the timeout of ${timeoutMs} ms`
  if (error instanceof AggregateError && error.errors.length > 0)
    return error.errors.map((part) => explain(part, timeoutMs)).join('; ')
  return error.cause === undefined ? error.message : explain(error.cause, timeoutMs)
}
