/** What a peer has supplied is never dialled into private surroundings: not by name, by redirect or by rebinding. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ResolveAll } from '../../../src/runtime/node/public-lookup.ts'
import { createNodeTransport, type NodeTransport } from '../../../src/runtime/node/transport.ts'
import { createWebTransport } from '../../../src/runtime/web/transport.ts'

/** A service of this machine that nobody from outside may reach. */
let inside: Server
let port: number
let connections: number
let transport: NodeTransport

beforeEach(async () => {
  connections = 0
  inside = createServer((_, response) => response.end('secret'))
  inside.on('connection', () => connections++)
  await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve))
  port = (inside.address() as AddressInfo).port
})

afterEach(async () => {
  await transport.close()
  await new Promise((resolve) => inside.close(resolve))
})

const get = { method: 'GET', path: '/v1/status', maxBytes: 1_000, timeoutMs: 5_000 } as const
const unheard = () => ({ onText() {}, onClose() {} })

const both = async (url: string): Promise<readonly string[]> => {
  const reasons: string[] = []
  await transport.request(url, get, 'public').catch((error: Error) => reasons.push(error.message))
  await transport.dial(url, unheard, 'public').catch((error: Error) => reasons.push(error.message))
  return reasons
}

const resolving =
  (...addresses: readonly string[]): ResolveAll =>
  (_, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )

describe('a URL that a peer has supplied', () => {
  it('with an address of this machine leads nowhere, without anything being resolved', async () => {
    transport = createNodeTransport({
      resolve: () => {
        throw new Error('resolved')
      },
    })
    for (const host of ['127.0.0.1', '2130706433', '0177.0.0.1', '[::1]', '[::ffff:127.0.0.1]', 'localhost'])
      expect(await both(`http://${host}:${port}`)).toEqual([
        expect.stringMatching(/not on the public internet/),
        expect.stringMatching(/not on the public internet/),
      ])
    expect(connections).toBe(0)
  })

  it('with a name that resolves to this machine leads nowhere, also among others', async () => {
    for (const addresses of [['127.0.0.1'], ['8.8.8.8', '127.0.0.1'], ['::1'], ['::ffff:10.0.0.1']]) {
      transport = createNodeTransport({ resolve: resolving(...addresses) })
      expect(await both(`http://node.example:${port}`)).toEqual([
        expect.stringMatching(/^node.example resolves to .* not on the public internet$/),
        expect.stringMatching(/^node.example resolves to .* not on the public internet$/),
      ])
      await transport.close()
    }
    expect(connections).toBe(0)
  })

  it('with a name that is public at first and then isn’t is judged by the address that is connected to', async () => {
    let asked = 0
    transport = createNodeTransport({
      resolve: (name, done) => resolving(asked++ === 0 ? '192.0.2.1' : '127.0.0.1')(name, done),
    })
    // The first address is reserved too, and so refused: what counts is that each connection asks, and is judged.
    expect(await both(`http://rebound.example:${port}`)).toHaveLength(2)
    expect(asked).toBe(2)
    expect(connections).toBe(0)
  })

  it('what its operator has named may be anywhere', async () => {
    transport = createNodeTransport()
    expect(await transport.request(`http://127.0.0.1:${port}`, get)).toMatchObject({ status: 200 })
  })
})

it('a runtime that can’t judge where names lead dials none of them', async () => {
  const web = createWebTransport()
  transport = { ...web, close: async () => undefined }
  expect(await both(`http://127.0.0.1:${port}`)).toEqual(
    Array(2).fill(expect.stringMatching(/not on the public/)),
  )
  expect(await both(`http://node.example:${port}`)).toEqual(
    Array(2).fill("node.example is a name, and this runtime doesn't tell where it leads to"),
  )
  expect(await transport.request(`http://127.0.0.1:${port}`, get)).toMatchObject({ status: 200 })
})

it('no redirect is followed, whoever sends it', async () => {
  transport = createNodeTransport()
  const outside = createServer((_, response) =>
    response.writeHead(307, { location: `http://127.0.0.1:${port}/` }).end(),
  )
  await new Promise<void>((resolve) => outside.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(outside.address() as AddressInfo).port}`
  expect(await transport.request(url, get)).toMatchObject({ status: 307 })
  await expect(transport.dial(url, unheard)).rejects.toThrow()
  expect(connections).toBe(0)
  await new Promise((resolve) => outside.close(resolve))
})
