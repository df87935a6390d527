import { describe, expect, it, vi } from 'vitest'
import { maxBatchLines } from '../../routes/lines.ts'
import { TautlineError } from '../../src/errors.ts'
import type { Signer } from '../../src/ports/keys.ts'
import { friend, keyOf, ndjsonInit, openWorld, problemOf, serveWorld, type World } from './world.ts'

type Answer = {
  readonly id?: string
  readonly status: string | number
  readonly type?: string
  readonly line?: number
}

const path = '/v1/transactions'
const answersOf = async (response: Response): Promise<readonly Answer[]> =>
  (await response.text())
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Answer)

const submit = async (world: World, body: BodyInit) => answersOf(await world.ask(path, ndjsonInit(body)))

const signMany = async (world: Pick<World, 'sign'>, count: number): Promise<readonly string[]> =>
  Promise.all(Array.from({ length: count }, async (_, nonce) => JSON.stringify(await world.sign({ nonce }))))

describe('a stream of transactions', () => {
  it('is answered line by line, in order, and commits', async () => {
    const world = await openWorld()
    const lines = await signMany(world, 600)
    const answers = await submit(world, lines.join('\n'))
    expect(new Set(answers.map(({ id }) => id)).size).toBe(600)
    await world.node.waitUntilFinal(answers.at(-1)!.id as never, 30_000)
    const again = await submit(world, lines.slice(0, 3).join('\n'))
    expect(again.map(({ id }) => id)).toEqual(answers.slice(0, 3).map(({ id }) => id))
    expect(again.map(({ status }) => status)).toEqual(['committed', 'committed', 'committed'])
    expect(await (await world.ask(`/v1/accounts/${friend.address}`)).json()).toMatchObject({ balance: '600' })
  })

  it('suffers no line because of another', async () => {
    const world = await openWorld({ limits: { jsonBytes: 2_000 } })
    const [first, second] = await signMany(world, 2)
    const foreign = JSON.stringify(await world.sign({ network: '0'.repeat(64) as never }))
    const lines = [
      '{',
      first,
      '',
      foreign,
      '{"__proto__":1}',
      `"${'x'.repeat(2_000)}"`,
      ' \t ',
      `${second}\r`,
      '[]',
    ]
    const answers = await submit(world, `${lines.join('\n')}\n`)
    expect(answers.map(({ status, type, line }) => type ?? `${status} ${line ?? ''}`.trim())).toEqual([
      '/problems/malformed-json',
      'pending',
      '/problems/malformed-json',
      '/problems/wrong-network',
      '/problems/malformed-transaction',
      '/problems/request-too-large',
      '/problems/malformed-json',
      'pending',
      '/problems/malformed-transaction',
    ])
    expect(answers.map(({ line }) => line)).toEqual([1, undefined, 3, 4, 5, 6, 7, undefined, 9])
  })

  it('spoils no other line with bytes that are not UTF-8', async () => {
    const world = await openWorld()
    const [line] = await signMany(world, 1)
    const answers = await submit(world, Buffer.concat([Buffer.from([0xff, 0x0a]), Buffer.from(`${line}\n`)]))
    expect(answers).toMatchObject([{ type: '/problems/malformed-json', line: 1 }, { status: 'pending' }])
  })

  it('of nothing is answered with nothing', async () => {
    const world = await openWorld()
    expect(await submit(world, '')).toEqual([])
    expect(await submit(world, '\n')).toMatchObject([{ type: '/problems/malformed-json', line: 1 }])
  })

  it('is answered while it still comes in', async () => {
    const { url, sign } = await serveWorld()
    const lines = await signMany({ sign } as World, 2)
    const pipe = new TransformStream<Uint8Array, Uint8Array>()
    const writer = pipe.writable.getWriter()
    const send = (text: string) => void writer.write(new TextEncoder().encode(text))
    send(`${lines[0]}\n${lines[1]!.slice(0, 100)}`)
    const response = await fetch(`${url}${path}`, ndjsonInit(pipe.readable))
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    expect(JSON.parse((await reader.read()).value!)).toMatchObject({ status: 'pending' })
    send(lines[1]!.slice(100))
    void writer.close()
    expect(JSON.parse((await reader.read()).value!)).toMatchObject({ status: 'pending' })
    expect((await reader.read()).done).toBe(true)
  })

  it('keeps the order of each sender, and works side by side for those who have none in common', async () => {
    const world = await openWorld()
    let running = 0
    let most = 0
    vi.spyOn(world.node, 'submitAll').mockImplementation(async (transactions) => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, 200))
      running--
      return transactions.map(({ id }) => ({ submission: { id, status: 'pending' } }))
    })
    const mostAtOnce = async (senderOf: (line: number) => Signer) => {
      most = 0
      const lines = Array.from({ length: 4 * maxBatchLines }, async (_, line) =>
        JSON.stringify(await world.sign({ nonce: line }, senderOf(line))),
      )
      // In one piece, as a runtime need not pass on a string.
      const piece = new TextEncoder().encode((await Promise.all(lines)).join('\n'))
      const answers = await submit(
        world,
        new ReadableStream({
          start: (controller) => {
            controller.enqueue(piece)
            controller.close()
          },
        }),
      )
      expect(answers).toHaveLength(4 * maxBatchLines)
      return most
    }
    const senders = Array.from({ length: 4 }, (_, at) => keyOf(100 + at))
    expect(await mostAtOnce(() => senders[0]!)).toBe(1)
    expect(await mostAtOnce((line) => senders[line % 4]!)).toBe(1)
    expect(await mostAtOnce((line) => senders[Math.floor(line / maxBatchLines)]!)).toBe(3)
  })

  it('beyond its lines is cut off, and says at which', async () => {
    const world = await openWorld({ limits: { streamLines: 3 } })
    const lines = await signMany(world, 5)
    const answers = await submit(world, lines.join('\n'))
    expect(answers.map(({ id }) => id !== undefined)).toEqual([true, true, true, false])
    expect(answers.at(-1)).toMatchObject({ type: '/problems/request-too-large', line: 4, limitLines: 3 })
    expect(await submit(world, lines.slice(0, 3).join('\n'))).toHaveLength(3)
  })

  it('beyond its bytes is refused at once when it says so, else cut off', async () => {
    const world = await openWorld({ limits: { streamBytes: 1_500 } })
    const lines = await signMany(world, 5)
    const declared = await world.ask(path, {
      ...ndjsonInit(lines.join('\n')),
      headers: { 'content-type': 'application/x-ndjson', 'content-length': String(lines.join('\n').length) },
    })
    expect((await problemOf(declared)).code).toBe('request-too-large')
    const pieces = new ReadableStream({
      start: (controller) => {
        for (const line of lines) controller.enqueue(new TextEncoder().encode(`${line}\n`))
        controller.close()
      },
    })
    const answers = await submit(world, pieces)
    expect(answers.map(({ id }) => id !== undefined)).toEqual([true, true, false])
    expect(answers.at(-1)).toMatchObject({ type: '/problems/request-too-large', line: 3, limitBytes: 1_500 })
  })

  it('that stops coming in is given up, after the answers to what came', async () => {
    const world = await openWorld({ limits: { streamIdleMs: 50 } })
    const [line] = await signMany(world, 1)
    const stuck = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode(`${line}\n`)),
    })
    expect(await submit(world, stuck)).toMatchObject([
      { status: 'pending' },
      { type: '/problems/request-timeout', line: 2 },
    ])
  })

  it('that only trickles is given up as well', async () => {
    const world = await openWorld({ limits: { streamIdleMs: 1_000, streamMs: 100 } })
    const trickle = new ReadableStream({
      pull: async (controller) => {
        await new Promise((resolve) => setTimeout(resolve, 10))
        controller.enqueue(new Uint8Array([0x20]))
      },
    })
    expect(await submit(world, trickle)).toMatchObject([{ type: '/problems/request-timeout', line: 1 }])
  })

  it('ends when the doors close', async () => {
    const closing = new AbortController()
    const world = await openWorld({ closing: closing.signal })
    const [line] = await signMany(world, 1)
    const open = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode(`${line}\n`)),
    })
    const answers = submit(world, open)
    setTimeout(() => closing.abort(), 100)
    expect(await answers).toMatchObject([{ status: 'pending' }, { type: '/problems/shutting-down', line: 2 }])
  })

  it('gives its place back, however it ends', async () => {
    const world = await openWorld({ limits: { submissionStreams: 1, streamIdleMs: 20 } })
    const [line] = await signMany(world, 1)
    const stuck = () =>
      new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(`${line}\n`)) })
    const first = await world.ask(path, ndjsonInit(stuck()))
    expect((await problemOf(await world.ask(path, ndjsonInit('{}')))).code).toBe('too-many-requests')
    await first.text()
    const second = await world.ask(path, ndjsonInit(stuck()))
    await second.body!.cancel()
    expect(await submit(world, '{}')).toHaveLength(1)
  })

  it('waits for a node that has no room now, and fails no line for it', async () => {
    const world = await openWorld()
    const full = new TautlineError('mempool-full', 'no room')
    const submitAll = vi
      .spyOn(world.node, 'submitAll')
      .mockRejectedValueOnce(full)
      .mockRejectedValueOnce(full)
    expect(await submit(world, `${(await signMany(world, 2)).join('\n')}\n`)).toMatchObject([
      { status: 'pending' },
      { status: 'pending' },
    ])
    expect(submitAll).toHaveBeenCalledTimes(3)
  })

  it('refuses each line when the node refuses all, or has no room for long', async () => {
    const world = await openWorld({ limits: { waitMs: 0 } })
    const lines = `${(await signMany(world, 2)).join('\n')}\n`
    for (const code of ['shutting-down', 'mempool-full'] as const) {
      vi.spyOn(world.node, 'submitAll').mockRejectedValueOnce(new TautlineError(code, 'not now'))
      const type = `/problems/${code}`
      expect(await submit(world, lines)).toMatchObject([
        { type, line: 1 },
        { type, line: 2 },
      ])
    }
  })

  it('takes no `wait`', async () => {
    const world = await openWorld()
    expect(
      (await problemOf(await world.ask(`${path}?wait=committed`, ndjsonInit('{}')))).problem.parameter,
    ).toBe('wait')
  })
})
