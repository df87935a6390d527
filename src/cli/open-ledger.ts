/** The ledger of a data folder whose node is not running, for commands that read it. */
import { join } from 'node:path'
import { accelerateHash } from '../crypto/hash.ts'
import { TautlineError } from '../errors.ts'
import { Chain } from '../node/chain.ts'
import type { Log } from '../ports/log.ts'
import { openDataFolder, readDataFile } from '../runtime/node/data-folder.ts'
import { nativeHash } from '../runtime/node/keys.ts'
import { openStore } from '../storage/open-store.ts'

export interface LedgerFlags {
  readonly data: string
  readonly storage: string
}

export interface OpenLedger {
  readonly chain: Chain
  /** Absolute path of the data folder, locked until {@link OpenLedger.close}. */
  readonly path: string
  close(): Promise<void>
}

/** @throws TautlineError `folder-in-use` while its node runs, `bad-configuration` when there is no ledger */
export const openLedger = async ({ data, storage }: LedgerFlags, log: Log): Promise<OpenLedger> => {
  await requireKey(data)
  accelerateHash(nativeHash)
  const folder = await openDataFolder(data, log)
  try {
    const store = await openStore(storage, folder.path)
    const close = async (): Promise<void> => {
      await store.close()
      await folder.close()
    }
    const chain = await Chain.open(store, log).catch((error: unknown) => store.close().then(() => Promise.reject(error)))
    if (chain) return { chain, path: folder.path, close }
    await store.close()
    throw new TautlineError('bad-configuration', `there is no ledger in ${data}: is --storage the one that the node was started with?`)
  } catch (error) {
    await folder.close()
    throw error
  }
}

/** @returns the secret key of the folder's node, in hex; a folder without one has no ledger either, and none is made there. */
export const requireKey = async (data: string): Promise<string> => {
  const text = await readDataFile(data, 'node.key')
  if (text !== undefined) return text.trim()
  throw new TautlineError(
    'bad-configuration',
    `there is no ledger in ${data}, since ${join(data, 'node.key')} is missing: give the data folder of a node with --data`,
  )
}
