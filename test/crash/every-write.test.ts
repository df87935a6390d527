import { beforeAll, describe, expect, it } from 'vitest'
import type { FinalTransaction } from '../../src/node/service.ts'
import type { Operation } from '../../src/objects/operation.ts'
import type { Verifier } from '../../src/ports/keys.ts'
import { createNodeVerifier } from '../../src/runtime/node/keys.ts'
import type { Amount } from '../../src/units.ts'
import { describeFault, everyFault, type FaultyDisk, faultyDisk } from '../faults/faulty-driver.ts'
import { addressOf, checkLedger, pay, Released, silentLog, spendOn, startOn } from '../faults/whole-node.ts'

const alice = addressOf(11)
const units = (amount: number): Amount => String(amount) as Amount

/** Ten blocks with something of everything in them. */
const blocks: readonly (readonly Operation[])[] = [
  [pay(alice, 100)],
  [{ type: 'anchor', data: 'a receipt' }],
  [{ type: 'stake.bond', amount: units(5_000_000) }],
  [pay(alice, 1), pay(addressOf(12), 2), pay(addressOf(13), 3)],
  [{ type: 'stake.unbond', amount: units(1_000_000) }],
  [pay(alice, 7)],
  [{ type: 'stake.unbond', amount: units(2_000_000) }, pay(alice, 9)],
  [pay(alice, 8)],
  [{ type: 'anchor', data: 'another' }],
  [pay(addressOf(12), 10)],
]

/** Beside a store that promises less than the sign record does, the record is written with every block. */
const stores = {
  'single writes and syncs': (disk: FaultyDisk) => ({ driver: disk.driver(), durability: 'power-loss' }),
  'atomic batches': (disk: FaultyDisk) => ({ driver: disk.batchDriver(), durability: 'power-loss' }),
  'single writes beside the sign record': (disk: FaultyDisk) => ({
    driver: disk.driver(),
    durability: 'process-crash',
  }),
  'atomic batches beside the sign record': (disk: FaultyDisk) => ({
    driver: disk.batchDriver(),
    durability: 'process-crash',
  }),
} as const satisfies Record<string, (disk: FaultyDisk) => Parameters<typeof startOn>[1]>

let verifier: Verifier
beforeAll(async () => {
  verifier = await createNodeVerifier(silentLog)
})

/** Runs the blocks until the disk dies; what was acknowledged until then. */
const run = async (
  disk: FaultyDisk,
  open: (disk: FaultyDisk) => Parameters<typeof startOn>[1],
  released: Released,
) => {
  const acknowledged: FinalTransaction[] = []
  const halts: unknown[] = []
  try {
    const started = await startOn(disk, open(disk), verifier, released, (error) => halts.push(error))
    for (const operations of blocks) {
      const final = await spendOn(disk, started, operations)
      if (!final) break
      acknowledged.push(final)
    }
    await started.node.close().catch(() => undefined)
  } catch (error) {
    if (!disk.isDead) throw error
  }
  expect(halts).toEqual([])
  return acknowledged
}

describe.each(Object.entries(stores))('a ten-block run over %s', (_, open) => {
  it('survives every fault at every single write', async () => {
    const whole = faultyDisk()
    expect(await run(whole, open, new Released())).toHaveLength(blocks.length)
    expect(whole.writes).toBeGreaterThan(blocks.length)

    for (const fault of everyFault(whole.writes)) {
      const released = new Released()
      const disk = faultyDisk({ fault })
      const acknowledged = await run(disk, open, released)
      expect(disk.isDead, describeFault(fault)).toBe(true)

      const survivor = faultyDisk({ survivors: disk.survivors() })
      const restarted = await startOn(survivor, open(survivor), verifier, released, (error) => {
        throw error
      })
      const next = await spendOn(survivor, restarted, [pay(alice, 42)])
      await checkLedger(restarted, verifier, [...acknowledged, next!]).catch((error: unknown) => {
        throw new Error(describeFault(fault), { cause: error })
      })
      await restarted.node.close()
    }
  })
})
