/** A fault injector that injects nothing makes every sweep green, so it is tested too. */
import { describe, expect, test } from 'vitest'
import {
  describeFault,
  everyFault,
  type Fault,
  type FaultyDisk,
  faultyDisk,
  type Survivors,
} from '../../faults/faulty-driver.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

/** Six writes: two puts, a sync, a put over the first, a removal of the second, a put. */
const run = async (disk: FaultyDisk): Promise<void> => {
  const driver = disk.driver()
  await driver.setItemRaw!('a', bytes(1, 1, 1, 1), {})
  await driver.setItemRaw!('b', bytes(2, 2, 2, 2), {})
  await driver.sync!()
  await driver.setItemRaw!('a', bytes(3, 3, 3, 3), {})
  await driver.removeItem!('b', {})
  await driver.setItemRaw!('c', bytes(4, 4, 4, 4), {})
}

const survivorsOf = async (fault: Fault): Promise<Record<string, number[]>> => {
  const disk = faultyDisk({ fault })
  await expect(run(disk)).rejects.toMatchObject({ code: 'storage-unavailable' })
  return plain(disk.survivors())
}

const plain = ({ objects }: Survivors): Record<string, number[]> =>
  Object.fromEntries([...objects].map(([key, value]) => [key, [...value]]))

describe('faulty disk', () => {
  test('without a fault it counts every write and keeps all', async () => {
    const disk = faultyDisk()
    await run(disk)
    expect(disk.writes).toBe(6)
    expect(disk.isDead).toBe(false)
    expect(plain(disk.survivors())).toEqual({ a: [3, 3, 3, 3], c: [4, 4, 4, 4] })
  })

  test('a crash leaves everything before it, synced or not', async () => {
    expect(await survivorsOf({ kind: 'crash', atWrite: 2 })).toEqual({ a: [1, 1, 1, 1] })
    expect(await survivorsOf({ kind: 'crash', atWrite: 6 })).toEqual({ a: [3, 3, 3, 3] })
  })

  test('a torn put leaves its beginning in place of what was there', async () => {
    expect(await survivorsOf({ kind: 'tear', atWrite: 4 })).toEqual({ a: [3, 3], b: [2, 2, 2, 2] })
    expect(await survivorsOf({ kind: 'tear', atWrite: 6 })).toEqual({ a: [3, 3, 3, 3], c: [] })
    expect(await survivorsOf({ kind: 'tear', atWrite: 2 })).toEqual({ a: [1, 1, 1, 1], b: [2, 2, 2] })
  })

  test('a power failure takes all since the last sync, and brings back what was removed', async () => {
    expect(await survivorsOf({ kind: 'lose', atWrite: 3 })).toEqual({})
    expect(await survivorsOf({ kind: 'lose', atWrite: 6 })).toEqual({ a: [1, 1, 1, 1], b: [2, 2, 2, 2] })
  })

  test('reordered, the last write lands without those before it', async () => {
    expect(await survivorsOf({ kind: 'reorder', atWrite: 2 })).toEqual({ b: [2, 2, 2, 2] })
    expect(await survivorsOf({ kind: 'reorder', atWrite: 6 })).toEqual({
      a: [1, 1, 1, 1],
      b: [2, 2, 2, 2],
      c: [4, 4, 4, 4],
    })
  })

  test('once dead it stays dead, for reads, writes and sign records, and says so', async () => {
    const disk = faultyDisk({ fault: { kind: 'crash', atWrite: 1 } })
    const [driver, records] = [disk.driver(), disk.signRecords()]
    await expect(run(disk)).rejects.toThrow('crash at write 1')
    await disk.death
    expect(disk.isDead).toBe(true)
    await expect(driver.getItemRaw!('a', {})).rejects.toThrow('dead')
    await expect(driver.setItemRaw!('a', bytes(1), {})).rejects.toThrow('dead')
    await expect(driver.sync!()).rejects.toThrow('dead')
    await expect(records.read()).rejects.toThrow('dead')
    await expect(records.write(bytes(1))).rejects.toThrow('dead')
    expect(disk.writes).toBe(1)
  })

  test('a batch is there whole or not at all', async () => {
    for (const { kind, lands } of [
      { kind: 'crash', lands: false },
      { kind: 'tear', lands: false },
      { kind: 'lose', lands: false },
      { kind: 'reorder', lands: true },
    ] as const) {
      const disk = faultyDisk({ fault: { kind, atWrite: 2 } })
      const driver = disk.batchDriver()
      await driver.writeBatch!([['a', bytes(1)]], [])
      await expect(
        driver.writeBatch!(
          [
            ['b', bytes(2)],
            ['c', bytes(3)],
          ],
          ['a'],
        ),
      ).rejects.toThrow(kind)
      expect(plain(disk.survivors()), kind).toEqual(lands ? { b: [2], c: [3] } : { a: [1] })
    }
  })

  test('sign records share the count; a failed one leaves the record before', async () => {
    for (const { kind, record } of [
      { kind: 'crash', record: 2 },
      { kind: 'tear', record: 2 },
      { kind: 'lose', record: 2 },
      { kind: 'reorder', record: 3 },
    ] as const) {
      const disk = faultyDisk({ fault: { kind, atWrite: 4 } })
      await disk.driver().setItemRaw!('a', bytes(9), {})
      const records = disk.signRecords()
      await records.write(bytes(1))
      await records.write(bytes(2))
      await expect(records.write(bytes(3))).rejects.toThrow(kind)
      const after = faultyDisk({ survivors: disk.survivors() }).signRecords()
      expect(await after.read(), kind).toEqual(bytes(record))
      await after.write(bytes(4))
      expect(await after.read(), kind).toEqual(bytes(4))
      expect(disk.survivors().objects.has('a'), kind).toBe(kind === 'crash' || kind === 'tear')
    }
  })

  test('survivors are a copy, durable on the disk that is given them', async () => {
    const disk = faultyDisk()
    await run(disk)
    const survivors = disk.survivors()
    const next = faultyDisk({ survivors, fault: { kind: 'lose', atWrite: 1 } })
    survivors.objects.get('a')!.fill(0)
    await expect(next.driver().setItemRaw!('c', bytes(5), {})).rejects.toThrow('lose')
    expect(plain(next.survivors())).toEqual({ a: [3, 3, 3, 3], c: [4, 4, 4, 4] })
  })

  test('every kind of fault is tried at every write', () => {
    expect(everyFault(2).map(describeFault)).toEqual([
      'crash at write 1',
      'tear at write 1',
      'lose at write 1',
      'reorder at write 1',
      'crash at write 2',
      'tear at write 2',
      'lose at write 2',
      'reorder at write 2',
    ])
  })
})
