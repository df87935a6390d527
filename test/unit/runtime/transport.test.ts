import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { WebSocket } from 'undici'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Transport, Wire, WireListener } from '../../../src/ports/transport.ts'
import { createNodeTransport } from '../../../src/runtime/node/transport.ts'
import { createWebTransport } from '../../../src/runtime/web/transport.ts'

const serve = async (
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> => {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Says what it is told to whoever connects, once it has heard something. */
const serveRaw = async (onRequest: (socket: Socket, request: string) => void): Promise<string> => {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('data', (request) => onRequest(socket, request.toString()))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

interface Options {
  readonly readToken?: string
}

interface Kind {
  readonly name: string
  /** Whether it learns why a connection wasn't made: a WebSocket of the runtime needn't say. */
  readonly saysWhy: boolean
  readonly open: (options?: Options) => Transport
}

const ofNode: Kind = {
  name: 'of Node',
  saysWhy: true,
  open: (options) => {
    const transport = createNodeTransport(options)
    onTestFinished(() => transport.close())
    return transport
  },
}
const ofEveryRuntime: Kind = { name: 'of every runtime', saysWhy: false, open: createWebTransport }
// Bun has an undici of its own, and its nodes don't use it.
const transports = process.versions.bun ? [ofEveryRuntime] : [ofNode, ofEveryRuntime]

// Node has one as a global only since version 22.
beforeAll(() => {
  if ('WebSocket' in globalThis) return undefined
  vi.stubGlobal('WebSocket', WebSocket)
  return () => vi.unstubAllGlobals()
})

const failureOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: Error) => error.message,
  )

const plain = { method: 'GET', path: '/v1/status', maxBytes: 1_000, timeoutMs: 20_000 } as const
const deaf: WireListener = { onText() {}, onClose() {} }

describe.each(transports)('a plain request by the transport $name', ({ open }) => {
  it('brings status and text, and takes its body along', async () => {
    const seen: string[] = []
    const url = await serve(async (request, response) => {
      for await (const chunk of request) seen.push(`${request.method} ${request.url} ${chunk}`)
      response.writeHead(201).end('{"ok":true}')
    })
    const answer = await open().request(url, { ...plain, method: 'POST', path: '/v1/x?y=1', body: '[1]' })
    expect(answer).toEqual({ status: 201, text: '{"ok":true}' })
    expect(seen).toEqual(['POST /v1/x?y=1 [1]'])
  })

  it('follows no redirect', async () => {
    let asked = 0
    const url = await serve((_, response) => {
      asked++
      response.writeHead(302, { location: '/elsewhere' }).end()
    })
    expect(await open().request(url, plain)).toMatchObject({ status: 302 })
    expect(asked).toBe(1)
  })

  it('gives up an answer that is too long, however its length is declared', async () => {
    for (const headers of [{ 'content-length': '2000' }, { 'transfer-encoding': 'chunked' }]) {
      const url = await serve((_, response) => response.writeHead(200, headers).end('x'.repeat(2_000)))
      expect(await failureOf(open().request(url, plain))).toBe('the answer has more than 1000 bytes')
    }
  })

  it('gives up an answer that takes too long, from its beginning or in its middle', async () => {
    for (const begin of [undefined, 'x']) {
      const url = await serve((_, response) => {
        if (begin) response.writeHead(200).write(begin)
      })
      expect(await failureOf(open().request(url, { ...plain, timeoutMs: 200 }))).toContain('timeout')
    }
  })

  it('says why there was no answer', async () => {
    const url = await serveRaw((socket) => socket.destroy())
    expect(await failureOf(open().request(url, plain))).not.toBe('none')
    expect(await failureOf(open().request('http://127.0.0.1:59999', plain))).toMatch(/refused/i)
  })

  it('shows the read token, when it has one', async () => {
    const shown: (string | undefined)[] = []
    const url = await serve(({ headers }, response) => {
      shown.push(headers.authorization)
      response.end()
    })
    await open({ readToken: 'secret' }).request(url, plain)
    await open().request(url, plain)
    expect(shown).toEqual(['Bearer secret', undefined])
  })
})

/** Accepts a WebSocket by hand. */
const accept = (socket: Socket, request: string, extensions = ''): void => {
  const key = /sec-websocket-key: (.*)\r\n/i.exec(request)![1]
  const digest = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${digest}\r\n${extensions}\r\n`,
  )
}

/** In our words where the runtime has none, in its own where it has. */
const notOpened =
  /^(no WebSocket was opened there: is it a node\?$|WebSocket connection .* failed|NetworkError: failed to connect)/i

describe.each(transports)('dialling by the transport $name', ({ saysWhy, open }) => {
  it('asks for the peers’ door, and follows no redirect', async () => {
    const asked: string[] = []
    const url = await serveRaw((socket, request) => {
      asked.push(request.split('\r\n')[0]!)
      socket.end('HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n')
    })
    expect(await failureOf(open().dial(url, () => deaf))).toMatch(notOpened)
    expect(asked).toEqual(['GET /v1/peer HTTP/1.1'])
  })

  it('says why nobody answers', async () => {
    expect(await failureOf(open().dial('http://127.0.0.1:59999', () => deaf))).toMatch(
      saysWhy ? /ECONNREFUSED/ : notOpened,
    )
    expect(await failureOf(open().dial('http://no-such-host.invalid', () => deaf))).toMatch(
      saysWhy ? /no-such-host\.invalid/ : notOpened,
    )
    const silent = await serveRaw((socket) => socket.destroy())
    expect(await failureOf(open().dial(silent, () => deaf))).toMatch(notOpened)
  })

  it('refuses one that compresses', async () => {
    const url = await serveRaw((socket, request) =>
      accept(socket, request, 'Sec-WebSocket-Extensions: permessage-deflate\r\n'),
    )
    expect(await failureOf(open().dial(url, () => deaf))).toContain('compression')
  })

  it('hears texts, and the end with its reason', async () => {
    const url = await serveRaw((socket, request) => {
      accept(socket, request)
      socket.write(Buffer.from([0x81, 2, 0x68, 0x69]))
      socket.end(Buffer.from([0x88, 5, 0x03, 0xe8, 0x62, 0x79, 0x65]))
    })
    const heard: string[] = []
    await open().dial(url, () => ({
      onText: (text) => heard.push(`text ${text}`),
      onClose: (reason) => heard.push(`end ${reason}`),
    }))
    await vi.waitFor(() => expect(heard).toEqual(['text hi', 'end bye']), { timeout: 20_000 })
  })

  it('ends when bytes come instead of text, or a frame that is too large', async () => {
    const tooLarge = Buffer.alloc(10 + 1024 * 1024 + 1, 'x')
    tooLarge.set([0x81, 127, 0, 0, 0, 0, 0, 16, 0, 1])
    for (const frame of [Buffer.from([0x82, 1, 7]), tooLarge]) {
      const url = await serveRaw((socket, request) => {
        accept(socket, request)
        socket.write(frame)
      })
      const heard: string[] = []
      const ends: string[] = []
      await open().dial(url, () => ({
        onText: (text) => heard.push(text),
        onClose: (reason) => ends.push(reason),
      }))
      await vi.waitFor(() => expect(ends).toHaveLength(1), { timeout: 20_000 })
      expect(heard).toEqual([])
    }
  })

  it('hangs up on who doesn’t take part in closing', async () => {
    const url = await serveRaw((socket, request) => accept(socket, request))
    let wire!: Wire
    const ends: string[] = []
    await open().dial(url, (opened) => {
      wire = opened
      return { ...deaf, onClose: (reason) => ends.push(reason) }
    })
    wire.close('enough')
    await vi.waitFor(() => expect(ends).toHaveLength(1), { timeout: 20_000 })
    wire.send('nobody hears this')
    wire.close('again')
  })
})
