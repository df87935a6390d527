/** `tautline restore`: makes a data folder from a backup, replaying every block of it. */
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { decodeHex } from '../../codec/bytes.ts'
import { accelerateHash } from '../../crypto/hash.ts'
import { TautlineError } from '../../errors.ts'
import { readBackup } from '../../node/backup.ts'
import type { Chain } from '../../node/chain.ts'
import type { ObjectStore } from '../../ports/object-store.ts'
import { type DataFolder, openDataFolder } from '../../runtime/node/data-folder.ts'
import { writeSecretKey } from '../../runtime/node/identity.ts'
import { createNodeVerifier, nativeHash } from '../../runtime/node/keys.ts'
import { openStore } from '../../storage/open-store.ts'
import { dataFlag, jsonFlag, storageFlag } from '../flags.ts'
import { readLines } from '../lines.ts'
import { createQuietLog } from '../log.ts'
import { type ProgressBar, progressBar } from '../progress-bar.ts'
import type { Terminal } from '../terminal.ts'

interface Flags {
  readonly data: string
  readonly storage: string
  readonly json?: boolean
}

export const restoreCommand = (terminal: Terminal): Command =>
  new Command('restore')
    .description('Make a data folder from a backup, checking every block of it.')
    .argument('<file>', 'the backup')
    .addOption(dataFlag())
    .addOption(storageFlag())
    .addOption(jsonFlag())
    .addHelpText('after', warning)
    .action(async (file: string, flags: Flags) => {
      const { network, head } = await restore(file, flags, terminal)
      const { height, hash } = head
      terminal.out(
        flags.json
          ? JSON.stringify({ network, height, hash })
          : `${height} blocks of network ${network} are checked and in ${flags.data}.${warning}`,
      )
    })

const warning = `
A restored node signs no blocks, since a backup can't know what its key has signed since. If this key runs
nowhere else any more, start it once with --without-sign-record.`

const restore = async (file: string, flags: Flags, terminal: Terminal): Promise<Chain> => {
  const { size } = await stat(file)
  await requireEmpty(flags.data)
  accelerateHash(nativeHash)
  const folder = await openDataFolder(flags.data)
  const bar = progressBar(terminal, 'bytes')
  try {
    return await replayInto(folder, file, size, flags, bar, terminal)
  } catch (error) {
    await removeContent(folder)
    throw error
  } finally {
    bar.clear()
    await folder.close()
  }
}

/** The key comes last: without it, what a killed run leaves behind is no node. */
const replayInto = async (
  folder: DataFolder,
  file: string,
  size: number,
  { storage }: Flags,
  bar: ProgressBar,
  terminal: Terminal,
): Promise<Chain> => {
  const store = await openStore(storage, folder.path)
  try {
    await requireEmptyStore(store, storage)
    const verifier = await createNodeVerifier(createQuietLog(terminal))
    const lines = readLines(file, (bytes) => bar.update(bytes, size))
    const { chain, key } = await readBackup(lines, store, verifier, () => undefined)
    await chain.close()
    await writeSecretKey(folder, decodeHex(key))
    return chain
  } finally {
    await store.close()
  }
}

const requireEmpty = async (data: string): Promise<void> => {
  const files = await readdir(data).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  if (files.every((name) => name === 'lock')) return
  throw new TautlineError('bad-configuration', `${data} is not empty: restore into a new folder, with --data`)
}

/** `--storage` may lie outside of the folder. */
const requireEmptyStore = async (store: ObjectStore, storage: string): Promise<void> => {
  if (store.durability === 'none')
    throw new TautlineError('bad-configuration', `--storage ${storage} keeps nothing: restore into another`)
  if ((await store.readHead()) !== undefined)
    throw new TautlineError(
      'bad-configuration',
      `--storage ${storage} holds a ledger already: restore into an empty one`,
    )
}

/** The folder was empty but for its lock, so that all in it came with the failed run. */
const removeContent = async ({ path }: DataFolder): Promise<void> => {
  for (const name of await readdir(path)) {
    if (name !== 'lock') await rm(join(path, name), { recursive: true, force: true })
  }
}
