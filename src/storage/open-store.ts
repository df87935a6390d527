/** `--storage`: from a few letters to a store that is open. */
import { join, resolve } from 'node:path'
import memoryDriver from 'unstorage/drivers/memory'
import { TautlineError } from '../errors.ts'
import type { ObjectStore, SharedStore } from '../ports/object-store.ts'
import type { OpenedDriver } from './driver.ts'
import { fsDriver } from './fs-driver.ts'
import type { LeaseHolder } from './lease.ts'
import { openLevelDriver } from './level-driver.ts'
import { parseServerAddress } from './server-address.ts'
import { openSharedStore, openUnstorageStore } from './unstorage-store.ts'

/** Each kind of storage has a place of its own in the data folder, so that changing the kind mixes nothing. */
const defaultPlaces = { level: 'ledger', fs: 'ledger-files' } as const

/**
 * Opens what `--storage` names: `level`, `level:PATH`, `memory`, `fs`, `fs:PATH`, `redis://…` or `postgres://…`. A
 * relative PATH starts at the working directory; without one, the ledger lies in the data folder.
 *
 * @param holder - of the lease that a server gives to one writer; a command is told by its next write
 * @throws TautlineError `bad-configuration`, `folder-in-use`, `damaged-folder` or `storage-unavailable`
 */
export const openStore = async (
  spec: string,
  dataFolder: string,
  holder = passingHolder,
): Promise<ObjectStore> => {
  const { driver, durability } = (await openServer(spec, holder)) ?? (await openEmbedded(spec, dataFolder))
  return openUnstorageStore(driver, durability)
}

/**
 * Opens for reading what another process writes: `redis://…` or `postgres://…`.
 *
 * @throws TautlineError as {@link openStore} does
 */
export const openStoreForReading = async (spec: string): Promise<SharedStore> => {
  const server = await openServer(spec, undefined)
  if (server) return openSharedStore(server.driver, server.durability)
  throw new TautlineError(
    'bad-configuration',
    `--storage "${spec}" can't be read while another process writes it: expected redis://… or postgres://…`,
  )
}

/** A command that works on a ledger for a while. */
const passingHolder: LeaseHolder = {
  writer: () => ({ name: 'a command of tautline' }),
  onLost: () => undefined,
}

/** The passwords in a URL are nobody else's business. */
const withoutCredentials = (spec: string): string => spec.replace(/\/\/[^/]*@/, '//')

/** The driver alone, of a server. */
export const openServerDriver = async (spec: string): Promise<OpenedDriver> =>
  (await openServer(spec, passingHolder)) ?? refuseKind(spec)

const openServer = async (
  spec: string,
  holder: LeaseHolder | undefined,
): Promise<OpenedDriver | undefined> => {
  switch (/^([a-z]+):\/\//.exec(spec)?.[1]) {
    case 'redis':
    case 'rediss':
      return (await import('./redis-driver.ts')).openRedisDriver(parseServerAddress(spec), holder)
    case 'postgres':
    case 'postgresql':
      return (await import('./postgres-driver.ts')).openPostgresDriver(parseServerAddress(spec), holder)
  }
  return undefined
}

const openEmbedded = async (spec: string, dataFolder: string): Promise<OpenedDriver> => {
  const [, kind, path] = /^([a-z]+)(?::(.+))?$/s.exec(spec) ?? []
  switch (kind) {
    case 'level':
      return { driver: await openLevelDriver(place(kind, path, dataFolder)), durability: 'power-loss' }
    case 'fs':
      return { driver: fsDriver(place(kind, path, dataFolder)), durability: 'process-crash' }
    case 'memory':
      if (path === undefined) return { driver: memoryDriver(), durability: 'none' }
  }
  return refuseKind(spec)
}

const refuseKind = (spec: string): never => {
  throw new TautlineError(
    'bad-configuration',
    `--storage "${withoutCredentials(spec)}" is unknown: expected level (the default), level:PATH, fs, fs:PATH, memory, ` +
      'redis://HOST:PORT or postgres://HOST/DATABASE',
    { storage: withoutCredentials(spec) },
  )
}

const place = (kind: keyof typeof defaultPlaces, path: string | undefined, dataFolder: string): string =>
  path === undefined ? join(dataFolder, defaultPlaces[kind]) : resolve(path)
