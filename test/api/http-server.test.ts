import { createServer } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { openHttpServer } from '../../src/runtime/node/http-server.ts'
import { codeOf, openRaw, statusOf } from './raw-client.ts'
import { jsonInit, serveWorld, transfer } from './world.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }
const alive = async (url: string) => (await fetch(`${url}/healthz`)).status === 200

/** What one connection gets for its bytes. */
const sendRaw = async (port: number, bytes: string | Uint8Array) => {
  const client = openRaw(port)
  client.send(bytes)
  const received = await client.closed
  return { status: statusOf(received), code: codeOf(received), received }
}

const open = (host: string, port: number) =>
  openHttpServer({
    host,
    port,
    createApp: () => ({ fetch: () => new Response('ok') }),
    refuse: () => new Response(null, { status: 400 }),
    log: silent,
  })

describe('listening', () => {
  it('says in one sentence why it can’t', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as { port: number }
    await expect(open('127.0.0.1', port)).rejects.toMatchObject({
      code: 'bad-configuration',
      message: expect.stringMatching(/^port \d+ on 127\.0\.0\.1 is in use: .*--port$/),
    })
    await expect(open('203.0.113.7', 0)).rejects.toMatchObject({
      code: 'bad-configuration',
      message: expect.stringContaining('--host'),
    })
  })

  it('names the URLs that it is reached under', async () => {
    const seen: (readonly string[])[] = []
    const urls: string[] = []
    for (const host of ['127.0.0.1', '0.0.0.0']) {
      const server = await openHttpServer({
        host,
        port: 0,
        urls: ['https://node.example'],
        createApp: (listening) => {
          seen.push(listening.urls)
          return { fetch: () => new Response(listening.url) }
        },
        refuse: () => new Response(null, { status: 400 }),
        log: silent,
      })
      onTestFinished(() => server.close())
      urls.push(server.url)
      expect(await (await fetch(server.url)).text()).toBe(server.url)
    }
    for (const [at, url] of urls.entries()) {
      const { port } = new URL(url)
      expect(url).toBe(`http://127.0.0.1:${port}`)
      expect(seen[at]).toEqual([
        `http://127.0.0.1:${port}`,
        `http://localhost:${port}`,
        `http://[::1]:${port}`,
        'https://node.example',
      ])
    }
  })
})

describe('what this runtime lends', () => {
  it('is the numbers of the process, and the description in the package', async () => {
    const { url } = await serveWorld()
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(metrics).toMatch(/^process_cpu_seconds_total \d+\.\d+$/m)
    expect(metrics).toMatch(/^process_resident_memory_bytes \d{7,}$/m)
    expect(metrics).toMatch(/^tautline_head_height 0$/m)
    expect(await (await fetch(`${url}/openapi.yaml`)).text()).toMatch(/^openapi: 3\.1\.0\n/)
  })
})

describe('what is no request', () => {
  it('is answered with a problem, and harms nobody', async () => {
    const { port, url, complaints } = await serveWorld()
    const host = `Host: 127.0.0.1:${port}\r\n`
    const faults: readonly (readonly [string, number, string])[] = [
      ['hello\r\n\r\n', 400, 'malformed-request'],
      ['\x16\x03\x01\x02\x00\x01\x00', 400, 'malformed-request'],
      [`GET / HTTP/1.1\r\n${host}Content-Length: x\r\n\r\n`, 400, 'malformed-request'],
      [
        `POST /v1/transactions HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`,
        400,
        'malformed-request',
      ],
      [
        `POST /v1/transactions HTTP/1.1\r\n${host}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
        400,
        'malformed-request',
      ],
      [`GET / HTTP/1.1\r\n${host}X: ${'x'.repeat(20_000)}\r\n\r\n`, 413, 'request-too-large'],
      [`GET /${'x'.repeat(20_000)} HTTP/1.1\r\n${host}\r\n`, 413, 'request-too-large'],
      ['GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'malformed-request'],
      ['GET /healthz HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n', 400, 'malformed-request'],
      [`GET http://[ HTTP/1.1\r\n${host}Connection: close\r\n\r\n`, 400, 'malformed-request'],
      [`GET /a\\b HTTP/1.1\r\n${host}Connection: close\r\n\r\n`, 400, 'malformed-request'],
    ]
    for (const [bytes, status, code] of faults) {
      const answer = await sendRaw(port, bytes)
      expect([bytes.slice(0, 80), answer.status, answer.code]).toEqual([bytes.slice(0, 80), status, code])
    }
    expect(await alive(url)).toBe(true)
    expect(complaints).toEqual([])
  })

  it('on a connection that served others before is answered as well', async () => {
    const { port } = await serveWorld()
    const client = openRaw(port)
    client.send(`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
    while (!client.received().includes('{"status":"ok"}'))
      await new Promise((resolve) => setTimeout(resolve, 5))
    client.send('nonsense\r\n\r\n')
    expect((await client.closed).split('{"status":"ok"}')[1]).toMatch(/^HTTP\/1\.1 400 /)
  })
})

describe('what comes in too slowly', () => {
  it('as headers is given up', async () => {
    const { port } = await serveWorld({ timeouts: { headersMs: 100, checkEveryMs: 50 } })
    const answer = await sendRaw(port, 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ')
    expect([answer.status, answer.code]).toEqual([408, 'request-timeout'])
  })

  it('as a body is given up, whether its length is known or not', async () => {
    const { port, node } = await serveWorld({ limits: { jsonMs: 100 } })
    for (const [header, body] of [
      ['Content-Length: 1000', '{"network":"'],
      ['Transfer-Encoding: chunked', 'c\r\n{"network":"\r\n'],
    ]) {
      const answer = await sendRaw(
        port,
        `POST /v1/transactions HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n${header}\r\n\r\n${body}`,
      )
      expect([header, answer.status, answer.code]).toEqual([header, 408, 'request-timeout'])
    }
    expect(node.status().mempool.transactions).toBe(0)
  })

  it('leaves room for others meanwhile, and is told when there is none', async () => {
    const { port, url, sign } = await serveWorld({ limits: { jsonMs: 2_000, bodyBytes: 2_500 } })
    const begin = () => {
      const client = openRaw(port)
      client.send(
        `POST /v1/transactions HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nContent-Length: 2000\r\n\r\n{`,
      )
      return client
    }
    const transaction = await sign()
    const submit = async () =>
      fetch(`${url}/v1/transactions`, jsonInit({ ...transaction, memo: 'x'.repeat(200) }))
    let slow = begin()
    let answer = await submit()
    while (answer.status !== 429) {
      if (slow.received() !== '') slow = begin() // the other one came first, and it was this one that had no room
      answer = await submit()
    }
    expect(answer.headers.get('retry-after')).toBe('1')
    expect((await fetch(`${url}/v1/transactions`, jsonInit('{}'))).status).toBe(400)
    slow.destroy()
    while ((await submit()).status === 429) await new Promise((resolve) => setTimeout(resolve, 20))
  })

  it('is cut off when it is a reader that reads nothing', async () => {
    const { port, node, server } = await serveWorld({
      limits: { stalledReaderMs: 200 },
      timeouts: { stalledMs: 500, graceMs: 600_000 },
    })
    const operations = Array.from(
      { length: 16 },
      () => ({ type: 'anchor', data: 'x'.repeat(3_900) }) as const,
    )
    const spent = await Promise.all(Array.from({ length: 160 }, () => node.spend({ operations })))
    await Promise.all(spent.map(({ id }) => node.waitUntilFinal(id, 30_000)))
    const reader = openRaw(port)
    reader.pause()
    reader.send(`GET /v1/events?from=0 HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`)
    while (node.metrics().event_subscribers === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    while (node.metrics().event_subscribers > 0) await new Promise((resolve) => setTimeout(resolve, 20))
    await server.close() // would wait for the grace if the connection were still there
    reader.destroy()
  })
})

describe('a request for another protocol', () => {
  it('is served as the plain one that it also is', async () => {
    const { port, sign } = await serveWorld()
    const upgrade =
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQBAAAAAAIAAAAA\r\n'
    const client = openRaw(port)
    const body = JSON.stringify(await sign())
    client.send(
      `POST /v1/transactions?wait=committed HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${upgrade}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
    )
    await new Promise((resolve) => setTimeout(resolve, 50))
    client.send(body) // in a piece of its own, after the headers were read
    while (!client.received().includes('"committed"')) await new Promise((resolve) => setTimeout(resolve, 5))
    client.send(`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${upgrade}\r\n`)
    while (!client.received().includes('{"status":"ok"}'))
      await new Promise((resolve) => setTimeout(resolve, 5))
    client.destroy()
    expect(client.received()).toMatch(/^HTTP\/1\.1 200 OK/)

    const inOnePiece = openRaw(port)
    inOnePiece.send(
      `POST /v1/transactions HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${upgrade}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    while (!inOnePiece.received().includes('"committed"'))
      await new Promise((resolve) => setTimeout(resolve, 5))
    inOnePiece.destroy()
  })
})

describe('WebSocket handshakes', () => {
  const handshake = (path: string, changes: Readonly<Record<string, string>> = {}) => {
    const headers = {
      Host: '127.0.0.1',
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      ...changes,
    }
    return `GET ${path} HTTP/1.1\r\n${Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`
  }

  it('that are not whole are refused, and the process lives on', async () => {
    const { port, url } = await serveWorld()
    const faults = [
      handshake('//'),
      handshake('http://['),
      handshake('/v1/events', { 'Sec-WebSocket-Key': 'short' }),
      handshake('/v1/events', { 'Sec-WebSocket-Version': '12' }),
      handshake('/v1/events', { 'Sec-WebSocket-Protocol': 'a, a' }),
      handshake('/v1/events').replace('GET', 'POST'),
    ]
    for (const bytes of faults) {
      const answer = await sendRaw(port, bytes)
      expect([bytes.slice(0, 60), answer.status, answer.code]).toEqual([
        bytes.slice(0, 60),
        400,
        'malformed-request',
      ])
    }
    expect((await sendRaw(port, handshake('/v1/status'))).status).toBe(200)
    expect((await sendRaw(port, handshake('/v1/events?from=x'))).status).toBe(400)
    expect(await alive(url)).toBe(true)
  })

  it('that break off in the middle leave nothing behind', async () => {
    const { port, url, node } = await serveWorld()
    for (let at = 0; at < 50; at++) {
      const client = openRaw(port)
      client.send(handshake('/v1/events'))
      if (at % 2 === 0) await new Promise((resolve) => setImmediate(resolve))
      client.destroy()
    }
    expect(await alive(url)).toBe(true)
    while (node.metrics().event_subscribers > 0) await new Promise((resolve) => setTimeout(resolve, 10))
  })

  it('may be followed by malformed or oversized frames, which end that socket only', async () => {
    const complain = vi.spyOn(console, 'error').mockImplementation(() => {})
    onTestFinished(() => complain.mockRestore())
    const { port, url } = await serveWorld()
    const frames: readonly (readonly [string, Uint8Array, number])[] = [
      ['reserved bits', new Uint8Array([0xf1, 0x80, 0, 0, 0, 0]), 1002],
      ['not masked', new Uint8Array([0x81, 0x01, 0x41]), 1002],
      ['2 MiB announced', new Uint8Array([0x82, 0xff, 0, 0, 0, 0, 0, 0x20, 0, 0, 1, 2, 3, 4]), 1009],
      ['compressed, which was not agreed', new Uint8Array([0xc1, 0x80, 0, 0, 0, 0]), 1002],
    ]
    for (const [name, frame, code] of frames) {
      const client = openRaw(port)
      client.send(handshake('/v1/events', { 'Sec-WebSocket-Extensions': 'permessage-deflate' }))
      while (!client.received().includes('\r\n\r\n')) await new Promise((resolve) => setTimeout(resolve, 5))
      expect(client.received().toLowerCase()).not.toContain('permessage-deflate')
      client.send(frame)
      const received = Buffer.from(await client.closed, 'latin1')
      const close = received.subarray(received.indexOf('\r\n\r\n') + 4)
      expect([name, close[0], close.readUInt16BE(2)]).toEqual([name, 0x88, code])
    }
    expect(complain).not.toHaveBeenCalled()
    expect(await alive(url)).toBe(true)
  })
})

describe('closing', () => {
  it('ends streams, answers who waits, and lets go of every connection', async () => {
    const { url, server, sign, port, node } = await serveWorld({ timeouts: { graceMs: 300 } })
    const events = await fetch(`${url}/v1/events`)
    const waiting = fetch(`${url}/v1/transactions?wait=committed`, jsonInit(await sign({ nonce: 1 })))
    const halfSent = openRaw(port)
    halfSent.send(
      `POST /v1/transactions HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Length: 10\r\nContent-Type: application/json\r\n\r\n{`,
    )
    while (node.status().mempool.transactions === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    const began = performance.now()
    await server.close()
    const tookMs = performance.now() - began
    expect((await waiting).status).toBe(202)
    expect(await events.text()).toBe(': events follow\n\n')
    await halfSent.closed
    await expect(fetch(`${url}/healthz`)).rejects.toThrow()
    expect(tookMs).toBeLessThan(10_000) // a hang, not slowness: without the grace this waits for a timeout of a minute
  })

  it('is quick when nothing is going on', async () => {
    const { server, url, node } = await serveWorld({ timeouts: { graceMs: 60_000 } })
    await fetch(`${url}/v1/status`)
    await node.waitUntilFinal((await node.spend({ operations: [transfer()] })).id, 10_000)
    await server.close() // would wait for the grace if a connection counted as busy
  })
})
