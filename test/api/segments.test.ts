/** Segments between whole nodes: fetched over real sockets, and brought by POST. */
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { NodeParts } from '../../src/node/node.ts'
import { createTransport } from '../../src/runtime/node/engine.ts'
import {
  createLedger,
  friend,
  hostUrl,
  jsonInit,
  keyOf,
  openWorld,
  problemOf,
  rich,
  serveWorld,
  startNode,
  transfer,
  type World,
} from './world.ts'

const commitTwo = async (world: World): Promise<void> => {
  for (const nonce of [0, 1]) await world.commit(await world.sign({ nonce }))
}

const readAll = async (world: World): Promise<string> =>
  (await world.ask('/v1/blocks?from=1&limit=1000&certificates=true')).text()

/** A node that only observes the network of another. */
const openObserver = async (of: World, limits = {}): Promise<World> =>
  openWorld({ ledger: { ...(await createLedger(of.node.genesis)), signer: keyOf(9) } as NodeParts, limits })

describe('segments by POST', () => {
  it('bring a node to the head of whoever sends them; sent again, they are not needed', async () => {
    const world = await openWorld()
    await commitTwo(world)
    const observer = await openObserver(world)
    for (let time = 0; time < 2; time++) {
      const answer = await observer.ask('/v1/peer/segments', jsonInit(await readAll(world)))
      expect([answer.status, await answer.text()]).toEqual([204, ''])
      expect(observer.node.status().head).toEqual(world.node.status().head)
    }
    expect(await readAll(observer)).toBe(await readAll(world))
    expect((await observer.node.account(friend.address, { proof: false })).balance).toBe('2')
  })

  it('are refused when they are false, with the reason', async () => {
    const world = await openWorld()
    await commitTwo(world)
    const observer = await openObserver(world)
    const altered = (await readAll(world)).replace('"amount":"1"', '"amount":"2"')
    const { code, problem } = await problemOf(await observer.ask('/v1/peer/segments', jsonInit(altered)))
    expect([code, problem.status]).toEqual(['segment-refused', 422])
    expect(problem.detail).toMatch(/^block 1: transaction [0-9a-f]{64} has no valid signature$/)
    expect(observer.node.status().head.height).toBe(0)
    expect(observer.complaints).toEqual([])
    const next = await observer.ask('/v1/peer/segments', jsonInit(await readAll(world)))
    expect((await problemOf(next)).code).toBe('too-many-requests')
  })

  it('are refused when they can’t be read, or are too many', async () => {
    const world = await openWorld()
    const refused: readonly (readonly [string, RequestInit])[] = [
      ['malformed-json', jsonInit('[')],
      ['malformed-request', jsonInit('7')],
      ['malformed-request', jsonInit({ blocks: [] })],
      ['malformed-request', jsonInit({ blocks: [{}], certificates: [] })],
      [
        'request-too-large',
        { ...jsonInit('{}'), headers: { ...jsonInit('{}').headers, 'content-length': '99999999' } },
      ],
      ['unsupported-media-type', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' }],
    ]
    for (const [code, init] of refused)
      expect((await problemOf(await world.ask('/v1/peer/segments', init))).code).toBe(code)
    const none = await openWorld({ limits: { pushedSegments: 0 } })
    expect((await problemOf(await none.ask('/v1/peer/segments', jsonInit('{}')))).code).toBe(
      'too-many-requests',
    )
  })
})

describe('a node that joins', () => {
  it('catches up with the one that it dials, and follows it from then on', async () => {
    const served = await serveWorld()
    const commit = async (nonce: number): Promise<void> => {
      const { id } = await served.node.spend({ operations: [transfer()], memo: `number ${nonce}` })
      await served.node.waitUntilFinal(id, 10_000)
    }
    for (let nonce = 0; nonce < 12; nonce++) await commit(nonce)
    const transport = createTransport()
    const log = { debug() {}, info() {}, warn() {}, error() {} }
    const joining = await startNode(log, {
      ...(await createLedger(served.node.genesis)),
      signer: keyOf(9),
      urls: () => [hostUrl],
      transport,
      peers: [served.url],
    })
    onTestFinished(async () => {
      await joining.close()
      await transport.close()
    })
    const isLevel = () => expect(joining.status().head).toEqual(served.node.status().head)
    await vi.waitFor(isLevel, { timeout: 30_000, interval: 20 })
    await commit(12)
    await vi.waitFor(isLevel, { timeout: 30_000, interval: 20 })
    expect(joining.status()).toMatchObject({ syncing: false, head: { height: 13 } })
    expect((await joining.account(rich.address, { proof: false })).nonce).toBe(13)
  })
})
