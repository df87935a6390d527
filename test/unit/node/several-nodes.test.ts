import memoryDriver from 'unstorage/drivers/memory'
import { afterEach, expect, it } from 'vitest'
import { decodeUtf8 } from '../../../src/codec/bytes.ts'
import type { VoteMessage } from '../../../src/messages/peer-message.ts'
import { Chain } from '../../../src/node/chain.ts'
import { foundNetwork } from '../../../src/node/found-network.ts'
import { Node } from '../../../src/node/node.ts'
import { freshSignRecord, type SignRecord, writeSignRecord } from '../../../src/node/sign-record.ts'
import type { Genesis } from '../../../src/objects/genesis.ts'
import { messageSigningText } from '../../../src/objects/vote.ts'
import type { Durability } from '../../../src/ports/object-store.ts'
import type { SignRecordStore } from '../../../src/ports/sign-record-store.ts'
import { openUnstorageStore } from '../../../src/storage/unstorage-store.ts'
import { type BlockHash, height, round, unixMs } from '../../../src/units.ts'
import { faultyDisk } from '../../faults/faulty-driver.ts'
import { pay, silentLog } from '../../faults/whole-node.ts'
import { Loopback, signerOf, verifier } from './links/loopback.ts'

/** Whole nodes in one process, on a clock that only the test moves. */
class SmallNetwork {
  readonly loopback = new Loopback()
  readonly nodes: Node[] = []
  readonly genesis: Genesis
  readonly #size: number

  constructor(size: number) {
    this.#size = size
    this.genesis = foundNetwork({
      founders: Array.from({ length: size }, (_, at) => signerOf(at).address),
      name: 'several',
      time: unixMs(this.loopback.clock.nowMs - 1_000),
    })
  }

  /** Starts a node that dials all those before it. */
  async start(
    order: number,
    peers?: readonly number[],
    records: SignRecordStore = faultyDisk().signRecords(),
    durability: Durability = 'none',
  ): Promise<Node> {
    const store = await openUnstorageStore(memoryDriver(), durability)
    await writeSignRecord(records, freshSignRecord)
    const url = urlOf(order)
    const node = await Node.start({
      version: '0.1.0',
      chain: await Chain.create(store, this.genesis),
      store,
      records,
      signer: signerOf(order),
      verifier,
      clock: this.loopback.clock,
      log: silentLog,
      random: { bytes: (count) => crypto.getRandomValues(new Uint8Array(count)), fraction: () => 0.5 },
      transport: this.loopback.transport,
      urls: () => [url],
      peers: (peers ?? Array.from({ length: order }, (_, at) => at)).map(urlOf),
      onHalt: (error) => {
        throw error
      },
    })
    this.loopback.open(url, (wire) => node.acceptPeer(wire, [url]))
    this.nodes[order] = node
    return node
  }

  async startAll(): Promise<void> {
    for (let order = 0; order < this.#size; order++) await this.start(order)
    await this.pass(1_000)
  }

  pass(ms: number): Promise<void> {
    return this.loopback.clock.pass(ms)
  }

  heads(): readonly string[] {
    return this.nodes.map((node) => `${node.status().head.height} ${node.status().head.hash}`)
  }
}

const urlOf = (order: number): string => `http://node${order}.example`

let network: SmallNetwork
afterEach(async () => {
  await Promise.all(network.nodes.map((node) => node.close()))
})

it('four validators agree on what is submitted to any of them, and then are silent', async () => {
  network = new SmallNetwork(4)
  await network.startAll()
  expect(network.nodes.map((node) => node.status().peers)).toEqual([3, 3, 3, 3])
  for (const [at, node] of network.nodes.entries()) {
    await node.spend({ operations: [pay(signerOf(9).address, 5)] })
    await network.pass(100)
    expect(new Set(network.heads()).size, `after block ${at + 1}`).toBe(1)
    expect(node.status().head.height).toBe(at + 1)
  }
  await network.pass(5_000)
  const before = network.nodes.map((node) => node.consensus())
  const sent = network.loopback.sockets.flatMap(({ texts }) => texts).flat().length
  await network.pass(60_000)
  expect(network.loopback.sockets.flatMap(({ texts }) => texts).flat().length).toBe(sent)
  expect(network.nodes.map((node) => node.consensus())).toEqual(before)
})

it('three of four go on without the fourth', async () => {
  network = new SmallNetwork(4)
  for (const order of [0, 1, 2]) await network.start(order)
  await network.pass(1_000)
  for (let block = 1; block <= 8; block++) {
    await network.nodes[block % 3]!.spend({ operations: [pay(signerOf(9).address, 5)] })
    await network.pass(6_000)
    expect(network.nodes[0]!.status().head.height).toBe(block)
    expect(new Set(network.heads()).size).toBe(1)
  }
})

it('a line of nodes, each linked with its neighbours only, passes on what the ends need', async () => {
  network = new SmallNetwork(4)
  for (const order of [0, 1, 2, 3]) await network.start(order, order === 0 ? [] : [order - 1])
  await network.pass(1_000)
  for (let block = 1; block <= 4; block++) {
    await network.nodes[0]!.spend({ operations: [pay(signerOf(9).address, 5)] })
    await network.pass(3_000)
    expect(new Set(network.heads()).size).toBe(1)
    expect(network.nodes[0]!.status().head.height).toBe(block)
  }
})

/** A precommit that no node of the network has signed by itself. */
const precommitOf = async (
  liar: ReturnType<typeof signerOf>,
  at: number,
  block: BlockHash,
): Promise<VoteMessage> => {
  const content = {
    kind: 'precommit',
    network: network.nodes[0]!.network,
    height: height(at),
    round: round(0),
  } as const
  const unsigned = { ...content, block, validator: liar.address }
  return { kind: 'vote', vote: { ...unsigned, signature: await liar.sign(messageSigningText(unsigned)) } }
}

it('a validator that says two things in one round loses stake and its place, once, and the others go on', async () => {
  network = new SmallNetwork(4)
  for (const order of [0, 1, 2]) await network.start(order)
  const liar = signerOf(3)
  await network.pass(1_000)
  const both = await Promise.all(
    ['aa', 'bb'].map((byte) => precommitOf(liar, 1, byte.repeat(32) as BlockHash)),
  )
  await network.nodes[0]!.peerMessages(both)
  await network.pass(30_000)
  for (const node of network.nodes) {
    const { stake, unbonding } = await node.account(liar.address, { proof: false })
    expect({ stake, unbonding: unbonding.map(({ amount }) => amount) }).toEqual({
      stake: '0',
      unbonding: ['225000000'],
    })
    expect((await node.validators())?.validators.map(({ address }) => address)).not.toContain(liar.address)
  }
  const before = network.heads()
  await network.nodes[1]!.peerMessages(both)
  await network.pass(30_000)
  expect(network.heads()).toEqual(before)
  await network.nodes[1]!.spend({ operations: [pay(signerOf(9).address, 5)] })
  await network.pass(10_000)
  expect(new Set(network.heads()).size).toBe(1)
})

it('a validator that contradicts itself when the block is final already is caught by who heard both', async () => {
  network = new SmallNetwork(4)
  for (const order of [0, 1, 2]) await network.start(order)
  await network.pass(1_000)
  const liar = signerOf(3)
  const vote = (byte: string) => precommitOf(liar, 1, byte.repeat(32) as BlockHash)
  await network.nodes[0]!.spend({ operations: [pay(signerOf(9).address, 5)] })
  await network.pass(100)
  expect(network.nodes.map((node) => node.status().head.height)).toEqual([1, 1, 1])
  await network.nodes[1]!.peerMessages([await vote('aa')])
  await network.pass(30_000)
  expect(network.nodes.map((node) => node.status().head.height)).toEqual([1, 1, 1])
  await network.nodes[1]!.peerMessages([await vote('bb')])
  await network.pass(30_000)
  for (const node of network.nodes)
    expect(await node.account(liar.address, { proof: false })).toMatchObject({ stake: '0', expelled: true })
})

it('a vote whose sign record is not durable yet is shown to nobody, not even to a peer that has just come', async () => {
  network = new SmallNetwork(4)
  const disk = faultyDisk().signRecords()
  let finishWrite = (): void => undefined
  let isSlow = false
  const slow: SignRecordStore = {
    read: () => disk.read(),
    write: async (record) => {
      if (isSlow) await new Promise<void>((resolve) => (finishWrite = resolve))
      await disk.write(record)
    },
  }
  const first = await network.start(0, [], slow)
  isSlow = true
  await first.spend({ operations: [pay(signerOf(9).address, 5)] })
  await network.pass(2_000)
  await network.start(1)
  await network.pass(2_000)
  const own = `"validator":"${signerOf(0).address}"`
  const saidByFirst = (): boolean =>
    network.loopback.sockets.some(({ texts }) => texts.flat().some((text) => text.includes(own)))
  expect(first.consensus().step).toBe('prevote')
  expect(saidByFirst()).toBe(false)
  isSlow = false
  finishWrite()
  await network.pass(2_000)
  expect(saidByFirst()).toBe(true)
})

it('a sign record that is slowly written behind its block lands before any newer one', async () => {
  network = new SmallNetwork(2)
  const landed: number[][] = [[], []]
  let finishWrite: (() => void) | undefined
  const slowBehind = (order: number): SignRecordStore => {
    const disk = faultyDisk().signRecords()
    return {
      read: () => disk.read(),
      write: async (record) => {
        const [line] = decodeUtf8(record).split('\n')
        const { signed } = JSON.parse(line!) as SignRecord
        const isBehind = signed && signed.height === network.nodes[order]?.status().head.height
        if (isBehind && !finishWrite) await new Promise<void>((resolve) => (finishWrite = resolve))
        await disk.write(record)
        landed[order]!.push(signed?.height ?? 0)
      },
    }
  }
  for (const order of [0, 1]) await network.start(order, undefined, slowBehind(order), 'power-loss')
  await network.pass(1_000)
  const [first] = network.nodes as [Node]
  await first.spend({ operations: [pay(signerOf(9).address, 5)] })
  await network.pass(1_000)
  expect(finishWrite, 'no record was written behind its block').toBeDefined()
  await first.spend({ operations: [pay(signerOf(9).address, 5)] })
  await network.pass(5_000)
  finishWrite?.()
  await network.pass(60_000)
  expect(network.nodes.map((node) => node.status().head.height)).toEqual([2, 2])
  for (const heights of landed) expect(heights).toEqual(heights.toSorted((one, other) => one - other))
})
