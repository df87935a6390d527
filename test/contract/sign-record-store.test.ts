/** The SignRecordStore port, against the files of a data folder and the faulty disk without faults. */
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/codec/bytes.ts'
import type { SignRecordStore } from '../../src/ports/sign-record-store.ts'
import { openSignRecordFile, type SignRecordFile } from '../../src/runtime/node/sign-record-file.ts'
import { faultyDisk } from '../faults/faulty-driver.ts'

const bytes = (text: string): Uint8Array => encodeUtf8(text)
const patterned = (length: number): Uint8Array =>
  new Uint8Array(Buffer.alloc(length, 'a pattern that fits no power of two'))

/** Matchers take a second for what this takes a millisecond for. */
const isSame = (found: Uint8Array | undefined, expected: Uint8Array): boolean =>
  found !== undefined && Buffer.compare(found, expected) === 0

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tautline-signer-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

interface Adapter {
  readonly name: string
  /** Gives a function that ends the store and opens another on the same contents. */
  setUp(): () => Promise<SignRecordStore>
}

const adapters: readonly Adapter[] = [
  {
    name: 'files',
    setUp: () => {
      let open: SignRecordFile | undefined
      return async () => {
        await open?.close()
        open = await openSignRecordFile(folder)
        return open
      }
    },
  },
  {
    name: 'faulty disk without faults',
    setUp: () => {
      let disk = faultyDisk()
      return async () => {
        disk = faultyDisk({ survivors: disk.survivors() })
        return disk.signRecords()
      }
    },
  },
]

describe.each(adapters)('sign record store: $name', ({ setUp }) => {
  test('before the first record there is none', async () => {
    const reopen = setUp()
    expect(await (await reopen()).read()).toBeUndefined()
    expect(await (await reopen()).read()).toBeUndefined()
  })

  test('the record written last is read, at once and after each reopening, whatever its length', async () => {
    const reopen = setUp()
    let store = await reopen()
    for (const length of [1_000, 10, 0, 200_000, 5, 70_000, 3]) {
      await store.write(patterned(length))
      expect(isSame(await store.read(), patterned(length)), `${length} bytes`).toBe(true)
      store = await reopen()
      expect(isSame(await store.read(), patterned(length)), `${length} bytes`).toBe(true)
    }
  })

  test('records of 8 MiB follow each other', async () => {
    const reopen = setUp()
    const store = await reopen()
    for (const extra of [0, 1, 2]) await store.write(patterned(8 * 1024 * 1024 + extra))
    expect(isSame(await (await reopen()).read(), patterned(8 * 1024 * 1024 + 2))).toBe(true)
  })

  test('records given without waiting are written in their order', async () => {
    const reopen = setUp()
    const store = await reopen()
    await Promise.all(['one', 'two', 'three'].map((text) => store.write(bytes(text))))
    expect(await (await reopen()).read()).toEqual(bytes('three'))
  })

  test('a buffer changed after writing or reading changes nothing in the store', async () => {
    const store = await setUp()()
    const record = bytes('record')
    await store.write(record)
    record.fill(0)
    ;(await store.read())!.fill(0)
    expect(await store.read()).toEqual(bytes('record'))
  })
})

describe('sign record files', () => {
  const pathOf = (slot: 0 | 1): string => join(folder, 'signer', `record.${slot}`)
  const writeRecords = async (...texts: string[]): Promise<void> => {
    const store = await openSignRecordFile(folder)
    for (const text of texts) await store.write(bytes(text))
    await store.close()
  }
  const readRecord = async (): Promise<Uint8Array | undefined> => {
    const store = await openSignRecordFile(folder)
    const record = await store.read()
    await store.close()
    return record
  }
  /** What a write leaves that was cut off: the beginning is new, the rest as it was. */
  const tear = async (slot: 0 | 1): Promise<void> => {
    const whole = await readFile(pathOf(slot))
    whole.fill(0xaa, 20, 60)
    await writeFile(pathOf(slot), whole)
  }

  test('only the operator can read them', async () => {
    await writeRecords('one', 'two')
    expect((await stat(join(folder, 'signer'))).mode & 0o777).toBe(0o700)
    for (const slot of [0, 1] as const) expect((await stat(pathOf(slot))).mode & 0o777).toBe(0o600)
    expect(await readdir(join(folder, 'signer'))).toEqual(['record.0', 'record.1'])
  })

  test('a torn newest record leaves the one before, and the next write mends the slot', async () => {
    await writeRecords('one', 'two', 'three')
    await tear(1)
    expect(await readRecord()).toEqual(bytes('two'))
    await writeRecords('four')
    await tear(0)
    expect(await readRecord()).toEqual(bytes('four'))
  })

  test('a file cut short leaves the other record', async () => {
    await writeRecords('one', 'two')
    await truncate(pathOf(0), 30)
    expect(await readRecord()).toEqual(bytes('one'))
  })

  test('with no whole record left nothing is opened, so nothing is signed', async () => {
    await writeRecords('one', 'two')
    await tear(0)
    await tear(1)
    await expect(openSignRecordFile(folder)).rejects.toMatchObject({ code: 'damaged-folder' })
  })

  test('a single record that is damaged is not taken for none', async () => {
    await writeRecords('one')
    await tear(1)
    await expect(openSignRecordFile(folder)).rejects.toMatchObject({ code: 'damaged-folder' })
  })

  test('a leftover of the very first write is no record', async () => {
    await writeRecords()
    await writeFile(join(folder, 'signer', 'record.1.new'), 'half a rec')
    expect(await readRecord()).toBeUndefined()
    await writeRecords('one')
    expect(await readRecord()).toEqual(bytes('one'))
  })

  test('small records never change the size of a file', async () => {
    const store = await openSignRecordFile(folder)
    const sizes = async () =>
      Promise.all(([0, 1] as const).map(async (slot) => (await stat(pathOf(slot))).size))
    for (const length of [10, 20]) await store.write(patterned(length))
    const before = await sizes()
    for (const length of [5_000, 60_000, 1, 30_000]) await store.write(patterned(length))
    expect(await sizes()).toEqual(before)
    await store.close()
  })

  test('a closed store writes no more', async () => {
    const store = await openSignRecordFile(folder)
    await store.write(bytes('one'))
    await store.close()
    await expect(store.write(bytes('two'))).rejects.toMatchObject({ code: 'storage-unavailable' })
    expect(await readRecord()).toEqual(bytes('one'))
  })

  test('a folder that can’t be made is a failure that says so', async () => {
    await writeFile(join(folder, 'signer'), 'in the way')
    await expect(openSignRecordFile(folder)).rejects.toMatchObject({ code: 'storage-unavailable' })
  })
})
