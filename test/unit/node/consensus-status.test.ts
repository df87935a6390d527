import memoryDriver from 'unstorage/drivers/memory'
import { expect, it, onTestFinished } from 'vitest'
import { Chain } from '../../../src/node/chain.ts'
import { networkOfOne } from '../../../src/node/network-of-one.ts'
import { Node } from '../../../src/node/node.ts'
import { freshSignRecord, writeSignRecord } from '../../../src/node/sign-record.ts'
import { createNodeSigner, createNodeVerifier } from '../../../src/runtime/node/keys.ts'
import { openUnstorageStore } from '../../../src/storage/unstorage-store.ts'
import { amount, unixMs } from '../../../src/units.ts'
import { faultyDisk } from '../../faults/faulty-driver.ts'
import { genesisTime, noNetwork, pay, silentLog, testSigner } from '../../faults/whole-node.ts'

const absent = createNodeSigner(new Uint8Array(32).fill(8))

/** One of two validators, the other of which never comes; its clock stands until it is set. */
const startAlone = async () => {
  let now = genesisTime
  const store = await openUnstorageStore(memoryDriver(), 'none')
  const records = faultyDisk().signRecords()
  await writeSignRecord(records, freshSignRecord)
  const genesis = networkOfOne(testSigner.address, 'test', genesisTime)
  const stake = amount(1_000_000_000n)
  const validators = [testSigner, absent].map(({ address }) => ({ address, stake }))
  validators.sort((one, other) => (one.address < other.address ? -1 : 1))
  const node = await Node.start({
    version: 'test',
    chain: await Chain.create(store, { ...genesis, validators }),
    store,
    records,
    signer: testSigner,
    verifier: await createNodeVerifier(silentLog),
    clock: { now: () => now, schedule: () => () => undefined },
    log: silentLog,
    urls: () => ['test'],
    random: noNetwork.random,
    transport: noNetwork.transport,
    onHalt: (error) => {
      throw error
    },
  })
  onTestFinished(() => node.close())
  const setClock = (time: number): void => {
    now = unixMs(time)
  }
  return { node, setClock }
}

it('one of two validators has a transaction to decide: it waits since then, not since the block before', async () => {
  const { node, setClock } = await startAlone()
  expect(node.consensus()).toMatchObject({ height: 1, round: 0, active: false, since: genesisTime })
  setClock(genesisTime + 60_000)
  await node.spend({ operations: [pay(absent.address, 5)] })
  await expect.poll(() => node.consensus().active).toBe(true)
  setClock(genesisTime + 90_000)
  expect(node.consensus()).toMatchObject({
    height: 1,
    round: 0,
    since: genesisTime + 60_000,
    totalStake: '2000000000',
    precommits: { values: [], missing: [{ stake: '1000000000' }, { stake: '1000000000' }] },
    linked: [],
  })
  const awaited = node.consensus().prevotes.missing.map(({ address }) => address)
  expect(awaited).toContain(absent.address)
})
