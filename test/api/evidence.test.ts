import { afterAll, beforeAll, expect, it } from 'vitest'
import { committedBlockSchema, segmentSchema } from '../../routes/schemas.ts'
import { verifyProof } from '../../src/client/verify-proof.ts'
import { bond } from '../unit/ledger/small-ledger.ts'
import { type SmallNetwork, signers, smallNetwork } from '../unit/node/small-network.ts'
import { inAnHour, jsonInit, openWorld, type World } from './world.ts'

const guilty = signers[1]!
let network: SmallNetwork
let world: World

/** A ledger of four validators whose first block holds evidence against one of them, behind the doors of a node. */
beforeAll(async () => {
  network = await smallNetwork()
  await network.block({ evidence: [await network.against(guilty)] })
  world = await openWorld({ ledger: network, keep: true })
})
afterAll(() => world.node.close())

it('a block with evidence is read by height, by hash and in its segment, in the described form', async () => {
  const { ask } = world
  const evidence = [await network.against(guilty)]
  const { hash, block } = committedBlockSchema.parse(await (await ask('/v1/blocks/1')).json())
  expect(block).toMatchObject({ evidence, transactions: [] })
  expect(await (await ask(`/v1/blocks/${hash}`)).json()).toMatchObject({ block: { evidence } })
  const segment = segmentSchema.parse(await (await ask('/v1/blocks?from=1')).json())
  expect(segment.blocks).toMatchObject([{ evidence }])
})

it('the account says that it was expelled, and proves it', async () => {
  const { ask } = world
  const path = `/v1/accounts/${guilty.address}`
  expect(await (await ask(path)).json()).toMatchObject({ stake: '0', expelled: true })
  const proof = await (await ask(`${path}?proof=true`)).text()
  expect(await verifyProof(proof, { network: network.chain.network })).toMatchObject({ ok: true })
})

it('the validators of the block still name it, those of the next one do not', async () => {
  const { ask } = world
  const namesAt = async (query: string): Promise<boolean> =>
    (await (await ask(`/v1/validators${query}`)).text()).includes(guilty.address)
  expect(await namesAt('?height=1')).toBe(true)
  expect(await namesAt('')).toBe(false)
})

it('a bond of the expelled key is refused at the door, with the reason', async () => {
  const { ask } = world
  const signed = await network.transaction(guilty, [bond(5_000_000)], inAnHour())
  const response = await ask('/v1/transactions', jsonInit(signed.text))
  expect(response.status).toBe(422)
  expect(await response.json()).toMatchObject({ type: '/problems/operation-fails', reason: 'expelled' })
})
