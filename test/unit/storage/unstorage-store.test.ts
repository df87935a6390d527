/** What the contract suite can't see from outside: the order of writes, and drivers that misbehave. */
import memoryDriver from 'unstorage/drivers/memory'
import { describe, expect, test } from 'vitest'
import { decodeUtf8, encodeUtf8 } from '../../../src/codec/bytes.ts'
import type { ObjectStore } from '../../../src/ports/object-store.ts'
import type { ObjectDriver } from '../../../src/storage/driver.ts'
import { openUnstorageStore } from '../../../src/storage/unstorage-store.ts'
import {
  describeFault,
  everyFault,
  type Fault,
  type FaultyDisk,
  faultyDisk,
} from '../../faults/faulty-driver.ts'

const bytes = (text: string): Uint8Array => encodeUtf8(text)
const open = (driver: ObjectDriver): Promise<ObjectStore> => openUnstorageStore(driver, 'none')

/** Block n names two objects of its own and the marker, and makes those of block n − 1 unnecessary. */
const commitBlock = (store: ObjectStore, n: number): Promise<void> =>
  store.commit(
    {
      puts: [
        [`left:${n}`, bytes(`left ${n}`)],
        [`right:${n}`, bytes(`right ${n}`)],
      ],
      removes: [`left:${n - 1}`, `right:${n - 1}`],
    },
    bytes(String(n)),
  )

/** @returns the blocks whose commit was acknowledged */
const commitBlocks = async (driver: ObjectDriver, count: number): Promise<number> => {
  let acknowledged = 0
  try {
    const store = await open(driver)
    for (let n = 1; n <= count; n++) {
      await commitBlock(store, n)
      acknowledged = n
    }
  } catch {
    // the fault has struck
  }
  return acknowledged
}

const checkSurvivors = async (
  disk: FaultyDisk,
  driverOf: (disk: FaultyDisk) => ObjectDriver,
  acknowledged: number,
) => {
  const store = await open(driverOf(faultyDisk({ survivors: disk.survivors() })))
  const head = await store.readHead()
  const height = head ? Number(decodeUtf8(head)) : 0
  expect(height).toBeGreaterThanOrEqual(acknowledged)
  expect(height).toBeLessThanOrEqual(acknowledged + 1)
  if (height > 0) {
    expect(await store.getMany([`left:${height}`, `right:${height}`])).toEqual([
      bytes(`left ${height}`),
      bytes(`right ${height}`),
    ])
  }
  await commitBlock(store, height + 1)
  expect(await store.readHead()).toEqual(bytes(String(height + 1)))
}

describe.each([
  { name: 'single writes and syncs', driverOf: (disk: FaultyDisk) => disk.driver(), writesEach: 7 },
  { name: 'atomic batches', driverOf: (disk: FaultyDisk) => disk.batchDriver(), writesEach: 1 },
])('three commits by $name', ({ driverOf, writesEach }) => {
  const blocks = 3

  test('take no more writes than they need', async () => {
    const disk = faultyDisk()
    await commitBlocks(driverOf(disk), blocks)
    // Two puts, sync, head, sync, two removals; or all of it in one.
    expect(disk.writes).toBe(blocks * writesEach)
  })

  test.each(everyFault(blocks * writesEach).map((fault): [string, Fault] => [describeFault(fault), fault]))(
    'lose nothing acknowledged: %s',
    async (_, fault) => {
      const disk = faultyDisk({ fault })
      const acknowledged = await commitBlocks(driverOf(disk), blocks)
      expect(disk.isDead).toBe(true)
      await checkSurvivors(disk, driverOf, acknowledged)
    },
  )
})

describe('a driver that misbehaves', () => {
  const noSpace = Object.assign(new Error('write failed'), { code: 'ENOSPC' })

  test('a full disk is a storage failure that says what to do, and the head before stands', async () => {
    let isFull = false
    const memory = memoryDriver()
    const driver: ObjectDriver = {
      ...memory,
      setItemRaw: (key, value) => {
        if (isFull) throw noSpace
        memory.setItemRaw!(key, value, {})
      },
    }
    const store = await open(driver)
    await commitBlock(store, 1)
    isFull = true
    await expect(commitBlock(store, 2)).rejects.toMatchObject({
      code: 'storage-unavailable',
      message: expect.stringContaining('make room'),
      details: { action: 'write', code: 'ENOSPC' },
      cause: noSpace,
    })
    expect(await store.readHead()).toEqual(bytes('1'))
    isFull = false
    await commitBlock(store, 2)
    expect(await store.readHead()).toEqual(bytes('2'))
  })

  test('heads torn one after the other spare the one before them', async () => {
    let isFailing = false
    const memory = memoryDriver()
    const store = await open({
      ...memory,
      setItemRaw: (key, value: Uint8Array) => {
        const isTorn = isFailing && key.startsWith('head:')
        memory.setItemRaw!(key, isTorn ? value.subarray(0, 20) : value, {})
        if (isTorn) throw noSpace
      },
    })
    await commitBlock(store, 1)
    isFailing = true
    for (let attempt = 0; attempt < 3; attempt++) {
      await expect(commitBlock(store, 2)).rejects.toMatchObject({ code: 'storage-unavailable' })
      expect(await store.readHead()).toEqual(bytes('1'))
    }
  })

  test('an error that is returned as a value is not taken for bytes', async () => {
    const store = await open({ ...memoryDriver(), getItemRaw: (key) => (key === 'a' ? noSpace : null) })
    await expect(store.get('a')).rejects.toMatchObject({ code: 'storage-unavailable', cause: noSpace })
    await expect(store.getMany(['b', 'a'])).rejects.toMatchObject({
      code: 'storage-unavailable',
      cause: noSpace,
    })
  })

  test('anything but bytes is refused', async () => {
    for (const value of ['text', 7, { a: 1 }]) {
      const store = await open({ ...memoryDriver(), getItemRaw: (key) => (key === 'a' ? value : null) })
      await expect(store.get('a')).rejects.toMatchObject({ code: 'storage-unavailable' })
    }
  })

  test('a driver whose store can’t be opened is disposed of', async () => {
    let isDisposed = false
    const driver: ObjectDriver = {
      ...memoryDriver(),
      getItemRaw: () => Promise.reject(noSpace),
      dispose: () => {
        isDisposed = true
      },
    }
    await expect(open(driver)).rejects.toMatchObject({ code: 'storage-unavailable' })
    expect(isDisposed).toBe(true)
  })

  test('after a failure nothing of a commit is still being written', async () => {
    let running = 0
    const memory = memoryDriver()
    const driver: ObjectDriver = {
      ...memory,
      setItemRaw: async (key, value) => {
        running++
        for (let turn = 0; turn < (key === 'object:3' ? 1 : 5); turn++) await Promise.resolve()
        running--
        if (key === 'object:3') throw noSpace
        memory.setItemRaw!(key, value, {})
      },
    }
    const store = await open(driver)
    const puts = Array.from({ length: 100 }, (_, at): [string, Uint8Array] => [`object:${at}`, bytes('x')])
    await expect(store.commit({ puts, removes: [] }, bytes('head'))).rejects.toMatchObject({
      code: 'storage-unavailable',
    })
    expect(running).toBe(0)
    expect(
      (await store.getMany(puts.map(([key]) => key))).filter((value) => value !== undefined).length,
    ).toBeLessThan(99)
  })

  test('two commits at once are a bug', async () => {
    const store = await open(memoryDriver())
    const first = commitBlock(store, 1)
    await expect(commitBlock(store, 2)).rejects.toThrow('one commit at a time')
    await first
    expect(await store.readHead()).toEqual(bytes('1'))
  })
})
