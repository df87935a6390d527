/** In the page: IndexedDB drivers, called by name from the test. */
import { TautlineError } from '../../../src/errors.ts'
import type { ObjectDriver } from '../../../src/storage/driver.ts'
import { openIndexedDbDriver } from '../../../src/storage/indexed-db-driver.ts'
import { openUnstorageStore } from '../../../src/storage/unstorage-store.ts'

const drivers: ObjectDriver[] = []

const page = {
  open: async (name: string): Promise<{ id: number; durability: string }> => {
    const driver = await openIndexedDbDriver(name)
    return { id: drivers.push(driver) - 1, durability: driver.durability }
  },
  call: async (id: number, method: string, args: unknown[]): Promise<unknown> => {
    const driver = drivers[id] as unknown as Record<string, (...args: unknown[]) => unknown>
    return driver[method]!(...args)
  },
  /** What the store says when it is to take these. */
  refusalOf: async (name: string, value: Uint8Array) => {
    const store = await openUnstorageStore(await openIndexedDbDriver(name), 'power-loss')
    const error: unknown = await store
      .commit({ puts: [['c', value]], removes: [] }, value)
      .catch((error: unknown) => error)
    await store.close()
    return error instanceof TautlineError ? { code: error.code, message: error.message } : String(error)
  },
}
export type DriverPage = typeof page

Object.assign(globalThis, page)
