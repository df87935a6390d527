/**
 * The sign record in two files of the data folder that take turns (`codec/slot.ts`).
 *
 * A vote waits for this, so a write costs one `fdatasync` that has no metadata to sync: a file is made larger
 * than its record, filled with zeros, and then written over in place. It grows, never shrinks, and the slot
 * knows its own length. Writing and reading back go to the page cache and take microseconds for a small
 * record; by way of the thread pool they would add a third to the time of the whole write.
 *
 * A file appears by renaming, so only a file that was whole before is ever torn, and then the other one is
 * whole. When no slot is whole the disk or somebody has damaged them, and nothing is signed any more.
 */
import { createHash } from 'node:crypto'
import { closeSync, fdatasync, fstatSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Digest, decodeSlot, encodeSlot, newestSlot, type Slot, slotIndex } from '../../codec/slot.ts'
import { assert, TautlineError } from '../../errors.ts'
import type { SignRecordStore } from '../../ports/sign-record-store.ts'
import { syncFolder, writeFileDurably } from './durable-file.ts'

/** Twice what a block of 4 MiB and its polka take. */
export const maxSignRecordBytes = 16 * 1024 * 1024

const minFileBytes = 64 * 1024
const syncData = promisify(fdatasync)
const digest: Digest = (bytes) => createHash('sha256').update(bytes).digest()

export interface SignRecordFile extends SignRecordStore {
  close(): Promise<void>
}

/**
 * Opens the sign record of a data folder, which must be locked; the first write makes the files.
 *
 * @throws TautlineError `damaged-folder` when there are files, but no whole record
 */
export const openSignRecordFile = async (dataFolder: string): Promise<SignRecordFile> => {
  const folder = join(dataFolder, 'signer')
  try {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 })
    if (made !== undefined) await syncFolder(dataFolder)
  } catch (cause) {
    throw failure('opened', folder, cause)
  }
  const files = [new SlotFile(join(folder, 'record.0')), new SlotFile(join(folder, 'record.1'))] as const
  return new TwoSlotFiles(folder, files, readNewest(folder, files)?.counter ?? 0)
}

class TwoSlotFiles implements SignRecordFile {
  readonly #folder: string
  readonly #files: readonly [SlotFile, SlotFile]
  /** Of the record written last; 0 before the first. */
  #counter: number
  #last: Promise<void> = Promise.resolve()
  #isOpen = true

  constructor(folder: string, files: readonly [SlotFile, SlotFile], counter: number) {
    this.#folder = folder
    this.#files = files
    this.#counter = counter
  }

  async read(): Promise<Uint8Array | undefined> {
    const newest = readNewest(this.#folder, this.#files)
    return newest && new Uint8Array(newest.value)
  }

  /** Records are written in the order in which they were given. */
  async write(record: Uint8Array): Promise<void> {
    // The folder's lock may be another process's by now, and so the files.
    if (!this.#isOpen) throw failure('written', this.#folder, new Error('it is closed'))
    const written = this.#last.then(() => this.#write(record))
    this.#last = written.catch(() => undefined)
    return written
  }

  async close(): Promise<void> {
    this.#isOpen = false
    await this.#last
    for (const file of this.#files) file.close()
  }

  /** After a failure the counter stands, so the next attempt goes to the same file and spares the other. */
  async #write(record: Uint8Array): Promise<void> {
    assert(record.length <= maxSignRecordBytes, `a sign record has at most ${maxSignRecordBytes} bytes`)
    const counter = this.#counter + 1
    const file = this.#files[slotIndex(counter)]
    try {
      await file.write(encodeSlot({ counter, value: record }, digest))
    } catch (cause) {
      throw failure('written', file.path, cause)
    }
    this.#counter = counter
  }
}

/** A file that is written over in place, once it is there. */
class SlotFile {
  readonly path: string
  #descriptor: number | undefined
  #sizeBytes = 0

  constructor(path: string) {
    this.path = path
  }

  read(): Uint8Array | undefined {
    try {
      return undefinedWhenMissing(() => readFileSync(this.path))
    } catch (cause) {
      throw failure('read', this.path, cause)
    }
  }

  async write(slot: Uint8Array): Promise<void> {
    const descriptor = this.#open()
    if (descriptor === undefined) return this.#make(slot)
    const bytes = slot.length <= this.#sizeBytes ? slot : padded(slot)
    writeAll(descriptor, bytes)
    await syncData(descriptor)
    compare(descriptor, bytes)
    this.#sizeBytes = Math.max(this.#sizeBytes, bytes.length)
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
  }

  async #make(slot: Uint8Array): Promise<void> {
    const bytes = padded(slot)
    await writeFileDurably(this.path, bytes, 0o600)
    compare(this.#open()!, bytes)
  }

  #open(): number | undefined {
    if (this.#descriptor === undefined) {
      this.#descriptor = undefinedWhenMissing(() => openSync(this.path, 'r+'))
      this.#sizeBytes = this.#descriptor === undefined ? 0 : fstatSync(this.#descriptor).size
    }
    return this.#descriptor
  }
}

const undefinedWhenMissing = <Value>(run: () => Value): Value | undefined => {
  try {
    return run()
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined
    throw cause
  }
}

const readNewest = (folder: string, files: readonly SlotFile[]): Slot | undefined => {
  const found = files.map((file) => file.read()).filter((bytes) => bytes !== undefined)
  const newest = newestSlot(found.map((bytes) => decodeSlot(bytes, digest)))
  if (newest === undefined && found.length > 0) {
    throw new TautlineError(
      'damaged-folder',
      `no whole sign record is left in ${folder}, so signing could contradict what this node signed before: ` +
        'restore the folder from this very machine, or unbond this validator and start anew with another key',
      { path: folder },
    )
  }
  return newest
}

/** Twice the size whenever it doesn't fit, so that sizes hardly ever change. Zeros are written out: a hole would take metadata later. */
const padded = (slot: Uint8Array): Uint8Array => {
  let sizeBytes = minFileBytes
  while (sizeBytes < slot.length) sizeBytes *= 2
  const bytes = new Uint8Array(sizeBytes)
  bytes.set(slot)
  return bytes
}

const writeAll = (descriptor: number, bytes: Uint8Array): void => {
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at, bytes.length - at, at)
}

const compare = (descriptor: number, expected: Uint8Array): void => {
  const found = Buffer.allocUnsafe(expected.length)
  let at = 0
  for (let read = -1; read !== 0 && at < found.length; at += read) {
    read = readSync(descriptor, found, at, found.length - at, at)
  }
  if (at < found.length || !found.equals(expected))
    throw new Error('what was read back is not what was written')
}

const failure = (done: 'opened' | 'read' | 'written', path: string, cause: unknown): TautlineError =>
  new TautlineError(
    'storage-unavailable',
    `the sign record ${path} could not be ${done} (${cause instanceof Error ? cause.message : String(cause)}), ` +
      'so nothing is signed: check the disk, its room and its permissions, then start the node again',
    { path },
    cause,
  )
