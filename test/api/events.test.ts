import { WebSocket } from 'undici'
import { describe, expect, it } from 'vitest'
import type { NodeService } from '../../src/node/service.ts'
import type { Transaction } from '../../src/objects/transaction.ts'
import { height } from '../../src/units.ts'
import { readSlowly } from './slow-reader.ts'
import { friend, keyOf, openWorld, problemOf, rich, serveWorld, transfer } from './world.ts'

interface Frame {
  readonly id?: string
  readonly type: string
  readonly data: { readonly reason?: string; readonly transaction?: Transaction; readonly id?: string }
}

/** Reads events as they come. */
const readerOf = (response: Response) => {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const next = async (): Promise<Frame | undefined> => {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end === -1) {
        const { done, value } = await reader.read()
        if (done) return undefined
        text += value
        continue
      }
      const frame = text.slice(0, end)
      text = text.slice(end + 2)
      if (!frame.startsWith(':')) return parse(frame)
    }
  }
  return {
    next,
    take: async (count: number) => Promise.all(Array.from({ length: count }, next)),
    close: () => reader.cancel(),
  }
}

const parse = (frame: string): Frame => {
  const fields = new Map(
    frame.split('\n').map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]),
  )
  const id = fields.get('id')
  return {
    ...(id === undefined ? {} : { id }),
    type: fields.get('event')!,
    data: JSON.parse(fields.get('data')!),
  }
}

const takeAll = async (reader: ReturnType<typeof readerOf>, count: number) => {
  const frames: (Frame | undefined)[] = []
  for (let at = 0; at < count; at++) frames.push(await reader.next())
  return frames.map((frame) => [frame?.id, frame?.type])
}

describe('events', () => {
  it('from the first block on come in the order of the ledger, then as they are committed', async () => {
    const world = await openWorld()
    await world.commit(await world.sign())
    const response = await world.ask('/v1/events?from=0')
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const reader = readerOf(response)
    expect(await takeAll(reader, 2)).toEqual([
      ['1', 'block'],
      ['1.0', 'transaction'],
    ])
    await world.commit(await world.sign({ nonce: 1 }))
    expect(await takeAll(reader, 2)).toEqual([
      ['2', 'block'],
      ['2.0', 'transaction'],
    ])
    await reader.close()
  })

  it('resume after any of them without a gap, by parameter or header, and the header goes first', async () => {
    const world = await openWorld()
    for (const nonce of [0, 1]) await world.commit(await world.sign({ nonce }))
    const all = [
      ['1', 'block'],
      ['1.0', 'transaction'],
      ['2', 'block'],
      ['2.0', 'transaction'],
    ]
    for (const [at, [id]] of all.slice(0, 3).entries()) {
      for (const [path, headers] of [
        [`/v1/events?from=${id}`, {}],
        ['/v1/events', { 'last-event-id': id! }],
        ['/v1/events?from=2.0', { 'last-event-id': id! }],
      ] as const) {
        const reader = readerOf(await world.ask(path, { headers }))
        expect(await takeAll(reader, 3 - at)).toEqual(all.slice(at + 1))
        await reader.close()
      }
    }
    expect((await problemOf(await world.ask('/v1/events', { headers: { 'last-event-id': 'x' } }))).code).toBe(
      'malformed-request',
    )
  })

  it('without a place begin with what comes from now on', async () => {
    const world = await openWorld()
    await world.commit(await world.sign())
    const reader = readerOf(await world.ask('/v1/events'))
    const first = reader.next()
    await world.commit(await world.sign({ nonce: 1 }))
    expect((await first)?.id).toBe('2')
    await reader.close()
  })

  it('of an account are its transactions only', async () => {
    const world = await openWorld()
    const stranger = keyOf(9)
    await world.commit(await world.sign({ operations: [transfer(stranger.address)] }))
    await world.commit(await world.sign({ nonce: 1, operations: [transfer(friend.address)] }))
    const reader = readerOf(await world.ask(`/v1/events?from=0&account=${friend.address}`))
    expect(await takeAll(reader, 1)).toEqual([['2.0', 'transaction']])
    await reader.close()
    const both = readerOf(await world.ask(`/v1/events?from=0&account=${rich.address}`))
    expect(await takeAll(both, 2)).toEqual([
      ['1.0', 'transaction'],
      ['2.0', 'transaction'],
    ])
    await both.close()
  })

  it('are silent for long, but alive', async () => {
    const world = await openWorld({ limits: { keepAliveMs: 10 } })
    const response = await world.ask('/v1/events')
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    for (let at = 0; at < 3; at++) text += (await reader.read()).value
    expect(text).toBe(': events follow\n\n: nothing new\n\n: nothing new\n\n')
    await reader.cancel()
  })

  it('end for a reader that stops reading, and say after which', async () => {
    const world = await openWorld({ limits: { stalledReaderMs: 30 } })
    for (const nonce of [0, 1]) await world.commit(await world.sign({ nonce }))
    const reader = readerOf(await world.ask('/v1/events?from=0'))
    expect((await reader.next())?.id).toBe('1')
    await new Promise((resolve) => setTimeout(resolve, 200))
    const rest: Frame[] = []
    for (let frame = await reader.next(); frame; frame = await reader.next()) rest.push(frame)
    const last = rest.at(-1)!
    expect(last).toMatchObject({ type: 'cut-off', data: { reason: expect.stringContaining('resume') } })
    // What it was told to resume after is what it got last: nothing is lost between.
    expect(last.id).toBe(rest.at(-2)?.id ?? '1')
  })

  it('may be left at any time, which is no error', async () => {
    const world = await openWorld()
    await world.commit(await world.sign())
    for (const [path, taken] of [
      ['/v1/events', 0],
      ['/v1/events?from=0', 1],
      ['/v1/events?from=0', 2],
    ] as const) {
      const reader = readerOf(await world.ask(path))
      await reader.take(taken)
      await reader.close()
    }
    await world.commit(await world.sign({ nonce: 1 }))
    expect(world.complaints).toEqual([])
  })

  it('have room for so many readers, and for others when some leave', async () => {
    const world = await openWorld({ limits: { subscribers: 2 } })
    const readers = [readerOf(await world.ask('/v1/events')), readerOf(await world.ask('/v1/events'))]
    expect((await problemOf(await world.ask('/v1/events'))).code).toBe('too-many-requests')
    await readers[0]!.close()
    const third = await world.ask('/v1/events')
    expect(third.status).toBe(200)
    await third.body!.cancel()
    await readers[1]!.close()
  })

  it('end when the doors close', async () => {
    const closing = new AbortController()
    const world = await openWorld({ closing: closing.signal })
    const reader = readerOf(await world.ask('/v1/events'))
    closing.abort()
    expect(await reader.next()).toBeUndefined()
    expect(await readerOf(await world.ask('/v1/events?from=0')).next()).toBeUndefined()
  })
})

/** Frames of a socket in order, and how it ended. */
const openSocket = (url: string) => {
  const socket = new WebSocket(url.replace('http', 'ws'))
  const frames: Frame[] = []
  let wake = () => {}
  let end: { readonly code: number; readonly reason: string } | undefined
  socket.addEventListener('message', ({ data }) => {
    frames.push(JSON.parse(data as string) as Frame)
    wake()
  })
  socket.addEventListener('close', ({ code, reason }) => {
    end = { code, reason }
    wake()
  })
  const until = async (holds: () => boolean) => {
    while (!holds()) await new Promise<void>((resolve) => (wake = resolve))
  }
  return {
    socket,
    opened: new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve())
      socket.addEventListener('error', () => reject(new Error('refused')))
    }),
    take: async (count: number) => {
      await until(() => frames.length >= count || end !== undefined)
      return frames.splice(0, count)
    },
    ended: async () => {
      await until(() => end !== undefined)
      return end!
    },
  }
}

/** What a reader must have got in the end, from the ledger itself. */
const idsOfAll = async (node: NodeService): Promise<readonly string[]> => {
  const ids: string[] = []
  for (let at = 1; at <= node.status().head.height; at++) {
    const { block } = (await node.block(height(at)))!
    ids.push(`${at}`, ...block.transactions.map((_, index) => `${at}.${index}`))
  }
  return ids
}

describe('events over WebSocket', () => {
  it('are the same, as JSON frames, and resume the same way', async () => {
    const { node, url } = await serveWorld()
    for (let at = 0; at < 2; at++)
      await node.waitUntilFinal((await node.spend({ operations: [transfer()] })).id, 10_000)
    const all = openSocket(`${url}/v1/events?from=0`)
    const frames = await all.take(4)
    expect(frames.map(({ id, type }) => [id, type])).toEqual([
      ['1', 'block'],
      ['1.0', 'transaction'],
      ['2', 'block'],
      ['2.0', 'transaction'],
    ])
    expect(frames[3]!.data.transaction!.nonce).toBe(1)
    const some = openSocket(`${url}/v1/events?from=2&account=${friend.address}`)
    expect((await some.take(1)).map(({ id }) => id)).toEqual(['2.0'])
    await node.waitUntilFinal((await node.spend({ operations: [transfer()] })).id, 10_000)
    expect((await all.take(2)).map(({ id }) => id)).toEqual(['3', '3.0'])
    expect((await some.take(1)).map(({ id }) => id)).toEqual(['3.0'])
    all.socket.close()
    some.socket.close()
  })

  it('take no messages', async () => {
    const { url } = await serveWorld()
    for (const [message, code] of [
      ['hello', 1003],
      ['x'.repeat(2_000), 1009],
      [new Uint8Array(3), 1009],
    ] as const) {
      const events = openSocket(`${url}/v1/events`)
      await events.opened
      events.socket.send(message)
      expect((await events.ended()).code).toBe(code)
    }
  })

  it('are cut off for a reader that stops reading, who resumes without a gap', async () => {
    const { node, url, port } = await serveWorld({ limits: { stalledReaderMs: 300 } })
    // Enough events that the buffers of both ends can't hold them.
    const operations = Array.from(
      { length: 16 },
      () => ({ type: 'anchor', data: 'x'.repeat(3_900) }) as const,
    )
    const spent = await Promise.all(Array.from({ length: 160 }, () => node.spend({ operations })))
    await Promise.all(spent.map(({ id }) => node.waitUntilFinal(id, 30_000)))
    const expected = await idsOfAll(node)
    const { frames, close } = await readSlowly(port, '/v1/events?from=0', 2_000)
    expect(close.code).toBe(1013)
    const ids = frames.filter(({ type }) => type !== 'cut-off').map(({ id }) => id)
    expect(close.reason).toBe(`cut off after ${ids.at(-1)}`)
    expect(frames.at(-1)).toMatchObject({ type: 'cut-off', id: ids.at(-1) })
    expect(ids.length).toBeLessThan(expected.length)
    const rest = openSocket(`${url}/v1/events?from=${ids.at(-1)}`)
    const resumed = (await rest.take(expected.length - ids.length)).map(({ id }) => id)
    expect([...ids, ...resumed]).toEqual(expected)
    rest.socket.close()
  })

  it('end when the server closes', async () => {
    const { url, server } = await serveWorld()
    const events = openSocket(`${url}/v1/events`)
    await events.opened
    await server.close()
    expect((await events.ended()).code).toBe(1001)
  })

  it('are refused like any other request', async () => {
    const { url } = await serveWorld({ limits: { subscribers: 1 } })
    await expect(openSocket(`${url}/v1/events?from=x`).opened).rejects.toThrow('refused')
    await expect(openSocket(`${url}/v1/nowhere`).opened).rejects.toThrow('refused')
    const first = openSocket(`${url}/v1/events`)
    await first.opened
    await expect(openSocket(`${url}/v1/events`).opened).rejects.toThrow('refused')
    first.socket.close()
    await first.ended()
    const second = openSocket(`${url}/v1/events`)
    await second.opened
    second.socket.close()
  })
})
