import memoryDriver from 'unstorage/drivers/memory'
import { expect, it, vi } from 'vitest'
import { signTransaction } from '../../../src/client/sign-transaction.ts'
import { Chain } from '../../../src/node/chain.ts'
import { streamEvents } from '../../../src/node/events.ts'
import { networkOfOne } from '../../../src/node/network-of-one.ts'
import { RecentBlocks } from '../../../src/node/recent-blocks.ts'
import { decodeTransaction } from '../../../src/objects/transaction.ts'
import { openUnstorageStore } from '../../../src/storage/unstorage-store.ts'
import { round, type Signature, unixMs } from '../../../src/units.ts'
import { genesisTime, testSigner } from '../../faults/whole-node.ts'

/** Blocks of twenty transactions each, of 4 kB: more than a reader takes along at a time. */
const openChain = async (blocks: number): Promise<Chain> => {
  const store = await openUnstorageStore(memoryDriver(), 'none')
  const chain = await Chain.create(store, networkOfOne(testSigner.address, 'test', genesisTime))
  let nonce = 0
  const anchor = async () => {
    const validUntil = Math.floor(genesisTime / 1_000) + 60
    const operations = [{ type: 'anchor', data: 'x'.repeat(4_000) } as const]
    const unsigned = { network: chain.network, nonce: nonce++, validUntil, operations, fee: undefined }
    const { transaction } = await signTransaction(unsigned, testSigner, chain.genesis.parameters)
    return decodeTransaction(JSON.parse(JSON.stringify(transaction)))
  }
  for (let at = 1; at <= blocks; at++) {
    const transactions = await Promise.all(Array.from({ length: 20 }, anchor))
    const candidate = await chain.execute(transactions, {
      time: unixMs(genesisTime + at),
      proposer: testSigner.address,
      evidence: [],
    })
    const precommits = [{ validator: testSigner.address, signature: '0'.repeat(128) as Signature }]
    const { header, hash } = candidate.block
    await chain.commit(candidate, { height: header.height, round: round(0), block: hash, precommits })
  }
  return chain
}

const blocks = 3
const perBlock = 21
const never = new AbortController().signal

it('many readers go through the ledger, and each block is read and taken apart once', async () => {
  const chain = await openChain(blocks)
  const reading = vi.spyOn(chain.reader, 'blockText')
  const ledger = { chain, blocks: new RecentBlocks(chain) }
  const read = async () => {
    const events = streamEvents(ledger, { after: '0' }, never)[Symbol.asyncIterator]()
    const ids: string[] = []
    for (let at = 0; at < blocks * perBlock; at++) ids.push((await events.next()).value.id)
    return ids
  }
  const all = await Promise.all(Array.from({ length: 10 }, read))
  const expected = [1, 2, 3].flatMap((at) => [
    `${at}`,
    ...Array.from({ length: perBlock - 1 }, (_, index) => `${at}.${index}`),
  ])
  for (const ids of all) expect(ids).toEqual(expected)
  expect(reading.mock.calls.length).toBe(blocks)
})

it('a reader that stands still holds no block, and goes on where it stood', async () => {
  const chain = await openChain(1)
  const ledger = { chain, blocks: new RecentBlocks(chain) }
  const events = streamEvents(ledger, { after: '0' }, never)[Symbol.asyncIterator]()
  await events.next()
  const taken = vi.spyOn(ledger.blocks, 'at')
  const ids: string[] = []
  for (let at = 1; at < perBlock; at++) ids.push((await events.next()).value.id)
  expect(ids).toEqual(Array.from({ length: perBlock - 1 }, (_, index) => `1.${index}`))
  expect(taken.mock.calls.length).toBeGreaterThan(0) // it had to ask for the block again
})
