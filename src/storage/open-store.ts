/** `--storage`: from a few letters to a store that is open. */
import { join, resolve } from 'node:path'
import memoryDriver from 'unstorage/drivers/memory'
import { TautlineError } from '../errors.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { fsDriver } from './fs-driver.ts'
import { openLevelDriver } from './level-driver.ts'
import { openUnstorageStore } from './unstorage-store.ts'

/** Each kind of storage has a place of its own in the data folder, so that changing the kind mixes nothing. */
const defaultPlaces = { level: 'ledger', fs: 'ledger-files' } as const

/**
 * Opens what `--storage` names: `level`, `level:PATH`, `memory`, `fs` or `fs:PATH`. A relative PATH starts at
 * the working directory; without one, the ledger lies in the data folder.
 *
 * @throws TautlineError `bad-configuration`, `folder-in-use`, `damaged-folder` or `storage-unavailable`
 */
export const openStore = async (spec: string, dataFolder: string): Promise<ObjectStore> => {
  const [, kind, path] = /^([a-z]+)(?::(.+))?$/s.exec(spec) ?? []
  switch (kind) {
    case 'level':
      return openUnstorageStore(await openLevelDriver(place(kind, path, dataFolder)), 'power-loss')
    case 'fs':
      return openUnstorageStore(fsDriver(place(kind, path, dataFolder)), 'process-crash')
    case 'memory':
      if (path === undefined) return openUnstorageStore(memoryDriver(), 'none')
  }
  throw new TautlineError(
    'bad-configuration',
    `--storage "${spec}" is unknown: expected level (the default), level:PATH, fs, fs:PATH or memory`,
    { storage: spec },
  )
}

const place = (kind: keyof typeof defaultPlaces, path: string | undefined, dataFolder: string): string =>
  path === undefined ? join(dataFolder, defaultPlaces[kind]) : resolve(path)
