/** Joining by a snapshot, over real sockets: from honest nodes, from liars, from nodes that die, and over interruptions. */
import memoryDriver from 'unstorage/drivers/memory'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Chain } from '../../src/node/chain.ts'
import { joinBySnapshot, type SnapshotJoinParts } from '../../src/node/snapshot-join/snapshot-join.ts'
import { verifyLedger } from '../../src/node/verify-ledger.ts'
import type { BlockPin } from '../../src/objects/join-string.ts'
import type { Verifier } from '../../src/ports/keys.ts'
import type { Log } from '../../src/ports/log.ts'
import type { ObjectStore } from '../../src/ports/object-store.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { createTransport } from '../../src/runtime/node/engine.ts'
import { createNodeVerifier } from '../../src/runtime/node/keys.ts'
import { openUnstorageStore } from '../../src/storage/unstorage-store.ts'
import { type Address, height, unixMs } from '../../src/units.ts'
import { receiver } from '../bench/accounts.ts'
import { silentLog } from '../faults/whole-node.ts'
import { bond } from '../unit/ledger/small-ledger.ts'
import { serveAnswers } from './serve-answers.ts'
import { type ProblemBody, serveWorld, startNode, transfer } from './world.ts'

/** Between the first snapshot and the second, so that some blocks come after it. */
const blocks = 260

let world: Awaited<ReturnType<typeof serveWorld>>
let verifier: Verifier
const transport = createTransport()

beforeAll(async () => {
  verifier = await createNodeVerifier(silentLog)
  world = await serveWorld({ keep: true })
  for (let at = 1; at <= blocks; at++) {
    // The validators' stakes change early, so that the proof of the snapshot leads over a hop.
    const many = Array.from({ length: 16 }, (_, index) => transfer(receiver(at * 16 + index)))
    const { id } = await world.node.spend({ operations: at === 3 ? [bond(5_000_000)] : many })
    await world.node.waitUntilFinal(id, 10_000)
  }
})
afterAll(async () => {
  await transport.close()
  await world.end()
})

/** A node in front of the honest one: it passes on what it is given, unless a test has it do something else. */
const proxy = (change: (path: string, text: string) => string | undefined): Promise<string> =>
  serveAnswers(async (path) => {
    const honest = await fetch(`${world.url}${path}`)
    const text = change(path, await honest.text())
    return text === undefined ? undefined : { status: honest.status, text }
  })

const honestly = (_: string, text: string): string => text

const emptyStore = (): Promise<ObjectStore> => openUnstorageStore(memoryDriver(), 'none')

interface Joined {
  readonly chain: Chain | undefined
  readonly store: ObjectStore
  /** What was said of each node that was no good. */
  readonly warnings: readonly string[]
}

const join = async (
  urls: readonly string[],
  {
    store,
    pin,
    clock = systemClock,
  }: { store?: ObjectStore; pin?: BlockPin; clock?: SnapshotJoinParts['clock'] } = {},
): Promise<Joined> => {
  const warnings: string[] = []
  const log: Log = { ...silentLog, warn: (message) => warnings.push(message) }
  const into = store ?? (await emptyStore())
  const { genesis, network } = world.node
  const parts = { store: into, genesis, network, urls, pin, transport, verifier, clock, log }
  return { chain: await joinBySnapshot(parts), store: into, warnings }
}

const stateOf = async (chain: Chain): Promise<ReadonlyMap<string, unknown>> => {
  const entries = new Map<string, unknown>()
  for await (const [key, value] of chain.state.entries(chain.head.state)) entries.set(key, value)
  return entries
}

describe('an honest node', () => {
  it('says which snapshots it has, and gives pages that anybody may keep', async () => {
    const { snapshots } = (await (await fetch(`${world.url}/v1/snapshots`)).json()) as {
      snapshots: readonly { height: number; entries: number }[]
    }
    expect(snapshots.map(({ height }) => height)).toEqual([250])
    expect(snapshots[0]!.entries).toBeGreaterThan(3_000)
    const pages = await fetch(`${world.url}/v1/snapshots/250/pages/root`)
    expect(pages.headers.get('cache-control')).toMatch(/immutable/)
    const below = await fetch(`${world.url}/v1/snapshots/250/pages/${'f'.repeat(64)}`)
    expect(((await below.json()) as ProblemBody).type).toBe('/problems/not-found')
    const other = await fetch(`${world.url}/v1/snapshots/10/pages/root`)
    expect(((await other.json()) as ProblemBody).type).toBe('/problems/pruned')
  })

  it('leads a newcomer to the same state, which verifies, goes on from there, and serves others', async () => {
    const { chain, store, warnings } = await join([world.url])
    expect(warnings).toEqual([])
    expect(chain!.head).toMatchObject({ height: 250, hops: 1 })
    expect(chain!.kept).toMatchObject({ oldest: 251 })
    expect((await stateOf(chain!)).size).toBe(chain!.head.state.count)

    const newcomer = await startNode(silentLog, { chain: chain!, store })
    const segment = await (await fetch(`${world.url}/v1/blocks?from=251&limit=100&certificates=true`)).json()
    await newcomer.takeSegment(segment)
    const address: Address = receiver(17)
    expect(await newcomer.account(address, { proof: false })).toEqual(
      await world.node.account(address, { proof: false }),
    )
    expect(await newcomer.snapshots()).toEqual(await world.node.snapshots())
    expect(await newcomer.snapshotPages(height(250), '')).toEqual(
      await world.node.snapshotPages(height(250), ''),
    )
    const scratch = await emptyStore()
    expect(await verifyLedger(chain!, store, scratch, verifier, () => undefined)).toMatchObject({
      height: blocks,
      oldest: 251,
    })
    await newcomer.close()
  })

  it('a history that is too short has no snapshot', async () => {
    const young = await serveWorld()
    const parts = {
      genesis: young.node.genesis,
      network: young.node.network,
      urls: [young.url],
      pin: undefined,
    }
    const store = await emptyStore()
    expect(
      await joinBySnapshot({ ...parts, store, transport, verifier, clock: systemClock, log: silentLog }),
    ).toBeUndefined()
  })
})

/** What each does, and why it is left alone then. */
const liars: Readonly<Record<string, [(path: string, text: string) => string | undefined, RegExp]>> = {
  'a page with another balance': [
    (path, text) =>
      path.includes('/pages/1')
        ? text.replace(/"balance\\":\\"1\\"/, '"balance\\":\\"9\\"')
        : text.replace(/(balance\\":\\")1/, '$12'),
    /false page of the snapshot|first page of the snapshot/,
  ],
  'a page less': [
    (path, text) => {
      if (!path.includes('/pages/')) return text
      const { pages } = JSON.parse(text) as { pages: string[] }
      return JSON.stringify({ pages: pages.length > 1 ? pages.slice(0, -1) : pages })
    },
    /a page is missing/,
  ],
  'a header with another state': [
    (path, text) =>
      /\/250$/.test(path)
        ? text.replace(/"stateRoot":"([0-9a-f]{64})"(?=[^{]*})/g, `"stateRoot":"${'ab'.repeat(32)}"`)
        : text,
    /not proven/,
  ],
  'a certificate with another signature': [
    (path, text) => (/\/250$/.test(path) ? text.replace(/"signature":"../g, '"signature":"00') : text),
    /not proven/,
  ],
  'a proof without the change of the validators': [
    (path, text) => (/\/250$/.test(path) ? JSON.stringify({ ...JSON.parse(text), hops: [] }) : text),
    /not proven/,
  ],
  'an answer that is no JSON': [(path, text) => (path.includes('/pages/') ? text.slice(1) : text), /no JSON/],
  'silence in the middle': [
    (path, text) => (/\/pages\/[1-9a-f]/.test(path) ? undefined : text),
    /does not answer|is no JSON/,
  ],
}

describe.each(Object.entries(liars))('a node that gives %s', (_, [change, reason]) => {
  it('is named and asked no more, and an honest one helps', async () => {
    const { chain, warnings } = await join([await proxy(change), world.url])
    expect(chain!.head).toMatchObject({ height: 250 })
    expect((await stateOf(chain!)).size).toBe(chain!.head.state.count)
    expect(warnings.join('; ')).toMatch(reason)
  })
})

describe('alone', () => {
  it('a liar leads nowhere, and the reason is given', async () => {
    const [change] = liars['a header with another state']!
    await expect(join([await proxy(change)])).rejects.toMatchObject({
      code: 'bad-configuration',
      message: expect.stringMatching(/no snapshot can be had: http:.*not proven/),
    })
  })

  it('one whose newest snapshot is older than the trusting period is refused', async () => {
    const later = world.node.status().head.time + world.node.genesis.parameters.trustingPeriodMs + 1
    await expect(
      join([world.url], { clock: { ...systemClock, now: () => unixMs(later + 60_000) } }),
    ).rejects.toMatchObject({ message: expect.stringMatching(/more than the trusting period/) })
  })
})

describe('a join string that names a block', () => {
  it('of this history, below the snapshot, is looked at', async () => {
    const { hash } = (await world.node.block(height(100)))!
    expect((await join([world.url], { pin: { height: height(100), hash } })).chain).toBeDefined()
  })

  it('of another history leads nowhere', async () => {
    const { hash } = (await world.node.block(height(101)))!
    await expect(join([world.url], { pin: { height: height(100), hash } })).rejects.toMatchObject({
      message: expect.stringMatching(/the join string says/),
    })
  })
})

it('what has come is kept when all nodes are gone, and is not asked for again', async () => {
  const asked: string[] = []
  let isDead = false
  const url = await proxy((path, text) => {
    if (isDead) return undefined
    asked.push(path)
    isDead = asked.filter((other) => /\/pages\/[0-9a-f]/.test(other)).length >= 2
    return text
  })
  const store = await emptyStore()
  const impatient = { ...systemClock, schedule: (_: number, go: () => void) => systemClock.schedule(0, go) }
  await expect(join([url], { store, clock: impatient })).rejects.toMatchObject({
    message: expect.stringMatching(/does not answer|is no JSON/),
  })
  const first = new Set(asked.filter((path) => /\/pages\/[0-9a-f]/.test(path)))
  expect(first.size).toBeGreaterThan(0)

  const again: string[] = []
  const alive = await proxy((path, text) => {
    again.push(path)
    return honestly(path, text)
  })
  const { chain } = await join([alive], { store })
  expect((await stateOf(chain!)).size).toBe(chain!.head.state.count)
  expect(again.filter((path) => first.has(path))).toEqual([])
})
