import { beforeEach, describe, expect, it } from 'vitest'
import type { Wire, WireListener } from '../../src/ports/transport.ts'
import { Chance } from './chance.ts'
import { type Host, SimulatedNetwork } from './network.ts'
import { VirtualTime } from './virtual-time.ts'

const anna = 'https://anna.test'
const ben = 'https://ben.test'

let time: VirtualTime
let network: SimulatedNetwork
let heard: string[]
let wires: Map<string, Wire>

/** Notes what it hears, and keeps the wire that it was given last. */
const listenAs =
  (name: string) =>
  (wire: Wire): WireListener => {
    wires.set(name, wire)
    return {
      onText: (text) => heard.push(`${name} hears ${text}`),
      onClose: (reason) => heard.push(`${name} loses it: ${reason}`),
    }
  }

const hostAt = (url: string, name: string): Host => ({
  name,
  url,
  accept: listenAs(name),
  answer: async ({ path }) => ({ status: 200, text: `${name} answers ${path}` }),
})

const request = { method: 'GET', path: '/v1/status', maxBytes: 100, timeoutMs: 1_000 } as const

const pass = (ms: number): Promise<boolean> => time.runUntil(() => false, time.nowMs + ms)

const attempt = (work: Promise<unknown>): void => {
  work.then(
    (value) => heard.push(value === undefined ? 'done' : JSON.stringify(value)),
    (error: Error) => heard.push(`failed: ${error.message}`),
  )
}

beforeEach(() => {
  time = new VirtualTime()
  network = new SimulatedNetwork(time, new Chance('test'), (_, __, text) => [text])
  heard = []
  wires = new Map()
})

describe('two machines', () => {
  const a = hostAt(anna, 'a')
  const b = hostAt(ben, 'b')
  beforeEach(async () => {
    network.attach(a)
    network.attach(b)
    attempt(network.transport(a).dial(ben, listenAs('a')))
    await pass(100)
  })

  it('hear each other in the order in which things were said', async () => {
    for (let count = 0; count < 5; count++) wires.get('a')!.send(`${count}`)
    await pass(100)
    expect(heard).toEqual(['done', ...[0, 1, 2, 3, 4].map((count) => `b hears ${count}`)])
  })

  it('hear nothing over a clogged path, and all of it once it is released', async () => {
    network.path(anna, ben).clog()
    wires.get('a')!.send('first')
    wires.get('a')!.send('second')
    wires.get('b')!.send('the other way')
    await pass(10_000)
    expect(heard).toEqual(['done', 'a hears the other way'])
    expect(wires.get('a')!.unsentBytes).toBe(11)
    network.path(anna, ben).release()
    await pass(100)
    expect(heard.slice(2)).toEqual(['b hears first', 'b hears second'])
    expect(wires.get('a')!.unsentBytes).toBe(0)
  })

  it('are both told once when the connection breaks, and what was on its way is lost', async () => {
    wires.get('a')!.send('lost')
    network.breakSockets(() => true)
    await pass(1_000)
    expect(heard.slice(1).sort()).toEqual([
      'a loses it: the connection broke',
      'b loses it: the connection broke',
    ])
  })

  it('part when one hangs up, after all that it said', async () => {
    wires.get('b')!.send('last words')
    wires.get('b')!.close('enough')
    await pass(1_000)
    expect(heard).toEqual(['done', 'b loses it: enough', 'a hears last words', 'a loses it: enough'])
  })

  it('lose each other when one of them dies', async () => {
    network.detach(b)
    await pass(5_000)
    expect(heard).toContain('a loses it: the connection broke')
    attempt(network.transport(a).dial(ben, listenAs('a')))
    await pass(1_000)
    expect(heard.at(-1)).toBe('failed: https://ben.test refuses connections')
  })

  it('answer requests, but not over a cut or clogged path', async () => {
    const ask = (): void => attempt(network.transport(a).request(ben, request))
    ask()
    await pass(100)
    expect(heard.at(-1)).toBe('{"status":200,"text":"b answers /v1/status"}')
    network.path(ben, anna).isCut = true
    ask()
    await pass(100)
    expect(heard.at(-1)).toBe('failed: https://ben.test refuses connections')
    network.path(ben, anna).isCut = false
    network.path(ben, anna).clog()
    ask()
    await pass(2_000)
    expect(heard.at(-1)).toBe("failed: https://ben.test doesn't answer within 1000 ms")
  })
})

describe('virtual time', () => {
  it('lets everything happen that needs no time before it goes on', async () => {
    const order: string[] = []
    const long = async (): Promise<void> => {
      for (let step = 0; step < 1_000; step++) await undefined
      order.push('a thousand steps')
    }
    time.after(1, () => void long())
    time.after(1, () => order.push('the next event'))
    await pass(10)
    expect(order).toEqual(['a thousand steps', 'the next event'])
  })

  it('forgets what was cancelled, and stands at the end when nothing happens', async () => {
    const cancel = time.after(5, () => heard.push('cancelled'))
    cancel()
    expect(await pass(10)).toBe(false)
    expect(heard).toEqual([])
    expect(time.nowMs).toBe(10)
  })
})
