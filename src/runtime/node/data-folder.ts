/**
 * The data folder: what a node owns beside its ledger, and the lock that keeps a second process out.
 *
 * | name | mode | |
 * |---|---|---|
 * | `node.key` | 0600 | seed of the node's key, hex |
 * | `operator.token` | 0600 | what operator routes ask for |
 * | `genesis.json` | 0644 | the genesis that an empty ledger begins with, in canonical form |
 * | `config.json` | 0644 | how the node starts without flags (`folder-config.ts`) |
 * | `node.json` | 0644 | where the running node listens, for the command line |
 * | `peers.json` | 0644 | address cards of peers that were linked lately, one a line |
 * | `signer/` | 0700 | the sign record (`sign-record-file.ts`) |
 * | `lock/` | | the lock (`folder-lock.ts`) |
 * | `ledger/`, `ledger-files/` | | the ledger, unless `--storage` puts it elsewhere |
 *
 * Secrets that group or others may read are warned about and closed to them, not refused: the mode is often
 * an accident of copying, and a mounted secret can't be changed at all.
 */
import { chmod, mkdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { TautlineError } from '../../errors.ts'
import type { Log } from '../../ports/log.ts'
import { syncFolder, writeFileDurably } from './durable-file.ts'
import { lockFolder } from './folder-lock.ts'

const modes = {
  'node.key': 0o600,
  'operator.token': 0o600,
  'genesis.json': 0o644,
  'config.json': 0o644,
  'node.json': 0o644,
  'peers.json': 0o644,
} as const

export type DataFileName = keyof typeof modes

export interface DataFolder {
  /** Absolute. */
  readonly path: string
  /** The whole text of a file; undefined when there is none. */
  readFile(name: DataFileName): Promise<string | undefined>
  /** Resolves once the text is durable. A crash leaves the whole text before or the whole text after. */
  writeFile(name: DataFileName, text: string): Promise<void>
  /** Lets another process have the folder. */
  close(): Promise<void>
}

/**
 * Makes the folder when there is none, and locks it until it is closed or the process ends.
 *
 * @param log - is told about secrets that others could read
 * @throws TautlineError `folder-in-use`, or `bad-configuration` when the folder can't be used
 */
export const openDataFolder = async (path: string, log?: Pick<Log, 'warn'>): Promise<DataFolder> => {
  const absolute = resolve(path)
  const lock = await usable(absolute, async () => {
    await makeFolder(absolute)
    return lockFolder(join(absolute, 'lock'))
  })
  if (lock === undefined) {
    throw new TautlineError(
      'folder-in-use',
      `the data folder ${absolute} is in use by another process: stop that one first, or give this one a folder of its own with --data`,
      { path: absolute },
    )
  }
  return {
    path: absolute,
    readFile: async (name) => {
      await usable(absolute, () => closeToOthers(join(absolute, name), modes[name], log))
      return readDataFile(absolute, name)
    },
    writeFile: (name, text) =>
      usable(absolute, () => writeFileDurably(join(absolute, name), text, modes[name])),
    close: () => lock.release(),
  }
}

/** Level by level, since Node 20 never comes back from making folders below one that takes none, such as /proc. */
export const makeFolder = async (path: string): Promise<void> => {
  const error = await mkdir(path, { mode: 0o700 }).then(
    () => undefined,
    (cause: NodeJS.ErrnoException) => cause,
  )
  if (error === undefined) return syncFolder(dirname(path))
  if (error.code === 'ENOENT' && !(await exists(dirname(path)))) {
    await makeFolder(dirname(path))
    return makeFolder(path)
  }
  if (error.code !== 'EEXIST' || !(await stat(path)).isDirectory()) throw error
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

/** Reads a file of a data folder that a running node may have locked. */
export const readDataFile = (path: string, name: DataFileName): Promise<string | undefined> =>
  usable(path, () => readFile(join(path, name), 'utf8').catch(undefinedWhenMissing))

/** File modes mean nothing on Windows, where the folder's access list decides. */
const closeToOthers = async (
  path: string,
  mode: number,
  log: Pick<Log, 'warn'> | undefined,
): Promise<void> => {
  if (mode !== 0o600 || process.platform === 'win32') return
  const found = await stat(path).catch(undefinedWhenMissing)
  if (found === undefined || (found.mode & 0o077) === 0) return
  const closed = await chmod(path, mode).then(
    () => true,
    () => false,
  )
  log?.warn(
    closed
      ? `${path} could be read by other users and is now closed to them: replace the secret if any of them isn't trusted`
      : `${path} can be read by other users, and its mode can't be changed: expected 0600`,
    { path },
  )
}

const undefinedWhenMissing = (cause: unknown): undefined => {
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
  throw cause
}

const usable = async <Value>(path: string, run: () => Promise<Value>): Promise<Value> => {
  try {
    return await run()
  } catch (cause) {
    throw new TautlineError(
      'bad-configuration',
      `the data folder ${path} can't be used (${cause instanceof Error ? cause.message : String(cause)}): ` +
        'expected a folder that this user may read and write, on a disk with room; choose another with --data',
      { path },
      cause,
    )
  }
}
