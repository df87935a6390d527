/** Segments that a stranger hands over: what is false in them is found before anything of it counts. */
import memoryDriver from 'unstorage/drivers/memory'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type BlockSink, chainSink } from '../../../src/node/block-sink.ts'
import { Chain } from '../../../src/node/chain.ts'
import { Replay, readAll, replayAll, type UncheckedBlock } from '../../../src/node/replay.ts'
import { type Block, type Header, hashHeader } from '../../../src/objects/block.ts'
import type { Transaction } from '../../../src/objects/transaction.ts'
import type { Certificate } from '../../../src/objects/vote.ts'
import type { Verifier } from '../../../src/ports/keys.ts'
import { createNodeVerifier } from '../../../src/runtime/node/keys.ts'
import { openUnstorageStore } from '../../../src/storage/unstorage-store.ts'
import { amount, height, type NetworkId } from '../../../src/units.ts'
import { silentLog } from '../../faults/whole-node.ts'
import { bond, transfer } from '../ledger/small-ledger.ts'
import { addressAt, type SmallNetwork, signers, smallNetwork } from './small-network.ts'

interface Handed {
  readonly block: Block
  readonly certificate: Certificate
}

/** Seven blocks; after the third others vote. */
let network: SmallNetwork
let handed: readonly Handed[]
let verifier: Verifier

/** Someone who knows the genesis. */
let chain: Chain

beforeAll(async () => {
  verifier = await createNodeVerifier(silentLog)
  network = await smallNetwork(3)
  for (let at = 1; at <= 7; at++) {
    const operations = at === 3 ? [bond(5_000_000)] : [transfer(addressAt(1), at)]
    await network.block({ transactions: [await network.transaction(signers[3]!, operations)] })
  }
  const read: Handed[] = []
  for await (const { block, certificate } of readAll(network.chain))
    read.push({ block, certificate } as unknown as Handed)
  handed = read
})

beforeEach(async () => {
  chain = await Chain.create(await openUnstorageStore(memoryDriver(), 'none'), network.chain.genesis)
})

const asUnchecked = (blocks: readonly Handed[]) => blocks as unknown as readonly UncheckedBlock[]
const segment = (first: number, last: number) => asUnchecked(handed.slice(first - 1, last))

const replayOn = (sink: BlockSink = chainSink(chain), onVerified?: (text: string) => void): Replay =>
  new Replay({
    sink,
    network: chain.network,
    verifier: onVerified
      ? {
          name: 'watched',
          verify: (key, text, signature) => {
            onVerified(text)
            return verifier.verify(key, text, signature)
          },
        }
      : verifier,
    onApplied: () => undefined,
  })

/** The first segment, with one of its blocks changed. */
const withBlock = (at: number, change: (handed: Handed) => Handed): readonly UncheckedBlock[] =>
  asUnchecked(handed.slice(0, 3).map((each, index) => (index === at - 1 ? change(each) : each)))

const withHeader = (header: Partial<Header>) => (each: Handed) => ({
  ...each,
  block: { ...each.block, header: { ...each.block.header, ...header } },
})

const withTransaction = (change: (transaction: Transaction) => unknown) => (each: Handed) => ({
  ...each,
  block: { ...each.block, transactions: each.block.transactions.map(change) as Transaction[] },
})

const withCertificate = (change: (certificate: Certificate) => unknown) => (each: Handed) => ({
  ...each,
  certificate: change(each.certificate) as Certificate,
})

describe('a segment that is as it should be', () => {
  it('is committed with the certificate of each of its blocks', async () => {
    await replayOn().use(height(1), segment(1, 3))
    expect(chain.head.hash).toBe(hashHeader(handed[2]!.block.header))
    for (const at of [1, 2, 3])
      expect(await chain.reader.certificate(height(at))).toEqual(handed[at - 1]!.certificate)
  })

  it('and those after it are taken into use before it is committed, though others vote on them', async () => {
    const replay = replayOn()
    const used = [
      replay.use(height(1), segment(1, 2)),
      replay.use(height(3), segment(3, 3)),
      replay.use(height(4), segment(4, 7)),
    ]
    expect(chain.head.height).toBe(0)
    await Promise.all(used)
    expect(chain.head.hash).toBe(network.chain.head.hash)
  })

  it('in part behind the head already, is gone on with', async () => {
    await replayOn().use(height(1), segment(1, 2))
    await replayOn().use(height(1), segment(1, 3))
    expect(chain.head.height).toBe(3)
    await replayOn().use(height(1), segment(1, 3))
    expect(chain.head.height).toBe(3)
  })

  it('the signatures of the next one are verified while one is executed', async () => {
    const events: string[] = []
    let release = (): void => undefined
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const plain = chainSink(chain)
    const slow: BlockSink = {
      get head() {
        return plain.head
      },
      apply: async (block, certificate) => {
        events.push(`apply ${block.header.height}`)
        await gate
        await plain.apply(block, certificate)
      },
    }
    const nextId = handed[1]!.block.transactions[0]!
    const replay = replayOn(slow, (text) => {
      if (!text.includes(`"nonce":${nextId.nonce},`) || !text.startsWith('tautline/transaction/')) return
      events.push('verify 2')
      release()
    })
    await Promise.all([replay.use(height(1), segment(1, 1)), replay.use(height(2), segment(2, 2))])
    expect(events).toEqual(['apply 1', 'verify 2', 'apply 2'])
  })

  it('blocks that come one by one become segments', async () => {
    await replayAll(readAll(network.chain), {
      sink: chainSink(chain),
      network: chain.network,
      verifier,
      onApplied: () => undefined,
    })
    expect(chain.head.hash).toBe(network.chain.head.hash)
  })
})

const other = 'ab'.repeat(32) as NetworkId

describe('a segment that is false is refused with the reason, and nothing of it is executed', () => {
  it.each<[string, () => readonly UncheckedBlock[], RegExp]>([
    ['no block at all', () => [{ block: 'x', certificate: {} }], /block 1: it is not of the form of a block/],
    [
      'a member too many',
      () => withBlock(2, (each) => ({ ...each, block: { ...each.block, more: 1 } as Block })),
      /block 2: it is not of the form of a block .*more/,
    ],
    ['another height', () => segment(2, 3), /block 1: its header says height 2/],
    ['a block left out', () => asUnchecked([handed[0]!, handed[2]!]), /block 2: its header says height 3/],
    ['a block twice', () => asUnchecked([handed[0]!, handed[0]!]), /block 2: its header says height 1/],
    ['another parent', () => withBlock(2, withHeader({ parent: other })), /block 2: its parent is abab/],
    ['another network', () => withBlock(1, withHeader({ network: other })), /block 1: it is of network abab/],
    [
      'another time',
      () => withBlock(3, withHeader({ time: handed[0]!.block.header.time })),
      /block 3: its certificate does not prove it: it is for block/,
    ],
    [
      'other validators',
      () => withBlock(1, withHeader({ validatorsHash: other, nextValidatorsHash: other })),
      /block 1: its validators are not those who vote on it/,
    ],
    [
      'a segment that goes on where the validators change',
      () => segment(1, 4),
      /block 3: the validators change/,
    ],
    [
      'fewer transactions than the header counts',
      () => withBlock(2, (each) => ({ ...each, block: { ...each.block, transactions: [] } })),
      /block 2: it has 0 transactions, and its header says 1/,
    ],
    [
      'an altered amount',
      () =>
        withBlock(
          2,
          withTransaction((each) => ({ ...each, operations: [transfer(addressAt(1), 9)] })),
        ),
      /block 2: transaction \w+ has no valid signature/,
    ],
    [
      'a transaction that is none',
      () =>
        withBlock(
          2,
          withTransaction((each) => ({ ...each, nonce: -1 })),
        ),
      /block 2: nonce: expected/,
    ],
    [
      'the certificate of another block',
      () =>
        withBlock(
          2,
          withCertificate(() => handed[0]!.certificate),
        ),
      /block 2: its certificate does not prove it: it is for block \w+ at height 1/,
    ],
    [
      'another round, so that the signatures are over something else',
      () =>
        withBlock(
          2,
          withCertificate((each) => ({ ...each, round: 1 })),
        ),
      /block 2: its certificate does not prove it: the signature of/,
    ],
    [
      'too few precommits',
      () =>
        withBlock(
          2,
          withCertificate((each) => ({ ...each, precommits: each.precommits.slice(1) })),
        ),
      /block 2: .* more than two thirds are needed/,
    ],
    [
      'one precommit many times',
      () =>
        withBlock(
          2,
          withCertificate((each) => ({ ...each, precommits: each.precommits.map(() => each.precommits[0]) })),
        ),
      /block 2: .* not sorted by validator, each once/,
    ],
    [
      'no precommits',
      () =>
        withBlock(
          2,
          withCertificate((each) => ({ ...each, precommits: [] })),
        ),
      /block 2: its certificate is not of the form of one/,
    ],
    [
      'a precommit of a stranger',
      () =>
        withBlock(
          2,
          withCertificate((each) => ({
            ...each,
            precommits: [...each.precommits, { ...each.precommits[0]!, validator: addressAt(3) }].sort(
              (one, two) => (one.validator < two.validator ? -1 : 1),
            ),
          })),
        ),
      /block 2: .* is not a validator of this block/,
    ],
  ])('%s', async (_, build, why) => {
    const executed: number[] = []
    const watched: BlockSink = {
      head: chain.head,
      apply: async ({ header }) => void executed.push(header.height),
    }
    await expect(replayOn(watched).use(height(1), build())).rejects.toMatchObject({
      code: 'ledger-mismatch',
      message: expect.stringMatching(why),
    })
    expect(executed).toEqual([])
  })

  it('certificates are checked before any transaction', async () => {
    const verified: string[] = []
    const forged = withBlock(
      3,
      withCertificate((each) => ({ ...each, round: 1 })),
    )
    await expect(
      replayOn(chainSink(chain), (text) => verified.push(text)).use(height(1), forged),
    ).rejects.toThrow(/block 3/)
    expect(verified.filter((text) => text.startsWith('tautline/transaction/'))).toEqual([])
  })

  it('another transaction with a signature that holds is found by executing it', async () => {
    const fresh = await smallNetwork(3)
    const substitute = await fresh.transaction(signers[3]!, [transfer(addressAt(1), 2)])
    const swapped = withBlock(
      1,
      withTransaction(() => substitute.transaction),
    )
    await expect(replayOn().use(height(1), swapped)).rejects.toThrow(
      /block 1: executing it does not lead to its header: transactionsRoot, stateRoot differ/,
    )
    expect(chain.head.height).toBe(0)
  })

  it('what comes behind a false segment is not committed, whatever it is', async () => {
    const replay = replayOn()
    const first = replay.use(height(1), segment(1, 1))
    const second = replay.use(
      height(2),
      asUnchecked([withTransaction((each) => ({ ...each, fee: amount(7n) }))(handed[1]!)]),
    )
    const third = replay.use(height(3), segment(3, 3))
    await expect(second).rejects.toThrow(/block 2: transaction/)
    await expect(third).rejects.toThrow(/block 2: transaction/)
    await first
    expect(chain.head.height).toBe(1)
  })
})

describe('a sink', () => {
  it('commits one block at a time, and each height once, whoever hands it over', async () => {
    const sink = chainSink(chain)
    await Promise.all([
      replayOn(sink).use(height(1), segment(1, 3)),
      replayOn(sink).use(height(1), segment(1, 2)),
    ])
    expect(chain.head.height).toBe(3)
  })
})

it('the block of another network with the same keys is refused', async () => {
  const stranger = await smallNetwork(3, { feePerKib: amount(2n) })
  await stranger.block({
    transactions: [await stranger.transaction(signers[3]!, [transfer(addressAt(1), 1)])],
  })
  const foreign: UncheckedBlock[] = []
  for await (const each of readAll(stranger.chain)) foreign.push(each)
  await expect(replayOn().use(height(1), foreign)).rejects.toThrow(/block 1: it is of network/)
  const disguised = JSON.parse(JSON.stringify(foreign[0]), (name, value) =>
    name === 'parent' || name === 'network' ? chain.network : value,
  ) as UncheckedBlock
  await expect(replayOn().use(height(1), [disguised])).rejects.toThrow(
    /block 1: its certificate does not prove it/,
  )
})
