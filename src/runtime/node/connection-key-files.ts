/**
 * The keys of connections as files of a folder, one each, mode 0600; sealed by a passphrase when there is one.
 *
 * A file is overwritten before it goes, as far as its file system writes in place. What was sealed under a key that
 * has gone can't be read from any copy of the ledger of connections.
 */
import { open, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { scrypt } from '@noble/hashes/scrypt.js'
import { encodeUtf8 } from '../../codec/bytes.ts'
import { TautlineError } from '../../errors.ts'
import type { ConnectionKeys } from '../../ports/connection-keys.ts'
import { systemRandom } from '../random.ts'
import { makeFolder } from './data-folder.ts'
import { syncFolder, writeFileDurably } from './durable-file.ts'

/** RFC 7914; 32 MiB and about a tenth of a second, once a start. */
const hardness = { N: 2 ** 15, r: 8, p: 1, dkLen: 32 } as const
const nonceBytes = 24
const saltBytes = 16
/** What a passphrase is tried on: a wrong one is found out before anything is read. */
const lockName = 'passphrase'
const ending = '.key'
const mode = 0o600
const lockText = encodeUtf8('tautline/connections')

interface Cipher {
  seal(name: string, bytes: Uint8Array): Uint8Array
  open(name: string, bytes: Uint8Array): Uint8Array
}

const plain: Cipher = { seal: (_, bytes) => bytes, open: (_, bytes) => bytes }

/** @throws TautlineError `bad-configuration` when the passphrase is another than the keys were sealed by */
export const openConnectionKeyFiles = async (
  folder: string,
  passphrase: string | undefined,
): Promise<ConnectionKeys> => {
  await makeFolder(folder)
  const cipher = await openCipher(folder, passphrase)
  const path = (id: string): string => join(folder, `${id}${ending}`)
  const keys: ConnectionKeys = {
    read: async (id) => {
      const bytes = await readIfThere(path(id))
      return bytes && cipher.open(id, bytes)
    },
    write: (id, bytes) => replacing(path(id), () => writeFileDurably(path(id), cipher.seal(id, bytes), mode)),
    erase: (id) =>
      replacing(path(id), async () => {
        await rm(path(id), { force: true })
        await syncFolder(folder)
      }),
  }
  if (passphrase !== undefined) await sealPlain(folder, keys)
  return keys
}

/** Those that were written before there was a passphrase. */
const sealPlain = async (folder: string, keys: ConnectionKeys): Promise<void> => {
  for (const name of await readdir(folder)) {
    if (!name.endsWith(ending) || !isPlain(await readFile(join(folder, name)))) continue
    const id = name.slice(0, -ending.length)
    await keys.write(id, (await keys.read(id))!)
  }
}

/** What was in a file is overwritten, once something else has taken its name. */
const replacing = async (path: string, replace: () => Promise<void>): Promise<void> => {
  const before = await open(path, 'r+').catch(undefinedWhenMissing)
  try {
    await replace()
    if (!before) return
    const { size } = await before.stat()
    await before.write(new Uint8Array(size), 0, size, 0)
    await before.sync()
  } finally {
    await before?.close()
  }
}

const undefinedWhenMissing = (error: NodeJS.ErrnoException): undefined => {
  if (error.code === 'ENOENT') return undefined
  throw error
}

const openCipher = async (folder: string, passphrase: string | undefined): Promise<Cipher> => {
  const path = join(folder, lockName)
  const lock = await readIfThere(path)
  if (passphrase === undefined) {
    if (!lock) return plain
    throw new TautlineError(
      'bad-configuration',
      `the keys in ${folder} are sealed: give their passphrase in a file, with --connections-passphrase`,
      { path: folder },
    )
  }
  const salt = lock ? lock.slice(0, saltBytes) : systemRandom.bytes(saltBytes)
  const key = scrypt(encodeUtf8(passphrase.normalize('NFKC')), salt, hardness)
  const cipher = cipherOf(key)
  if (!lock) {
    await writeFileDurably(path, Uint8Array.of(...salt, ...cipher.seal(lockName, lockText)), mode)
    return cipher
  }
  try {
    cipher.open(lockName, lock.subarray(saltBytes))
    return cipher
  } catch (cause) {
    throw new TautlineError(
      'bad-configuration',
      `the passphrase isn't the one that the keys in ${folder} are sealed by`,
      { path: folder },
      cause,
    )
  }
}

const cipherOf = (key: Uint8Array): Cipher => ({
  seal: (name, bytes) => {
    const nonce = systemRandom.bytes(nonceBytes)
    return Uint8Array.of(...nonce, ...xchacha20poly1305(key, nonce, encodeUtf8(name)).encrypt(bytes))
  },
  open: (name, bytes) =>
    isPlain(bytes)
      ? bytes
      : xchacha20poly1305(key, bytes.subarray(0, nonceBytes), encodeUtf8(name)).decrypt(
          bytes.subarray(nonceBytes),
        ),
})

/** Sealed ones are longer by a nonce and a tag. */
const isPlain = (bytes: Uint8Array): boolean => bytes.length === 32 || bytes.length === 64

const readIfThere = async (path: string): Promise<Uint8Array | undefined> => {
  const bytes = await readFile(path).catch(undefinedWhenMissing)
  return bytes && new Uint8Array(bytes)
}
