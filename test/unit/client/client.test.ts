import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type ClientOptions, createClient } from '../../../src/client/client.ts'
import type { RequestError } from '../../../src/client/request-error.ts'
import { height } from '../../../src/units.ts'
import { keys, transactions } from './small-chain.ts'

interface Asked {
  readonly method: string
  readonly path: string
  readonly body: string
  readonly type: string | null
  readonly authorization: string | null
}

/** A client whose requests are kept, and answered by the function instead of a node. */
const clientOf = (
  answer: (asked: Asked) => Response | Promise<Response>,
  options: Partial<ClientOptions> = {},
) => {
  const asked: Asked[] = []
  const client = createClient({
    url: 'http://node.example/',
    ...options,
    fetch: async (input, init) => {
      const request = new Request(input, init)
      const { pathname, search } = new URL(request.url)
      asked.push({
        method: request.method,
        path: pathname + search,
        body: await request.text(),
        type: request.headers.get('content-type'),
        authorization: request.headers.get('authorization'),
      })
      return answer(asked.at(-1)!)
    },
  })
  return { client, asked }
}

const pending = { id: transactions[0]!.id, status: 'pending' }
const problem = (status: number, code: string, detail: string, headers: Record<string, string> = {}) =>
  Response.json({ type: `/problems/${code}`, title: 'No', status, detail }, { status, headers })

const failureOf = (attempt: Promise<unknown>): Promise<RequestError> =>
  attempt.then(
    () => expect.fail('expected a failure'),
    (error: RequestError) => error,
  )

describe('requests', () => {
  it.each<[string, (client: ReturnType<typeof createClient>) => Promise<unknown>, string]>([
    ['status', (client) => client.status(), '/v1/status'],
    ['a block', (client) => client.block(height(3)), '/v1/blocks/3'],
    ['the latest block', (client) => client.block('latest'), '/v1/blocks/latest'],
    ['a header', (client) => client.header(height(3)), '/v1/headers/3'],
    [
      'a header and its origin',
      (client) => client.header('latest', { proof: true }),
      '/v1/headers/latest?proof=true',
    ],
    ['a segment', (client) => client.segment(height(3), 10), '/v1/blocks?from=3&limit=10'],
    ['a segment without a limit', (client) => client.segment(height(3)), '/v1/blocks?from=3'],
    [
      'a page of history',
      (client) => client.history(keys.bob.address, { cursor: 'a b' }),
      `/v1/accounts/${keys.bob.address}/transactions?cursor=a+b`,
    ],
    ['the validators now', (client) => client.validators(), '/v1/validators'],
    [
      'a proof',
      (client) => client.accountProof(keys.bob.address),
      `/v1/accounts/${keys.bob.address}?proof=true`,
    ],
  ])('%s', async (_, ask, path) => {
    const { client, asked } = clientOf(() => Response.json(everyMember))
    await ask(client)
    expect(asked[0]).toMatchObject({ method: 'GET', path })
  })

  const everyMember = Object.fromEntries(
    [
      'network',
      'head',
      'node',
      'mempool',
      'hash',
      'block',
      'certificate',
      'blocks',
      'transactions',
      'validators',
    ].map((name) => [name, {}]),
  )

  it('a transaction is posted as JSON, and waited for', async () => {
    const { client, asked } = clientOf(() => Response.json(pending, { status: 202 }))
    expect(await client.submit(transactions[0]!.transaction, { wait: true })).toEqual(pending)
    expect(asked[0]).toMatchObject({
      method: 'POST',
      path: '/v1/transactions?wait=committed',
      type: 'application/json',
    })
    expect(JSON.parse(asked[0]!.body)).toEqual(transactions[0]!.transaction)
  })

  it('the wallet is asked with the token', async () => {
    const { client, asked } = clientOf(() => Response.json(pending), { token: 'secret' })
    await client.spend({ operations: [{ type: 'anchor', data: 'x' }] })
    expect(asked[0]).toMatchObject({
      path: '/v1/wallet/transactions',
      authorization: 'Bearer secret',
      type: 'application/json',
    })
  })

  it('nobody else is shown the token', async () => {
    const { client, asked } = clientOf(() => Response.json(pending), { token: 'secret' })
    await client.submit('{}')
    expect(asked[0]!.authorization).toBeNull()
  })
})

describe('many transactions', () => {
  it('one line for each, and an answer for each in order', async () => {
    const refused = { type: '/problems/expired', title: 'No', status: 422, detail: 'too late' }
    const { client, asked } = clientOf(
      () => new Response(`${JSON.stringify(pending)}\n${JSON.stringify(refused)}\n`),
    )
    const spread = JSON.stringify(transactions[1]!.transaction, null, 2)
    expect(await client.submitNdjson([transactions[0]!.transaction, spread])).toEqual([pending, refused])
    expect(asked[0]!.type).toBe('application/x-ndjson')
    expect(asked[0]!.body.split('\n').map((line) => JSON.parse(line))).toEqual([
      transactions[0]!.transaction,
      transactions[1]!.transaction,
    ])
  })

  it('a stream that breaks a limit is refused with what its last line says', async () => {
    const refused = {
      type: '/problems/request-too-large',
      title: 'No',
      status: 413,
      detail: 'at most 1 line',
    }
    const { client } = clientOf(
      () => new Response(`${JSON.stringify(pending)}\n${JSON.stringify(refused)}\n`),
    )
    expect(await failureOf(client.submitNdjson(['{}', '{}', '{}']))).toMatchObject({
      code: 'request-too-large',
      details: { status: 413 },
    })
  })

  it('fewer answers than transactions are no answer', async () => {
    const { client } = clientOf(() => new Response(`${JSON.stringify(pending)}\n`))
    expect(await failureOf(client.submitNdjson(['{}', '{}']))).toMatchObject({ code: 'not-a-node' })
  })
})

describe('segments', () => {
  const blocks = (from: number, to: number) =>
    Array.from({ length: Math.max(0, to - from + 1) }, (_, at) => ({ number: from + at }))

  it('follow one another until the height is reached', async () => {
    const { client, asked } = clientOf(({ path }) => {
      const from = Number(new URLSearchParams(path.split('?')[1]).get('from'))
      return Response.json({ blocks: blocks(from, Math.min(from + 2, 7)), certificate: {} })
    })
    const seen: unknown[] = []
    for await (const segment of client.segments(height(7))) seen.push(...segment.blocks)
    expect(seen).toEqual(blocks(1, 7))
    expect(asked.map(({ path }) => path)).toEqual([
      '/v1/blocks?from=1',
      '/v1/blocks?from=4',
      '/v1/blocks?from=7',
    ])
  })

  it('end when the node has no more', async () => {
    const { client, asked } = clientOf(() => Response.json({ blocks: [] }))
    for await (const _ of client.segments(height(7))) expect.fail('expected no segment')
    expect(asked).toHaveLength(1)
  })
})

describe('failures', () => {
  it("a problem keeps the node's code and words", async () => {
    const { client } = clientOf(() => problem(422, 'insufficient-funds', 'the balance is 3'))
    expect(await failureOf(client.status())).toMatchObject({
      code: 'insufficient-funds',
      message: 'the balance is 3',
      details: { status: 422 },
    })
  })

  it('not now says when', async () => {
    const { client } = clientOf(() => problem(503, 'mempool-full', 'full', { 'retry-after': '2' }))
    expect((await failureOf(client.status())).details).toMatchObject({ status: 503, retryAfterMs: 2_000 })
  })

  it.each([
    ['a page of some web server', () => new Response('<html>')],
    ['JSON of something else', () => Response.json({ hello: 'world' })],
    ['null', () => Response.json(null)],
    ['a refusal of some web server', () => new Response('<html>', { status: 404 })],
    ['a refusal in JSON of something else', () => Response.json({ error: 'x' }, { status: 500 })],
  ])('%s is no node', async (_, answer) => {
    expect(await failureOf(clientOf(answer).client.status())).toMatchObject({ code: 'not-a-node' })
  })

  it('an answer without an end is not read to its end', async () => {
    const endless = () =>
      new Response(new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(1_000)) }))
    const { client } = clientOf(endless, { maxAnswerBytes: 100_000 })
    expect(await failureOf(client.status())).toMatchObject({
      code: 'not-a-node',
      message: expect.stringContaining('more than 100000 bytes'),
    })
  })

  it('what else a problem says is kept', async () => {
    const { client } = clientOf(() =>
      Response.json(
        { type: '/problems/pruned', title: 'No', status: 410, detail: 'gone', next: 7 },
        { status: 410 },
      ),
    )
    expect((await failureOf(client.header(height(3)))).details.problem).toMatchObject({ next: 7 })
  })

  it('nobody there: the reason of the reason is told', async () => {
    const { client } = clientOf(() =>
      Promise.reject(new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })),
    )
    expect(await failureOf(client.status())).toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('http://node.example (connect ECONNREFUSED)'),
    })
  })

  it('no answer in time', async () => {
    const waitForever: typeof fetch = (_, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
      })
    const client = createClient({ url: 'http://node.example', fetch: waitForever, timeoutMs: 1 })
    expect(await failureOf(client.status())).toMatchObject({ code: 'timeout' })
  })

  // Node 20 forgets such a request: nothing keeps the process alive, and nobody is told.
  it('a server that sends elsewhere: nothing, and no token, goes there', async () => {
    const asked: (string | undefined)[] = []
    const server = createHttpServer(({ url, headers }, response) => {
      asked.push(url, headers.authorization)
      response.writeHead(307, { location: '/elsewhere' }).end()
    })
    onTestFinished(() => void server.close())
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const client = createClient({ url: `http://127.0.0.1:${port}`, token: 'a-secret' })
    expect(await failureOf(client.status())).toMatchObject({
      code: 'not-a-node',
      message: expect.stringContaining('redirect'),
    })
    expect(asked).toEqual(['/v1/status', 'Bearer a-secret'])
  })

  it('a server that hangs up at once, as a full one does', async () => {
    const server = createServer((socket) => socket.on('error', () => {}).end())
    onTestFinished(() => void server.close())
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo
    const program = join(import.meta.dirname, 'ask-status.ts')
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--import',
      'tsx',
      program,
      `http://127.0.0.1:${port}`,
    ])
    expect(stdout).toMatch(/^(timeout|unreachable)\n$/)
  })
})
