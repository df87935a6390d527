/** A node that has fallen behind, and peers of every kind that it may ask. */
import { createPublicKey, verify } from 'node:crypto'
import memoryDriver from 'unstorage/drivers/memory'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Json } from '../../../src/codec/json.ts'
import { TautlineError } from '../../../src/errors.ts'
import { type BlockSink, chainSink } from '../../../src/node/block-sink.ts'
import { Chain } from '../../../src/node/chain.ts'
import { readSegment } from '../../../src/node/queries.ts'
import { SegmentPusher } from '../../../src/node/segment-pusher.ts'
import type { Segment } from '../../../src/node/service.ts'
import { Synchronizer } from '../../../src/node/synchronizer.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import type { Verifier } from '../../../src/ports/keys.ts'
import type { Log } from '../../../src/ports/log.ts'
import type { PlainAnswer, PlainRequest, Transport } from '../../../src/ports/transport.ts'
import { createVerifier } from '../../../src/runtime/verifier.ts'
import { openUnstorageStore } from '../../../src/storage/unstorage-store.ts'
import { graceTicks, helpTicks, tickMs } from '../../../src/sync/limits.ts'
import { type Address, height, unixMs } from '../../../src/units.ts'
import { silentLog } from '../../faults/whole-node.ts'
import { bond, transfer } from '../ledger/small-ledger.ts'
import { addressAt, type SmallNetwork, signers, smallNetwork } from './small-network.ts'

const blocks = 24

let network: SmallNetwork
let verifier: Verifier

beforeAll(async () => {
  // On this thread, so that nothing is under way between two turns of the event loop.
  verifier = await createVerifier(
    [
      {
        name: 'here',
        holds: async ({ publicKey, message, signature }) => {
          const x = Buffer.from(publicKey).toString('base64url')
          const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
          return verify(null, message, key, signature)
        },
      },
    ],
    silentLog,
  )
  network = await smallNetwork(3)
  for (let at = 1; at <= blocks; at++) {
    const operations = at === 10 ? [bond(5_000_000)] : [transfer(addressAt(1), at)]
    await network.block({ transactions: [await network.transaction(signers[3]!, operations)] })
  }
})

/** What is scheduled comes when the test says so, earliest first. */
class HandClock implements Clock {
  #now = 1_790_000_000_000
  #waiting: { readonly at: number; readonly callback: () => void }[] = []

  now() {
    return unixMs(this.#now)
  }

  schedule(delayMs: number, callback: () => void) {
    const entry = { at: this.#now + delayMs, callback }
    this.#waiting.push(entry)
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== entry)
    }
  }

  get isWaitedFor(): boolean {
    return this.#waiting.length > 0
  }

  advance(ms: number): void {
    this.#now += ms
    const due = this.#waiting.filter(({ at }) => at <= this.#now)
    this.#waiting = this.#waiting.filter((entry) => !due.includes(entry))
    for (const { callback } of due) callback()
  }
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

type Serve = (request: PlainRequest) => Promise<PlainAnswer>

const honest: Serve = async ({ path }) => {
  const query = new URL(path, 'http://peer').searchParams
  const { text } = await readSegment(
    network.chain,
    height(Number(query.get('from'))),
    Number(query.get('limit')),
    {
      certificates: query.get('certificates') === 'true',
    },
  )
  return { status: 200, text }
}

const altered =
  (change: (segment: Segment) => unknown): Serve =>
  async (request) => {
    const { text } = await honest(request)
    return { status: 200, text: JSON.stringify(change(JSON.parse(text) as Segment)) }
  }

const peerNamed = (name: string): Address => `taut1${name}` as Address

/** One node, and what it hears of its peers. */
class Scene {
  readonly clock = new HandClock()
  readonly falsehoods: string[] = []
  readonly warnings: string[] = []
  readonly asked: string[] = []
  readonly peers = new Map<string, Serve>()
  halted: unknown
  readonly chain: Chain
  readonly synchronizer: Synchronizer

  constructor(chain: Chain, sink: BlockSink = chainSink(chain)) {
    this.chain = chain
    const transport: Transport = {
      dial: () => Promise.reject(new Error('not here')),
      request: (url, request) => {
        this.asked.push(`${url} ${request.path}`)
        return this.peers.get(url)!(request)
      },
    }
    const log: Log = { ...silentLog, warn: (message) => this.warnings.push(message) }
    this.synchronizer = new Synchronizer({
      sink,
      network: chain.network,
      parameters: chain.genesis.parameters,
      transport,
      verifier,
      clock: this.clock,
      log,
      onFalse: (peer, reason) => this.falsehoods.push(`${peer.slice(5)}: ${reason}`),
      onHalt: (error) => {
        this.halted = error
      },
    })
  }

  stands(name: string, serve: Serve, at = blocks): this {
    this.peers.set(`http://${name}`, serve)
    this.synchronizer.stands(peerNamed(name), `http://${name}`, { height: height(at), oldest: height(1) })
    return this
  }

  async ticks(count: number): Promise<void> {
    for (let tick = 0; tick < count; tick++) {
      await settle()
      this.clock.advance(tickMs)
    }
    await settle()
  }

  /** @throws when it takes longer than any ban of a test may last */
  async catchUp(to = blocks): Promise<void> {
    for (let tick = 0; tick < 2_000; tick++) {
      await settle()
      if (this.chain.head.height >= to) return
      this.clock.advance(tickMs)
    }
    throw new Error(`the head is still at ${this.chain.head.height}: ${this.warnings.join('; ')}`)
  }
}

const freshChain = async (): Promise<Chain> =>
  Chain.create(await openUnstorageStore(memoryDriver(), 'none'), network.chain.genesis)

let scene: Scene
beforeEach(async () => {
  scene = new Scene(await freshChain())
})

describe('a fresh node', () => {
  it('catches up from one peer, across a change of validators, and keeps the certificate of each block', async () => {
    await scene.stands('a', honest).catchUp()
    expect(scene.chain.head.hash).toBe(network.chain.head.hash)
    for (const at of [1, 10, 11, blocks])
      expect(await scene.chain.reader.certificate(height(at))).toEqual(
        await network.chain.reader.certificate(height(at)),
      )
    expect(scene.warnings).toEqual([])
    expect(scene.synchronizer.progress()).toBeUndefined()
    expect(scene.synchronizer.isSyncing).toBe(false)
  })

  it('says how far others are while it catches up', async () => {
    let release = (_: PlainAnswer): void => undefined
    scene.stands(
      'a',
      () =>
        new Promise((resolve) => {
          release = resolve
        }),
    )
    await settle()
    expect(scene.synchronizer.isSyncing).toBe(true)
    expect(scene.synchronizer.progress()).toEqual({ target: blocks, sources: 1 })
    release({ status: 200, text: '{"blocks":[],"certificates":[]}' })
  })

  it('time stands still again when it has all', async () => {
    await scene.stands('a', honest).catchUp()
    await settle()
    expect(scene.clock.isWaitedFor).toBe(false)
  })

  it('goes on in the middle in the same way', async () => {
    await scene.stands('a', honest, 10).catchUp(10)
    scene.stands('a', honest, 11)
    await scene.ticks(graceTicks + 1)
    expect(scene.chain.head.height).toBe(11)
    await scene.stands('a', honest).catchUp()
  })
})

describe('peers that are no good are dropped with the reason, and another is asked', () => {
  it.each<[string, Serve, RegExp]>([
    ['text that is no JSON', async () => ({ status: 200, text: '<html>' }), /not JSON/],
    ['JSON that is no segment', async () => ({ status: 200, text: '{"blocks":7}' }), /form of a segment/],
    [
      'a segment without certificates',
      altered(({ blocks, certificate }) => ({ blocks, certificates: [], certificate })),
      /\d+ blocks and 0 certificates/,
    ],
    [
      'a last certificate that differs from that of the last block',
      altered((segment) => ({ ...segment, certificate: segment.certificates![0] })),
      /last certificate is not that of its last block/,
    ],
    [
      'certificates in another order',
      altered(({ blocks, certificates }) => {
        const turned = [...certificates!].reverse()
        return { blocks, certificates: turned, certificate: turned.at(-1) }
      }),
      /block 1: its certificate does not prove it: it is for block/,
    ],
    [
      'the block after the one that was asked for',
      async (request) => honest({ ...request, path: request.path.replace('from=1&', 'from=2&') }),
      /block 1: its header says height 2/,
    ],
    [
      'an altered transaction',
      altered((segment) => JSON.parse(JSON.stringify(segment).replace('"amount":"3"', '"amount":"300"'))),
      /block 3: transaction \w+ has no valid signature/,
    ],
    [
      'a forged certificate',
      altered(({ blocks, certificates }) => {
        const forged = certificates!.map((each, at) => (at === 4 ? { ...each, round: 5 } : each))
        return { blocks, certificates: forged, certificate: forged.at(-1) }
      }),
      /block 5: its certificate does not prove it: the signature of/,
    ],
    [
      'the network id of another network',
      altered((segment) =>
        JSON.parse(JSON.stringify(segment).replaceAll(network.chain.network, 'cd'.repeat(32))),
      ),
      /block 1: it is of network cdcd/,
    ],
    [
      'fewer blocks than it says it has',
      altered(({ blocks, certificates }) => ({
        blocks: blocks.slice(0, 2),
        certificates: certificates!.slice(0, 2),
        certificate: certificates![1],
      })),
      /it gave 2 blocks/,
    ],
    ['nothing', altered(() => ({ blocks: [], certificates: [] })), /it gave 0 blocks/],
  ])('%s', async (_, lie, why) => {
    await scene.stands('liar', lie).stands('b', honest).catchUp()
    expect(scene.falsehoods).toEqual([expect.stringMatching(why)])
    expect(scene.falsehoods[0]).toMatch(/^liar: /)
    expect(scene.warnings).toEqual([expect.stringMatching(why)])
    expect(scene.synchronizer.progress()?.refused).toMatchObject({ peer: peerNamed('liar') })
    expect(scene.chain.head.hash).toBe(network.chain.head.hash)
  })

  it.each<[string, Serve, RegExp]>([
    ['no answer', () => Promise.reject(new Error('connect ECONNREFUSED')), /does not answer: connect ECONN/],
    ['no answer in time', () => new Promise(() => {}), /it took more than/],
    ['too busy', async () => ({ status: 429, text: '{"title":"Too many"}' }), /it answers 429: .*Too many/],
  ])('%s is nobody’s lie', async (_, serve, why) => {
    await scene.stands('slow', serve).stands('b', honest).catchUp()
    expect(scene.falsehoods).toEqual([])
    expect(scene.warnings).toEqual([expect.stringMatching(why)])
  })

  it('a peer that reports a lower height than before is dropped, and does not hold anybody up', async () => {
    scene.stands('a', () => new Promise(() => {}), blocks)
    scene.stands('b', honest)
    scene.stands('a', honest, 2)
    await scene.catchUp()
    expect(scene.falsehoods).toEqual([`a: its head went back from height ${blocks} to 2`])
  })

  it('one that claims blocks that nobody has keeps nobody from the others’', async () => {
    await scene.stands('boaster', honest, 1_000_000).stands('b', honest).catchUp()
    expect(scene.chain.head.hash).toBe(network.chain.head.hash)
  })
})

describe('what is not a peer’s fault', () => {
  it('the storage refuses for a while: nobody is blamed, and it goes on', async () => {
    let failures = 2
    const plain = chainSink(scene.chain)
    const stubborn: BlockSink = {
      get head() {
        return plain.head
      },
      apply: (block, certificate) =>
        block.header.height > 3 && failures-- > 0
          ? Promise.reject(new TautlineError('storage-unavailable', 'the disk is full'))
          : plain.apply(block, certificate),
    }
    scene = new Scene(scene.chain, stubborn)
    await scene.stands('a', honest).catchUp()
    expect([scene.falsehoods, scene.warnings, failures]).toEqual([[], [], expect.any(Number)])
    expect(failures).toBeLessThanOrEqual(0)
  })

  it('a broken invariant stops it, and says so', async () => {
    const broken: BlockSink = {
      head: scene.chain.head,
      apply: () => Promise.reject(new Error('broken invariant: two heads')),
    }
    scene = new Scene(scene.chain, broken)
    scene.stands('a', honest)
    await scene.ticks(3)
    expect(scene.halted).toMatchObject({ message: 'broken invariant: two heads' })
    expect(scene.clock.isWaitedFor).toBe(false)
  })

  it('blocks that are decided here meanwhile are passed over', async () => {
    const other = new Scene(scene.chain)
    scene.stands('a', honest)
    other.stands('a', honest)
    await Promise.all([scene.catchUp(), other.catchUp()])
    expect([...scene.warnings, ...other.warnings]).toEqual([])
  })

  it('blocks are decided here between two times that it has to catch up', async () => {
    scene.stands('a', honest, 3)
    await scene.ticks(graceTicks + 1)
    const other = new Scene(scene.chain)
    other.stands('a', honest, 6)
    await other.ticks(graceTicks + 1)
    scene.synchronizer.headMoved()
    scene.stands('a', honest, 8)
    await scene.ticks(graceTicks + 1)
    expect(scene.chain.head.height).toBe(8)
    expect(scene.falsehoods).toEqual([])
  })
})

describe('segments that others push', () => {
  const push = async (from: number, limit = 100): Promise<Json> =>
    JSON.parse((await readSegment(network.chain, height(from), limit, { certificates: true })).text) as Json

  it('are taken when they follow the head, and passed over when not', async () => {
    await scene.synchronizer.takePushed(await push(5))
    expect(scene.chain.head.height).toBe(0)
    await scene.synchronizer.takePushed(await push(1))
    expect(scene.chain.head.height).toBe(10)
    await scene.synchronizer.takePushed(await push(1))
    await scene.synchronizer.takePushed(await push(8))
    expect(scene.chain.head.height).toBe(10)
    await scene.synchronizer.takePushed(await push(11))
    expect(scene.chain.head.height).toBe(blocks)
    await scene.synchronizer.takePushed({ blocks: [], certificates: [] })
  })

  it('are not needed while the node helps itself', async () => {
    scene.stands('a', () => new Promise(() => {}))
    await settle()
    await scene.synchronizer.takePushed(await push(1))
    expect(scene.chain.head.height).toBe(0)
  })

  it('are refused with the reason when they are false, and then none is taken for a moment', async () => {
    const forged = JSON.parse(JSON.stringify(await push(1)).replace('"amount":"2"', '"amount":"200"')) as Json
    await expect(scene.synchronizer.takePushed(forged)).rejects.toMatchObject({
      code: 'segment-refused',
      message: expect.stringContaining('block 2: transaction'),
    })
    await expect(scene.synchronizer.takePushed(await push(1))).rejects.toMatchObject({
      code: 'too-many-requests',
    })
    scene.clock.advance(1_000)
    await scene.synchronizer.takePushed(await push(1))
    expect(scene.chain.head.height).toBe(10)
  })

  it.each<[string, Json]>([
    ['a number', 7],
    ['certificates missing', { blocks: [{}], certificates: [] }],
  ])('that can’t be read are refused: %s', async (_, value) => {
    await expect(scene.synchronizer.takePushed(value)).rejects.toMatchObject({ code: 'malformed-request' })
  })

  it('are checked one at a time', async () => {
    const [first, second] = [
      scene.synchronizer.takePushed(await push(1)),
      scene.synchronizer.takePushed(await push(1)),
    ]
    await expect(second).rejects.toMatchObject({ code: 'too-many-requests' })
    await first
  })
})

describe('a node that is ahead', () => {
  it('pushes to a peer that stands still until that one has all', async () => {
    const pusher = new SegmentPusher({
      height: () => network.chain.head.height,
      readSegment: (from, limit, options) => readSegment(network.chain, from, limit, options),
      transport: {
        request: async (_, { method, path, body }) => {
          scene.asked.push(`${method} ${path}`)
          await scene.synchronizer.takePushed(JSON.parse(body!) as Json)
          pusher.stands(peerNamed('a'), 'http://a', scene.chain.head.height)
          return { status: 204, text: '' }
        },
      },
      clock: scene.clock,
      log: silentLog,
    })
    pusher.stands(peerNamed('a'), 'http://a', height(0))
    await scene.ticks(helpTicks - 1)
    expect(scene.asked).toEqual([])
    await scene.ticks(2)
    expect(scene.chain.head.hash).toBe(network.chain.head.hash)
    expect(scene.asked).toEqual(Array(2).fill('POST /v1/peer/segments')) // the validators change once
    expect(scene.clock.isWaitedFor).toBe(false)
  })
})
