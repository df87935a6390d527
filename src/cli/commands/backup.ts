/** `tautline backup`: the ledger and the node's key in one file, also while the node runs. */
import { open, rename, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Command } from 'commander'
import { encodeHex } from '../../codec/bytes.ts'
import type { Json } from '../../codec/json.ts'
import { TautlineError } from '../../errors.ts'
import { type BackupSource, writeBackup } from '../../node/backup.ts'
import type { Chain } from '../../node/chain.ts'
import type { DataFolder } from '../../runtime/node/data-folder.ts'
import { syncFolder } from '../../runtime/node/durable-file.ts'
import { openExistingFolder, withLedger } from '../../runtime/node/open-ledger.ts'
import { dataFlag, jsonFlag, nodeFlag, readTokenFlag, storageFlag } from '../flags.ts'
import { createQuietLog } from '../log.ts'
import { type NodeFlags, nodeClient } from '../node-client.ts'
import { type ProgressBar, progressBar } from '../progress-bar.ts'
import { loadSecretKey, loadSigner } from '../signer.ts'
import type { Terminal } from '../terminal.ts'

interface Flags extends NodeFlags {
  readonly storage: string
  readonly json?: boolean
}

export const backupCommand = (terminal: Terminal): Command =>
  new Command('backup')
    .description("Write the ledger and the node's key to one file, also while the node runs.")
    .argument('<file>', 'the file to write; one of that name is replaced once the new one is whole')
    .addOption(dataFlag())
    .addOption(storageFlag())
    .addOption(nodeFlag())
    .addOption(readTokenFlag())
    .addOption(jsonFlag())
    .addHelpText(
      'after',
      '\nThe file holds the secret key: keep it as safe as the data folder. What the key has signed is left out.',
    )
    .action(async (file: string, flags: Flags) => {
      const { height, hash } = await backup(file, flags, terminal)
      terminal.out(
        flags.json
          ? JSON.stringify({ file, height, hash })
          : `${height} blocks and the secret key are in ${file}: keep it safe.`,
      )
    })

const backup = async (file: string, flags: Flags, terminal: Terminal): Promise<BackupSource['head']> => {
  const key = encodeHex(await loadSecretKey(flags))
  const bar = progressBar(terminal, 'blocks')
  const write = async (source: BackupSource): Promise<BackupSource['head']> => {
    await writePrivately(file, withProgress(writeBackup(source, key), source.head.height, bar))
    return source.head
  }
  try {
    const folder = await openExistingFolder(flags.data).catch(undefinedWhenInUse)
    return folder ? await readFolder(folder, flags, terminal, write) : await write(await askNode(flags))
  } finally {
    bar.clear()
  }
}

const undefinedWhenInUse = (error: unknown): undefined => {
  if (error instanceof TautlineError && error.code === 'folder-in-use') return undefined
  throw error
}

const readFolder = async <Result>(
  folder: DataFolder,
  { storage }: Flags,
  terminal: Terminal,
  steps: (source: BackupSource) => Promise<Result>,
): Promise<Result> => {
  const log = createQuietLog(terminal)
  try {
    return await withLedger(folder, storage, log, (chain) => steps(sourceIn(chain)))
  } finally {
    await folder.close()
  }
}

const sourceIn = ({ genesis, head, reader }: Chain): BackupSource => ({
  genesis,
  head,
  block: async (at) => ({
    block: (await reader.block(at)) as unknown as Json,
    certificate: (await reader.certificate(at)) as unknown as Json,
  }),
})

/** By its public doors, which need nobody's leave; only the key is read from the folder. */
const askNode = async (flags: Flags): Promise<BackupSource> => {
  const client = await nodeClient(flags)
  const [{ head, node }, { address }] = await Promise.all([client.status(), loadSigner(flags)])
  if (node.address !== address) {
    throw new TautlineError(
      'bad-configuration',
      `the node at ${client.url} has another key than ${flags.data}: give the URL of this folder's node with --node`,
    )
  }
  const block: BackupSource['block'] = async (at) => {
    const { block, certificate } = await client.block(at)
    return { block: block as unknown as Json, certificate: certificate as unknown as Json }
  }
  return { genesis: await client.genesis(), head, block }
}

async function* withProgress(
  lines: AsyncIterable<string>,
  blocks: number,
  bar: ProgressBar,
): AsyncIterable<string> {
  let done = 0
  for await (const line of lines) {
    yield `${line}\n`
    bar.update(Math.min(done++, blocks), blocks)
  }
}

/** Closed to others from the start, and under its name only once it is whole and on the disk. */
const writePrivately = async (path: string, lines: AsyncIterable<string>): Promise<void> => {
  const temporary = `${path}.new`
  await rm(temporary, { force: true })
  const file = await open(temporary, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw Object.assign(error, { path }) // the one that was asked for
  })
  try {
    await writeFile(file, lines)
    await file.sync()
    await file.close()
    await rename(temporary, path)
  } catch (error) {
    await file.close()
    await rm(temporary, { force: true })
    throw error
  }
  await syncFolder(dirname(path))
}
