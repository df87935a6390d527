/** What a chain keeps of its head's state is never that of another head. */
import memoryDriver from 'unstorage/drivers/memory'
import { beforeEach, expect, it } from 'vitest'
import { Chain } from '../../../src/node/chain.ts'
import { networkOfOne } from '../../../src/node/network-of-one.ts'
import { decodeTransaction } from '../../../src/objects/transaction.ts'
import type { ObjectStore } from '../../../src/ports/object-store.ts'
import { openUnstorageStore } from '../../../src/storage/unstorage-store.ts'
import { type Address, amount, height, round, type Signature, unixMs } from '../../../src/units.ts'
import { receiver } from '../../bench/accounts.ts'
import { genesisTime, silentLog, testSigner } from '../../faults/whole-node.ts'

const [alice, bob] = [receiver(1), receiver(2)]
const signature = '0'.repeat(128) as Signature

/** Reads of pages, each of which waits until it is let through. */
let reads: (() => void)[]
let store: ObjectStore
let chain: Chain

beforeEach(async () => {
  store = await openUnstorageStore(memoryDriver(), 'none')
  // So many accounts that each lies in a page of its own, and no page is read along with another.
  const accounts = Array.from({ length: 400 }, (_, at) => receiver(at))
  const genesis = networkOfOne(testSigner.address, 'test', genesisTime)
  await Chain.create(store, {
    ...genesis,
    accounts: accounts.sort().map((address) => ({ address, balance: amount(1_000n) })),
  })
  chain = (await Chain.open(store, silentLog))!
  reads = []
  const getMany = store.getMany.bind(store)
  store.getMany = async (keys) => {
    await new Promise<void>((resolve) => reads.push(resolve))
    return getMany(keys)
  }
})

const letThrough = async <Value>(waiting: Promise<Value>, from = 0): Promise<Value> => {
  let done = false
  const end = waiting.finally(() => {
    done = true
  })
  while (!done) {
    for (const read of reads.splice(from)) read()
    await new Promise(setImmediate)
  }
  return end
}

const executeTransfer = (from: Address, to: Address) => {
  const transaction = {
    fee: '1',
    from,
    network: chain.network,
    nonce: 0,
    operations: [{ amount: '7', to, type: 'transfer' }],
    signatures: [{ key: from, signature }],
    validUntil: Math.floor(genesisTime / 1_000) + 60,
  }
  return chain.execute([decodeTransaction(transaction)], {
    time: unixMs(genesisTime + 1),
    proposer: testSigner.address,
    evidence: [],
  })
}

const commit = async (candidate: Awaited<ReturnType<typeof executeTransfer>>) =>
  chain.commit(candidate, {
    height: height(chain.head.height + 1),
    round: round(0),
    block: candidate.block.hash,
    precommits: [{ validator: testSigner.address, signature }],
  })

it('what a block changes is known at the head that it makes', async () => {
  await commit(await letThrough(executeTransfer(alice, bob)))
  expect(chain.peekAccount(alice)).toMatchObject({ balance: 992n, nonce: 1 })
  expect(chain.peekAccount(bob)).toMatchObject({ balance: 1_007n, nonce: 0 })
})

it('a slow read for a block on an old head says nothing about the new one', async () => {
  const slow = executeTransfer(bob, alice)
  const candidate = await letThrough(executeTransfer(alice, bob), 1)
  await commit(candidate)
  await letThrough(slow)
  expect(chain.peekAccount(bob)).toMatchObject({ balance: 1_007n, nonce: 0 })
  expect(await letThrough(executeTransfer(bob, alice))).toMatchObject({
    execution: { outcomes: [{ status: 'committed' }] },
  })
})
