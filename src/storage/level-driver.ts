/**
 * The embedded default: LevelDB, through `classic-level` 3, which brings its binaries by npm.
 *
 * Chosen by measuring on two cores, each synced batch 24,000 random small entries and one of 3 MB. LevelDB
 * takes 457 thousand entries/s and stays there; LMDB takes 114 thousand and falls as it grows (random pages
 * of a B-tree), and its single durable put rises to 29 ms against LevelDB's 0.24 ms. LMDB reads faster (3 µs
 * against 7 µs, 26 µs when not blocking the event loop). LevelDB's own LOCK file moreover is a folder lock
 * that dies with its process.
 *
 * A batch is one record of its log, synced before it resolves: whole or not at all, after power failures
 * too, on file systems whose journal keeps names and data in order (ext4, XFS, btrfs, APFS, NTFS), since
 * LevelDB doesn't sync the folder for a new log. LevelDB 1.20, which classic-level 3.0 brings, has three
 * habits to know of (the one on macOS was only read at the source):
 *
 * - After a write that failed (a full disk) it goes on, behind a half-written record. Opening ends the log
 *   there, and what was acknowledged since is lost. So nothing is written here any more after a failure,
 *   until the database is opened anew.
 * - On macOS it uses `fsync`, which leaves data in the drive's cache. So the cache is flushed here.
 * - It doesn't notice every rotten bit. In a table it may come back as a wrong byte (classic-level has no
 *   switch for checksums on reading), and objects must prove themselves. In the log, what follows is
 *   dropped without a word: the ledger comes back whole but with an older head, which only a sign record
 *   beyond it gives away.
 *
 * @see https://github.com/google/leveldb/blob/main/doc/log_format.md
 */
import { type FileHandle, open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { decodeUtf8, encodeUtf8 } from '../codec/bytes.ts'
import { TautlineError } from '../errors.ts'
import type { ObjectDriver } from './driver.ts'
import { storageFailure } from './storage-failure.ts'

/**
 * Two write buffers may be held at once. Larger ones take no more entries/s, but lengthen opening after a crash
 * (8 MiB: 80 ms, 32 MiB: 320 ms). The cache is small, since what is read often is cached above as what it means.
 * Large files spare descriptors: LevelDB keeps at most a thousand open.
 */
const tuning = {
  writeBufferSize: 4 * 1024 * 1024,
  cacheSize: 4 * 1024 * 1024,
  maxFileSize: 8 * 1024 * 1024,
  compression: true,
} as const

type Level = ClassicLevel<string, Uint8Array>

/** @throws TautlineError `folder-in-use`, `damaged-folder`, `bad-configuration` or `storage-unavailable` */
export const openLevelDriver = async (path: string): Promise<ObjectDriver> => {
  await refuseWithoutCurrent(path)
  const level: Level = new ClassicLevel(path, { keyEncoding: 'utf8', valueEncoding: 'view', ...tuning })
  await level.open().catch((cause: unknown) => {
    throw openingFailure(path, cause)
  })
  const read = named(path)
  const anyFile = process.platform === 'darwin' ? await open(join(path, 'CURRENT')) : undefined
  const write = durableUntilFailure(anyFile)
  return {
    name: 'level',
    hasItem: (key) => level.has(key),
    getItem: async (key) => {
      const value = await read(level.get(key))
      return value === undefined ? null : decodeUtf8(value)
    },
    getItemRaw: async (key) => (await read(level.get(key))) ?? null,
    setItem: (key, value) => write(() => level.put(key, encodeUtf8(value), { sync: true })),
    setItemRaw: (key, value: Uint8Array) => write(() => level.put(key, value, { sync: true })),
    removeItem: (key) => write(() => level.del(key, { sync: true })),
    getKeys: (base) => (base ? level.keys({ gte: base, lt: `${base}\u{10ffff}` }) : level.keys()).all(),
    dispose: async () => {
      await level.close()
      await anyFile?.close()
    },
    readMany: async (keys) =>
      (await read(level.getMany([...keys]))).map((value) => value && plainBytes(value)),
    // Removing writes down that something is gone; what it was goes when its table is written anew.
    reclaim: (prefix) => read(level.compactRange(prefix, `${prefix}\u{10ffff}`)),
    writeBatch: (puts, removes) =>
      write(async () => {
        // A chained batch takes entries twice as fast as an array of operations, and copies each at once.
        const batch = level.batch()
        for (const [key, value] of puts) batch.put(key, value)
        for (const key of removes) batch.del(key)
        await read(batch.write({ sync: true }))
      }),
  }
}

/** LevelDB takes a folder that has lost this file for a new one, and removes the tables that it finds there. */
const refuseWithoutCurrent = async (path: string): Promise<void> => {
  const names = await readdir(path).catch((): string[] => []) // not there yet, or not a folder: LevelDB says what is wrong
  if (names.includes('CURRENT') || !names.some((name) => /^\d+\.(ldb|log)$/.test(name))) return
  throw new TautlineError(
    'damaged-folder',
    `${path} holds a ledger without its file CURRENT: restore a backup, or put the file back`,
    { path },
  )
}

/**
 * Runs writes until one of them fails, and refuses those after it.
 *
 * @param anyFile - on the drive whose cache to flush: Node's `sync` is F_FULLFSYNC on macOS, which flushes all
 */
const durableUntilFailure = (
  anyFile: FileHandle | undefined,
): ((run: () => Promise<void>) => Promise<void>) => {
  let failure: unknown
  return async (run) => {
    if (failure !== undefined) {
      const reason = failure instanceof Error ? failure.message : String(failure)
      throw new Error(`nothing is written any more since a write has failed (${reason})`, { cause: failure })
    }
    try {
      await run()
      await anyFile?.sync()
    } catch (cause) {
      failure = cause
      throw cause
    }
  }
}

/** The same bytes not as a Buffer, whose methods differ. */
const plainBytes = ({ buffer, byteOffset, length }: Uint8Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, length)

/** Names the folder when LevelDB finds it damaged while running. */
const named =
  (path: string) =>
  async <Value>(result: Promise<Value>): Promise<Value> => {
    try {
      return await result
    } catch (cause) {
      throw codeOf(cause) === 'LEVEL_CORRUPTION' ? damaged(path, cause) : cause
    }
  }

const openingFailure = (path: string, error: unknown): TautlineError => {
  // abstract-level wraps what the database said.
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  switch (codeOf(cause)) {
    case 'LEVEL_LOCKED':
      return new TautlineError(
        'folder-in-use',
        `the ledger in ${path} is in use by another process: stop that one first, or use another folder`,
        { path },
        cause,
      )
    case 'LEVEL_CORRUPTION':
      return damaged(path, cause)
    case 'EEXIST':
    case 'ENOTDIR':
      return new TautlineError(
        'bad-configuration',
        `the ledger can't lie in ${path}, where a file is in the way: expected a folder, or nothing yet`,
        { path },
        cause,
      )
    default:
      return storageFailure('open', cause)
  }
}

const damaged = (path: string, cause: unknown): TautlineError =>
  new TautlineError(
    'damaged-folder',
    `the ledger in ${path} is damaged (${cause instanceof Error ? cause.message : String(cause)}): ` +
      'restore it from a backup, or move it away and let the node sync anew',
    { path },
    cause,
  )

const codeOf = (cause: unknown): string =>
  cause instanceof Error && 'code' in cause ? String(cause.code) : ''
