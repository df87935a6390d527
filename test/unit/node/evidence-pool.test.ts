import { describe, expect, it } from 'vitest'
import { EvidencePool } from '../../../src/node/evidence-pool.ts'
import { evidenceText } from '../../../src/objects/evidence.ts'
import type { Signer } from '../../../src/ports/keys.ts'
import { bond, unbond } from '../ledger/small-ledger.ts'
import { signers, smallNetwork } from './small-network.ts'

const [first, second, third, last] = signers as readonly [Signer, Signer, Signer, Signer]
const period = 21 * 24 * 60 * 60 * 1_000

/** A pool over a chain of so many validators, told of every block. */
const pooled = async (count?: number) => {
  const network = await smallNetwork(count)
  const pool = new EvidencePool(network.chain)
  const block: typeof network.block = async (contents) => {
    const candidate = await network.block(contents)
    pool.committed(candidate)
    return candidate
  }
  return { ...network, block, pool }
}

describe('evidence against a validator', () => {
  it('is offered, in the order of a block, until the ledger has it', async () => {
    const { pool, block, against } = await pooled()
    expect(pool.hasIncludable).toBe(false)
    for (const signer of [third, first]) expect(await pool.add(await against(signer))).toBe(true)
    expect(pool.hasIncludable).toBe(true)
    const selected = pool.select()
    const texts = selected.map(evidenceText)
    expect(texts).toEqual([...texts].sort())
    const { execution } = await block({ evidence: selected })
    expect(execution.evidence).toEqual(selected)
    expect(pool.hasIncludable).toBe(false)
    expect(pool.select()).toEqual([])
  })

  it('stays when a block comes without it', async () => {
    const { pool, block, against, transaction } = await pooled()
    await pool.add(await against(second))
    await block({ transactions: [await transaction(second, [unbond(100_000_000)])] })
    expect(pool.select()).toEqual([await against(second)])
  })

  it('is one piece for each, the first', async () => {
    const { pool, against } = await pooled()
    expect(await pool.add(await against(second))).toBe(true)
    expect(await pool.add(await against(second, 1))).toBe(false)
    expect(pool.select()).toEqual([await against(second)])
  })

  it('goes when other evidence against it is committed, and comes no more', async () => {
    const { pool, block, against } = await pooled()
    await pool.add(await against(second))
    await block({ evidence: [await against(second, 1)] })
    expect(pool.select()).toEqual([])
    expect(await pool.add(await against(second))).toBe(false)
  })

  it('that has unbonded is offered until its stake is back', async () => {
    const { pool, block, against, transaction } = await pooled()
    await block({ transactions: [await transaction(last, [unbond(250_000_000)])] })
    expect(await pool.add(await against(last))).toBe(true)
    await block({ afterMs: period - 1 })
    expect(pool.select()).toHaveLength(1)
    await block({ afterMs: 1 })
    expect(pool.select()).toEqual([])
    expect(await pool.add(await against(last))).toBe(false)
  })

  it('that never had stake is not kept', async () => {
    const { pool, against } = await pooled(2)
    expect(await pool.add(await against(last))).toBe(false)
  })

  it('the only one, waits for another', async () => {
    const { pool, block, against, transaction } = await pooled(1)
    expect(await pool.add(await against(first))).toBe(true)
    expect(pool.hasIncludable).toBe(false)
    await block({ transactions: [await transaction(second, [bond(5_000_000)])] })
    expect(pool.hasIncludable).toBe(true)
    const { execution } = await block({ evidence: pool.select() })
    expect(execution.evidence).toHaveLength(1)
    expect(execution.validators.map(({ address }) => address)).toEqual([second.address])
  })

  it('and all others leaves one of them to wait', async () => {
    const { pool, block, against } = await pooled(2)
    for (const signer of [first, second]) await pool.add(await against(signer))
    const { execution } = await block({ evidence: pool.select() })
    expect(execution.evidence).toHaveLength(1)
    expect(pool.hasIncludable).toBe(false)
  })
})
