import memoryDriver from 'unstorage/drivers/memory'
import { describe, expect, it } from 'vitest'
import { genesisSupply, networkOf } from '../../../src/ledger/genesis.ts'
import { Chain } from '../../../src/node/chain.ts'
import { foundNetwork } from '../../../src/node/found-network.ts'
import { genesisSchema } from '../../../src/objects/genesis.ts'
import { createNodeSigner } from '../../../src/runtime/node/keys.ts'
import { openUnstorageStore } from '../../../src/storage/unstorage-store.ts'
import type { Address } from '../../../src/units.ts'
import { genesisTime } from '../../faults/whole-node.ts'

const founders = (count: number): readonly Address[] =>
  Array.from({ length: count }, (_, at) => createNodeSigner(new Uint8Array(32).fill(at + 1)).address)

const found = (addresses: readonly Address[]) =>
  foundNetwork({ founders: addresses, name: 'friends', time: genesisTime })

describe('founders', () => {
  it('four share balance and stake equally, in any order that they are named in', () => {
    const genesis = found(founders(4))
    expect(genesisSchema.parse(genesis)).toEqual(genesis)
    expect(genesis.accounts.map(({ balance }) => balance)).toEqual(Array(4).fill('250000000000'))
    expect(genesis.validators.map(({ stake }) => stake)).toEqual(Array(4).fill('250000000'))
    expect(found(founders(4).toReversed())).toEqual(genesis)
  })

  it('three get no more than each other, whatever is left', () => {
    const genesis = found(founders(3))
    expect(new Set(genesis.validators.map(({ stake }) => stake))).toEqual(new Set(['333333333']))
    expect(genesisSupply(genesis)).toBe(3n * (333_333_333_333n + 333_333_333n))
  })

  it('none, one twice, and more than vote are refused', () => {
    expect(() => found([])).toThrow(/1 to 64 validators, not 0/)
    expect(() => found([...founders(2), ...founders(1)])).toThrow(/is named twice/)
    expect(() => found(founders(65))).toThrow(/not 65/)
  })
})

it('the id of a network is known from its genesis alone, as a chain will have it', async () => {
  const genesis = found(founders(64))
  const chain = await Chain.create(await openUnstorageStore(memoryDriver(), 'none'), genesis)
  expect(networkOf(genesis)).toBe(chain.network)
})
