import { describe, expect, it, onTestFinished } from 'vitest'
import { openHttpServer } from '../../src/runtime/node/http-server.ts'
import { maxRequestsAhead, maxUnreadBytes } from '../../src/runtime/node/turns.ts'
import { openRaw } from './raw-client.ts'

const silent = { debug() {}, info() {}, warn() {}, error() {} }

/** A server whose answers are the function's, and the raw clients that ask it. */
const serve = async (answer: (path: string) => Response | Promise<Response>) => {
  const server = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    createApp: () => ({ fetch: (request) => answer(new URL(request.url).pathname) }),
    refuse: () => new Response('refused', { status: 400 }),
    timeouts: { graceMs: 1 },
    log: silent,
  })
  onTestFinished(() => server.close())
  const port = Number(new URL(server.url).port)
  const open = () => {
    const client = openRaw(port)
    onTestFinished(() => client.destroy())
    return client
  }
  return { url: server.url, open }
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('requests that one connection sends ahead', () => {
  it('are answered one after another, in their order', async () => {
    let atATime = 0
    let most = 0
    const { open } = await serve(async (path) => {
      most = Math.max(most, ++atATime)
      await new Promise((resolve) => setTimeout(resolve, 2))
      atATime--
      return new Response(`<${path}>`)
    })
    const client = open()
    const paths = Array.from({ length: 1 + maxRequestsAhead }, (_, at) => `/${at}`)
    client.send(paths.map(get).join(''))
    await until(() => client.received().includes(`<${paths.at(-1)}>`))
    expect(client.received().match(/<[^>]+>/g)).toEqual(paths.map((path) => `<${path}>`))
    expect(most).toBe(1)
  })

  it('beyond a number end the connection, and hardly any of them is looked at', async () => {
    let asked = 0
    const { open, url } = await serve(() => {
      asked++
      return new Response('x'.repeat(100_000))
    })
    const client = open()
    client.send(get('/').repeat(1_000))
    await client.closed
    expect(asked).toBeLessThan(100)
    expect((await fetch(url)).status).toBe(200)
  })

  it('and are followed by nonsense get their own answer, and then the connection ends', async () => {
    let answer: ((_: Response) => void) | undefined
    const { open } = await serve(
      () =>
        new Promise((resolve) => {
          answer = resolve
        }),
    )
    const client = open()
    client.send(`${get('/')}nonsense\r\n\r\n`)
    await until(() => answer !== undefined)
    answer!(new Response('late'))
    const received = await client.closed
    expect(received).toMatch(/^HTTP\/1.1 200 OK/)
    expect(received.match(/HTTP\/1.1/g)).toHaveLength(1)
    expect(received).toContain('late')
  })
})

describe('answers that nobody reads', () => {
  it('are given up, the oldest first, when they are too many', async () => {
    const sizeBytes = 30 * 1024 * 1024 // more than the system keeps for both ends
    const fitting = Math.floor(maxUnreadBytes / sizeBytes)
    let asked = 0
    const { open, url } = await serve(() => {
      asked++
      return new Response('x'.repeat(sizeBytes))
    })
    const clients = Array.from({ length: fitting + 1 }, open)
    for (const [at, client] of clients.entries()) {
      client.pause()
      client.send('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n')
      await until(() => asked > at)
    }
    for (const client of clients) client.resume()
    const isWhole = await Promise.all(clients.map(async ({ closed }) => (await closed).length > sizeBytes))
    expect(isWhole).toEqual([false, ...Array.from({ length: fitting }, () => true)])
    expect((await (await fetch(url)).text()).length).toBe(sizeBytes)
  })
})
