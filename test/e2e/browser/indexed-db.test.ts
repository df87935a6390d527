/** IndexedDB in real Chromium, behind the ObjectStore port: the driver runs in a page, the suite here calls it. */
import { randomBytes } from 'node:crypto'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../../src/codec/bytes.ts'
import type { ObjectDriver } from '../../../src/storage/driver.ts'
import { openUnstorageStore } from '../../../src/storage/unstorage-store.ts'
import { testObjectStore } from '../../contract/object-store-suite.ts'
import { temporaryFolder } from '../node-process.ts'
import { bundle, openChromium, pageWith, serveSite } from './chromium.ts'
import type { DriverPage } from './driver-page.ts'

const openPage = async (profile: string, origin: string): Promise<Page> => {
  const context = await openChromium(profile)
  const page = await context.newPage()
  await page.goto(origin)
  await page.waitForFunction('globalThis.open && globalThis.call')
  return page
}

const serveDrivers = async (): Promise<string> =>
  serveSite({
    '/': pageWith('/script.js'),
    '/script.js': await bundle('test/e2e/browser/driver-page.ts'),
  })

/** The driver in the page, as if it were here. */
const remoteDriver = async (page: Page, name: string): Promise<ObjectDriver> => {
  const { id } = await page.evaluate((name) => (globalThis as unknown as DriverPage).open(name), name)
  const call =
    (method: string) =>
    async (...args: unknown[]): Promise<never> =>
      (await page.evaluate(
        ({ id, method, args }) => (globalThis as unknown as DriverPage).call(id, method, args),
        { id, method, args: args.map(plain) },
      )) as never
  return {
    name: 'indexed-db',
    hasItem: call('hasItem'),
    getItem: call('getItem'),
    getItemRaw: call('getItemRaw'),
    setItem: call('setItem'),
    setItemRaw: call('setItemRaw'),
    removeItem: call('removeItem'),
    getKeys: call('getKeys'),
    dispose: call('dispose'),
    readMany: call('readMany'),
    writeBatch: call('writeBatch'),
  }
}

/** Buffers as what they are in a browser. */
const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return new Uint8Array(value)
  return Array.isArray(value) ? value.map(plain) : value
}

testObjectStore({
  name: 'IndexedDB in Chromium',
  durability: 'power-loss',
  setUp: () => {
    const page = Promise.all([temporaryFolder(), serveDrivers()]).then((where) => openPage(...where))
    return async () => remoteDriver(await page, 'ledger')
  },
})

describe('IndexedDB in Chromium', () => {
  test('it promises what it declares for as long as it knows strict transactions', async () => {
    const page = await openPage(await temporaryFolder(), await serveDrivers())
    expect(await page.evaluate(() => (globalThis as unknown as DriverPage).open('x'))).toMatchObject({
      durability: 'power-loss',
    })
  })

  test('what was committed is there after the browser was killed', async () => {
    const profile = await temporaryFolder()
    const origin = await serveDrivers()
    const first = await openPage(profile, origin)
    const store = await openUnstorageStore(await remoteDriver(first, 'ledger'), 'power-loss')
    for (let n = 1; n <= 20; n++)
      await store.commit(
        { puts: [[`block:${n}`, encodeUtf8(`block ${n}`)]], removes: [] },
        encodeUtf8(`${n}`),
      )
    await killBrowser(first)
    const again = await openUnstorageStore(
      await remoteDriver(await openPage(profile, origin), 'ledger'),
      'power-loss',
    )
    expect(await again.readHead()).toEqual(encodeUtf8('20'))
    expect(await again.get('block:20')).toEqual(encodeUtf8('block 20'))
  })

  test('without room left it says so, and keeps what it had', async () => {
    const origin = await serveDrivers()
    const page = await openPage(await temporaryFolder(), origin)
    const session = await page.context().newCDPSession(page)
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize: 1_000_000 })
    const store = await openUnstorageStore(await remoteDriver(page, 'ledger'), 'power-loss')
    await store.commit({ puts: [['a', encodeUtf8('1')]], removes: [] }, encodeUtf8('first'))
    const tooMuch = new Uint8Array(randomBytes(3_000_000)) // zeros would be packed
    const refusal = await page.evaluate(
      (bytes) => (globalThis as unknown as DriverPage).refusalOf('ledger', bytes),
      tooMuch,
    )
    expect(refusal).toEqual({
      code: 'storage-unavailable',
      message: expect.stringMatching(/the storage failed to write: .*; make room on the disk/),
    })
    expect(await store.readHead()).toEqual(encodeUtf8('first'))
    expect(await store.getMany(['a', 'c'])).toEqual([encodeUtf8('1'), undefined])
    await session.send('Storage.overrideQuotaForOrigin', { origin })
    await store.commit({ puts: [['b', encodeUtf8('2')]], removes: [] }, encodeUtf8('second'))
    expect(await store.readHead()).toEqual(encodeUtf8('second'))
  })
})

const killBrowser = async (page: Page): Promise<void> => {
  const session = await page.context().browser()!.newBrowserCDPSession()
  const closed = new Promise((resolve) => page.context().once('close', resolve))
  await session.send('Browser.crash').catch(() => undefined) // there is nobody left to answer
  await closed
}
