/**
 * A lock on a folder that dies with its process.
 *
 * Node can't lock files. LevelDB can, so a tiny LevelDB database is kept open for nothing but its LOCK file:
 * `fcntl` on Linux and macOS, `LockFile` on Windows. The kernel keeps that lock on the file itself, so it
 * also holds between containers that share the folder, and lets go when the process is gone, however it
 * ended. A file holding a process id would do neither.
 */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'

export interface FolderLock {
  release(): Promise<void>
}

/** @returns undefined when another process, or this one, holds it; rejects when the folder can't be written to */
export const lockFolder = async (path: string): Promise<FolderLock | undefined> => {
  const error = await openDatabase(path)
  if (!(error instanceof Error)) return error
  if (codeOf(error) === 'LEVEL_LOCKED') return undefined
  if (!maybeDamaged.has(codeOf(error))) throw error
  await removeContent(path).catch(() => Promise.reject(error))
  const again = await openDatabase(path)
  if (!(again instanceof Error)) return again
  if (codeOf(again) === 'LEVEL_LOCKED') return undefined
  throw again
}

/** What LevelDB says of its own files when they are no good; of one that names another which isn't there, the latter. */
const maybeDamaged = new Set(['LEVEL_CORRUPTION', 'LEVEL_IO_ERROR'])

const openDatabase = async (path: string): Promise<FolderLock | Error> => {
  const database = new ClassicLevel(path, { writeBufferSize: 64 * 1024, cacheSize: 64 * 1024 })
  try {
    await database.open()
    return { release: () => database.close() }
  } catch (error) {
    // abstract-level wraps what the database said.
    const cause = error instanceof Error ? (error.cause ?? error) : error
    return cause instanceof Error ? cause : new Error(String(cause))
  }
}

/**
 * The database holds nothing, so damage to it must not keep a node from starting. LOCK itself stays: a
 * process that has locked it meanwhile must keep the others out.
 */
const removeContent = async (path: string): Promise<void> => {
  const files = await readdir(path)
  for (const file of files.filter((name) => name !== 'LOCK')) await rm(join(path, file), { force: true })
}

const codeOf = (error: Error): string => ('code' in error ? String(error.code) : '')
