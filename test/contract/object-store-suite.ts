/** What every storage must do behind the ObjectStore port. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/codec/bytes.ts'
import type { Changes, Durability, ObjectKey, ObjectStore } from '../../src/ports/object-store.ts'
import type { ObjectDriver } from '../../src/storage/driver.ts'
import { openUnstorageStore } from '../../src/storage/unstorage-store.ts'

export interface Adapter {
  readonly name: string
  readonly durability: Durability
  /** Gives a function that opens a driver on the same contents each time. */
  setUp(folder: string): () => Promise<ObjectDriver>
}

const bytes = (text: string): Uint8Array => encodeUtf8(text)
const everyByte = Uint8Array.from({ length: 256 }, (_, at) => at)
const puts = (...entries: [ObjectKey, Uint8Array][]): Changes => ({ puts: entries, removes: [] })
const nothing: Changes = { puts: [], removes: [] }

export const testObjectStore = ({ name, durability, setUp }: Adapter): void => {
  describe(`object store: ${name}`, () => {
    let folder: string
    let openDriver: () => Promise<ObjectDriver>
    let store: ObjectStore

    const open = async (): Promise<ObjectStore> => openUnstorageStore(await openDriver(), durability)
    const reopen = async (): Promise<void> => {
      await store.close()
      store = await open()
    }
    const tamper = async (change: (driver: ObjectDriver) => Promise<unknown>): Promise<void> => {
      await store.close()
      const driver = await openDriver()
      await change(driver)
      await driver.dispose?.()
    }

    beforeEach(async () => {
      folder = await mkdtemp(join(tmpdir(), 'tautline-objects-'))
      openDriver = setUp(folder)
      store = await open()
    })

    afterEach(async () => {
      await store.close()
      await rm(folder, { recursive: true })
    })

    test('an empty store has no head and no objects', async () => {
      expect(await store.readHead()).toBeUndefined()
      expect(await store.get('block:1')).toBeUndefined()
      expect(await store.getMany(['a', 'b:c'])).toEqual([undefined, undefined])
    })

    test('bytes come back as they were given, whatever they look like', async () => {
      const values: Record<string, Uint8Array> = {
        every: everyByte,
        none: new Uint8Array(),
        object: bytes('{"__proto__":{"a":1}}'),
        number: bytes('123'),
        truth: bytes('true'),
        nothing: bytes('null'),
        quoted: bytes('"text"'),
        base64: bytes('base64:AAAA'),
        broken: Uint8Array.of(0xff, 0xfe, 0x00, 0xc0),
      }
      await store.commit(puts(...Object.entries(values)), bytes('123'))
      await reopen()
      for (const [key, value] of Object.entries(values)) expect(await store.get(key), key).toEqual(value)
      expect(await store.getMany(Object.keys(values))).toEqual(Object.values(values))
      expect(await store.readHead()).toEqual(bytes('123'))
    })

    test('an object of 5 MiB comes back whole', async () => {
      const big = Buffer.alloc(5 * 1024 * 1024, 'a pattern that fits no power of two')
      await store.commit(puts(['big', big]), bytes('head'))
      await reopen()
      const found = await store.get('big')
      expect(found?.length).toBe(big.length)
      expect(Buffer.compare(found!, big)).toBe(0)
    })

    test('a buffer changed after a commit, or after a read, changes nothing in the store', async () => {
      const value = bytes('value')
      const head = bytes('head')
      await store.commit(puts(['a', value]), head)
      value.fill(0)
      head.fill(0)
      const seen = [await store.get('a'), (await store.getMany(['a']))[0], await store.readHead()]
      for (const copy of seen) {
        expect(copy?.length).toBeGreaterThan(0)
        copy!.fill(0)
      }
      expect(await store.get('a')).toEqual(bytes('value'))
      expect(await store.getMany(['a'])).toEqual([bytes('value')])
      expect(await store.readHead()).toEqual(bytes('head'))
    })

    test('many keys are answered in the order asked for, the missing and the repeated included', async () => {
      const keys = Array.from({ length: 100 }, (_, at) => `page:${at}`)
      await store.commit(puts(...keys.map((key): [string, Uint8Array] => [key, bytes(key)])), bytes('head'))
      const asked = ['page:missing', ...keys.toReversed(), 'page:7', 'page:7']
      const expected = asked.map((key) => (key === 'page:missing' ? undefined : bytes(key)))
      expect(await store.getMany(asked)).toEqual(expected)
      expect(await store.getMany([])).toEqual([])
    })

    test('an object may have the name of a group of others', async () => {
      await store.commit(
        puts(['a:b', bytes('group')], ['a', bytes('outer')], ['a:b:c', bytes('inner')]),
        bytes('head'),
      )
      await reopen()
      expect(await store.getMany(['a', 'a:b', 'a:b:c'])).toEqual([
        bytes('outer'),
        bytes('group'),
        bytes('inner'),
      ])
    })

    test('removed objects are gone and the others stay, after reopening too', async () => {
      await store.commit(puts(['a', bytes('1')], ['b', bytes('2')], ['c', bytes('3')]), bytes('one'))
      await store.commit({ puts: [['d', bytes('4')]], removes: ['a', 'c', 'never'] }, bytes('two'))
      await reopen()
      expect(await store.getMany(['a', 'b', 'c', 'd'])).toEqual([
        undefined,
        bytes('2'),
        undefined,
        bytes('4'),
      ])
    })

    test('leftovers of a commit that didn’t happen are written over, by shorter ones too', async () => {
      await tamper(async (driver) => driver.setItemRaw!('block:1', bytes('a long leftover'), {}))
      store = await open()
      expect(await store.readHead()).toBeUndefined()
      await store.commit(puts(['block:1', bytes('short')]), bytes('head'))
      await reopen()
      expect(await store.get('block:1')).toEqual(bytes('short'))
    })

    test('the head is the one committed last, after every reopening', async () => {
      for (const head of ['one', 'two', 'three', 'four', 'five']) {
        await store.commit(nothing, bytes(head))
        expect(await store.readHead()).toEqual(bytes(head))
        await reopen()
        expect(await store.readHead()).toEqual(bytes(head))
      }
    })

    test.each([1, 2, 3, 4])(
      'a torn head slot falls back to the head before, after %i commits',
      async (commits) => {
        for (let n = 1; n <= commits; n++) await store.commit(nothing, bytes(`head ${n}`))
        await tamper((driver) => tear(driver, `head:${commits % 2}`))
        store = await open()
        expect(await store.readHead()).toEqual(commits === 1 ? undefined : bytes(`head ${commits - 1}`))
        await store.commit(nothing, bytes('next'))
        await reopen()
        expect(await store.readHead()).toEqual(bytes('next'))
      },
    )

    test('with both head slots damaged the store is not opened as if it were empty', async () => {
      for (const head of ['one', 'two']) await store.commit(nothing, bytes(head))
      await tamper(async (driver) => {
        await tear(driver, 'head:0')
        await tear(driver, 'head:1')
      })
      await expect(open()).rejects.toMatchObject({ code: 'damaged-folder' })
    })

    test('keys of 200 characters are kept apart; longer ones and foreign characters are a bug', async () => {
      const long = (last: string): string => `${'a'.repeat(63)}:${'b'.repeat(63)}:${'c'.repeat(71)}${last}`
      expect(long('1').length).toBe(200)
      await store.commit(puts([long('1'), bytes('1')], [long('2'), bytes('2')]), bytes('head'))
      expect(await store.getMany([long('1'), long('2')])).toEqual([bytes('1'), bytes('2')])
      for (const key of [`${long('1')}x`, 'A', 'a/b', 'a?b', 'a::b', ':a', 'a:', '', '..', 'head:0']) {
        await expect(store.get(key), key).rejects.toThrow('broken invariant')
        await expect(store.commit(puts([key, bytes('x')]), bytes('bad')), key).rejects.toThrow(
          'broken invariant',
        )
      }
      expect(await store.readHead()).toEqual(bytes('head'))
    })

    test('a closed store rejects everything, and closing again is harmless', async () => {
      await store.commit(puts(['a', bytes('1')]), bytes('head'))
      await Promise.all([store.close(), store.close()])
      const closed = { code: 'storage-unavailable' }
      await expect(store.get('a')).rejects.toMatchObject(closed)
      await expect(store.getMany(['a'])).rejects.toMatchObject(closed)
      await expect(store.readHead()).rejects.toMatchObject(closed)
      await expect(store.commit(nothing, bytes('x'))).rejects.toMatchObject(closed)
    })

    test('closing waits for the commit under way', async () => {
      const commit = store.commit(puts(['a', bytes('1')]), bytes('head'))
      await store.close()
      await commit
      store = await open()
      expect(await store.get('a')).toEqual(bytes('1'))
      expect(await store.readHead()).toEqual(bytes('head'))
    })

    test('it says what it promises', () => {
      expect(store.durability).toBe(durability)
    })
  })
}

const tear = async (driver: ObjectDriver, key: string): Promise<void> => {
  const whole = (await driver.getItemRaw!(key, {})) as Uint8Array
  await driver.setItemRaw!(key, new Uint8Array(whole.subarray(0, whole.length - 2)), {})
}
