/** Private lines between real processes: killed, away for long, restored from old copies, and watched on their way. */
import { cp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer, request as forward } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type ConnectionsClient, createConnectionsClient } from '../../src/client/connections-client.ts'
import type { ConnectionView } from '../../src/connections/connections.ts'
import { pick, seededRandom } from '../crash/random.ts'
import { freePorts } from './network-process.ts'
import { eventually, type NodeProcess, pause, startNode, temporaryFolder } from './node-process.ts'

/** One end's node, which can be started again and again on the same port. */
class EndNode {
  readonly data: string
  readonly port: number
  readonly #urls: readonly string[]
  process!: NodeProcess
  client!: ConnectionsClient

  constructor(data: string, port: number, urls: readonly string[] = []) {
    this.data = data
    this.port = port
    this.#urls = urls
  }

  async start(): Promise<void> {
    const flags = [
      '--port',
      String(this.port),
      '--allow-private',
      ...this.#urls.flatMap((url) => ['--url', url]),
    ]
    this.process = await startNode({ data: this.data, flags })
    const token = (await readFile(this.process.banner.token, 'utf8')).trim()
    this.client = createConnectionsClient({ url: this.process.url, token })
  }

  /** All that it has taken over a connection. */
  async heard(id: string): Promise<readonly string[]> {
    const heard: string[] = []
    for (let from = 1; ; ) {
      const { messages, next } = await this.client.messages(id, from)
      if (messages.length === 0) return heard
      heard.push(...messages.map(({ text }) => text!))
      from = next
    }
  }

  /** As long as something comes, however slowly. */
  async untilHeard(id: string, last: string): Promise<readonly string[]> {
    for (let heard: readonly string[] = []; ; ) {
      if (heard.at(-1) === last) return heard
      const before = heard.length
      heard = await eventually(
        async () => {
          const now = await this.heard(id)
          return now.length > before ? now : undefined
        },
        `${last} has not come through: nothing does after ${heard.at(-1)}`,
      )
    }
  }

  until(id: string, is: (view: ConnectionView) => boolean, what: string): Promise<ConnectionView> {
    return eventually(async () => {
      const view = await this.client.get(id)
      return is(view) ? view : undefined
    }, what)
  }
}

const startPair = async (): Promise<{ a: EndNode; b: EndNode; atA: string; atB: string }> => {
  const port = await freePorts(2)
  const a = new EndNode(join(await temporaryFolder(), 'a'), port)
  const b = new EndNode(join(await temporaryFolder(), 'b'), port + 1)
  await Promise.all([a.start(), b.start()])
  return { a, b, ...(await connect(a, b)) }
}

const connect = async (a: EndNode, b: EndNode): Promise<{ atA: string; atB: string }> => {
  const { id: atA, url } = await a.client.invite()
  const { id: atB } = await b.client.accept(url)
  await a.until(atA, ({ state }) => state === 'active', 'never connected')
  await b.until(atB, ({ state }) => state === 'active', 'never connected')
  return { atA, atB }
}

/** All bytes of all files below a folder. */
const bytesBelow = async (folder: string): Promise<Buffer> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  return Buffer.concat(
    await Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name)))),
  )
}

const said = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from + 1 }, (_, at) => `message ${from + at}`)

const sayAll = async (end: EndNode, id: string, texts: readonly string[]): Promise<void> => {
  for (const text of texts) await end.client.say(id, { text })
}

it('whoever is killed at whatever moment: what was answered takes effect once, and all in order', async () => {
  const { a, b, atA, atB } = await startPair()
  const random = seededRandom(7)
  const acknowledged: string[] = []
  let isOver = false
  let next = 1
  const talk = async (): Promise<void> => {
    while (!isOver) {
      const text = `message ${next++}`
      try {
        await a.client.say(atA, { text })
        acknowledged.push(text)
      } catch {
        // it is being started again
      }
      await pause(100)
    }
  }
  const talking = talk()
  for (let kills = 0; kills < 20; kills++) {
    await pause(100 + random() * 500)
    const victim = pick(random, [a, b])
    await victim.process.kill('SIGKILL')
    await victim.start()
  }
  isOver = true
  await talking
  await a.client.say(atA, { text: 'the last' })
  const heard = await b.untilHeard(atB, 'the last')
  const numbers = heard.slice(0, -1).map((text) => Number(text.replace('message ', '')))
  expect(numbers).toEqual([...new Set(numbers)].sort((one, other) => one - other))
  expect(acknowledged.filter((text) => !heard.includes(text))).toEqual([])
  expect(acknowledged.length).toBeGreaterThan(20)
})

describe('an old copy of a data folder', () => {
  it('of the receiver asks again for what it had received since', async () => {
    const { a, b, atA, atB } = await startPair()
    await sayAll(a, atA, said(1, 5))
    await b.untilHeard(atB, 'message 5')
    await b.process.kill('SIGKILL')
    const copy = join(await temporaryFolder(), 'copy')
    await cp(b.data, copy, { recursive: true })
    await b.start()
    await sayAll(a, atA, said(6, 12))
    await b.untilHeard(atB, 'message 12')
    await b.process.kill('SIGKILL')
    await rm(b.data, { recursive: true })
    await cp(copy, b.data, { recursive: true })
    await b.start()
    expect(await b.untilHeard(atB, 'message 12')).toEqual(said(1, 12))
  })

  it('of the sender says nothing in the place of what it had said since', async () => {
    const { a, b, atA, atB } = await startPair()
    await sayAll(a, atA, said(1, 5))
    await b.untilHeard(atB, 'message 5')
    await a.process.kill('SIGKILL')
    const copy = join(await temporaryFolder(), 'copy')
    await cp(a.data, copy, { recursive: true })
    await a.start()
    await sayAll(a, atA, said(6, 8))
    await b.untilHeard(atB, 'message 8')
    await a.process.kill('SIGKILL')
    await rm(a.data, { recursive: true })
    await cp(copy, a.data, { recursive: true })
    await a.start()
    await sayAll(a, atA, ['another 6', 'another 7'])
    expect(await b.untilHeard(atB, 'another 7')).toEqual([...said(1, 8), 'another 6', 'another 7'])
  })
})

it('who is away is unreachable, and not ended; who has let go meanwhile says so at the next contact', async () => {
  const { a, b, atA, atB } = await startPair()
  await b.process.kill('SIGTERM')
  await a.client.say(atA, { text: 'into the void' })
  const away = await a.until(atA, ({ reachable }) => reachable === false, 'never found unreachable')
  expect(away).toMatchObject({ state: 'active', unacknowledged: 1 })
  await b.start()
  await b.untilHeard(atB, 'into the void')

  await a.process.kill('SIGTERM')
  const ending = await b.client.end(atB)
  expect(ending.state).toBe('ending')
  await a.start()
  const ended = await a.until(atA, ({ state }) => state === 'ended', 'never told of the end')
  expect(ended.endedBy).toBe('them')
  await b.until(atB, ({ state }) => state === 'ended', 'never ended')
})

it('of an ended connection no private key and nothing unsent is left in any file', async () => {
  const { a, b, atA, atB } = await startPair()
  await a.client.say(atA, { text: 'something received' })
  await b.untilHeard(atB, 'something received')
  await b.process.kill('SIGKILL')
  await a.client.say(atA, { text: 'something that is never sent' })
  const keyOf = async (end: EndNode, id: string): Promise<Buffer> =>
    (await readFile(join(end.data, 'connections', `${id}.key`))).subarray(32)
  const [heldByA, heldByB] = [await keyOf(a, atA), await keyOf(b, atB)]
  expect([heldByA.length, heldByB.length]).toEqual([32, 32])
  expect((await bytesBelow(a.data)).includes(heldByA)).toBe(true)

  await a.client.end(atA)
  await b.start()
  await b.until(atB, ({ state }) => state === 'ended', 'never told of the end')
  await a.until(atA, ({ state }) => state === 'ended', 'never ended')
  // All that was written of the keys and the outbox was sealed by these.
  expect((await bytesBelow(a.data)).includes(heldByA)).toBe(false)
  expect((await bytesBelow(b.data)).includes(heldByB)).toBe(false)
  for (const end of [a, b]) {
    const bytes = await bytesBelow(end.data)
    for (const text of ['something that is never sent', 'something received'])
      expect(bytes.includes(text)).toBe(false)
  }
})

/** A reverse proxy in front of a node that writes down all that passes. */
const startTap = async (port: number): Promise<{ url: string; seen: () => string }> => {
  const seen: Buffer[] = []
  const server = createServer((request, response) => {
    const onward = forward(
      { port, host: '127.0.0.1', method: request.method, path: request.url, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode!, answer.headers)
        answer.on('data', (chunk: Buffer) => seen.push(chunk)).pipe(response)
      },
    )
    onward.on('error', () => response.destroy())
    seen.push(Buffer.from(`${request.method} ${request.url} ${JSON.stringify(request.headers)}\n`))
    request.on('data', (chunk: Buffer) => seen.push(chunk)).pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close().closeAllConnections())
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: () => Buffer.concat(seen).toString(),
  }
}

it('who stands between two nodes, and who reads their ledgers, sees nothing of it, and no key that links two connections', async () => {
  const port = await freePorts(3)
  const taps = await Promise.all([0, 1, 2].map((at) => startTap(port + at)))
  const ends = await Promise.all(
    taps.map(async ({ url }, at) => new EndNode(join(await temporaryFolder(), 'node'), port + at, [url])),
  )
  for (const end of ends) await end.start()
  const [a, b, c] = ends as [EndNode, EndNode, EndNode]
  const lines = [await connect(a, b), await connect(a, c)]
  const secret = 'nobody else may read this'
  for (const [at, other] of [b, c].entries()) {
    const { atA, atB } = lines[at]!
    await a.client.say(atA, { text: secret })
    await other.untilHeard(atB, secret)
    await other.client.sayPayload(atB, new TextEncoder().encode(secret), 'text/plain')
    await eventually(
      async () => ((await a.client.messages(atA)).messages.length > 0 ? true : undefined),
      'nothing came',
    )
    await a.client.rotate(atA)
  }

  const onTheWay = taps.map(({ seen }) => seen()).join('\n')
  const inPublic = await Promise.all(
    ends.flatMap(({ process }) =>
      ['status', 'blocks/latest', 'blocks?from=1', 'peers', 'events?from=0'].map(async (path) => {
        const answer = await fetch(`${process.url}/v1/${path}`, { signal: AbortSignal.timeout(1_000) })
        const text = await answer.text().catch(() => '')
        return text
      }),
    ),
  )
  const views = await Promise.all(lines.map(({ atA }) => a.client.get(atA)))
  expect(onTheWay).toContain('/v1/didcomm')
  expect(onTheWay).toContain(views[0]!.ours!.slice(0, 40).slice(0, 9))
  for (const text of [onTheWay, ...inPublic]) {
    expect(text).not.toContain(secret)
    expect(text).not.toContain(Buffer.from(secret).toString('base64').slice(0, 30))
  }
  for (const text of inPublic) expect(text).not.toContain('did:peer')

  // What each tap saw of a's letters: all DIDs in recipients and senders, of one connection and of the other.
  const didsIn = (text: string): ReadonlySet<string> => {
    const headers = [...text.matchAll(/"protected":"([^"]+)"/g)].map(([, part]) =>
      Buffer.from(part!, 'base64url').toString(),
    )
    return new Set(
      [text, ...headers].flatMap((part) =>
        [...part.matchAll(/did:peer:4z[1-9A-Za-z]{40,50}/g)].map(([did]) => did),
      ),
    )
  }
  const [, first, second] = taps.map(({ seen }) => didsIn(seen()))
  expect(first!.size).toBeGreaterThan(1)
  expect(second!.size).toBeGreaterThan(1)
  expect([...first!].filter((did) => second!.has(did))).toEqual([])
})
