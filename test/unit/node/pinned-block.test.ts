import memoryDriver from 'unstorage/drivers/memory'
import { expect, it } from 'vitest'
import { Chain } from '../../../src/node/chain.ts'
import { networkOfOne } from '../../../src/node/network-of-one.ts'
import { openUnstorageStore } from '../../../src/storage/unstorage-store.ts'
import { type BlockHash, height, round, type Signature, unixMs } from '../../../src/units.ts'
import { genesisTime, silentLog, testSigner } from '../../faults/whole-node.ts'

const elsewhere = 'ab'.repeat(32) as BlockHash

const openChain = async () => {
  const store = await openUnstorageStore(memoryDriver(), 'none')
  const chain = await Chain.create(store, networkOfOne(testSigner.address, 'test', genesisTime))
  const execute = () =>
    chain.execute([], { time: unixMs(genesisTime + 1), proposer: testSigner.address, evidence: [] })
  const commit = async () => {
    const candidate = await execute()
    const { hash } = candidate.block
    const precommits = [{ validator: testSigner.address, signature: '0'.repeat(128) as Signature }]
    await chain.commit(candidate, { height: height(1), round: round(0), block: hash, precommits })
    return hash
  }
  return { store, chain, execute, commit }
}

it('a chain goes on past the block that it was pinned to', async () => {
  const { chain, execute, commit } = await openChain()
  await chain.requireBlock({ height: height(1), hash: (await execute()).block.hash })
  const hash = await commit()
  expect(chain.head).toMatchObject({ height: 1, hash })
})

it('a chain with another block in its place stops below it', async () => {
  const { chain, commit } = await openChain()
  await chain.requireBlock({ height: height(1), hash: elsewhere })
  await expect(commit()).rejects.toThrow(/block 1 is [0-9a-f]{64} here, .*(ab){32}.*another history/)
  expect(chain.head.height).toBe(0)
})

it('a chain that is beyond is refused when it has another one there', async () => {
  const { store, commit } = await openChain()
  const hash = await commit()
  const again = (await Chain.open(store, silentLog))!
  await again.requireBlock({ height: height(1), hash })
  await expect(again.requireBlock({ height: height(1), hash: elsewhere })).rejects.toThrow(/another history/)
})
