/** Opens the ledger of a data folder for a command that works on it while no node runs there. */
import { access, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { accelerateHash } from '../../crypto/hash.ts'
import { TautlineError } from '../../errors.ts'
import { Chain } from '../../node/chain.ts'
import type { Log } from '../../ports/log.ts'
import type { ObjectStore } from '../../ports/object-store.ts'
import { openStore } from '../../storage/open-store.ts'
import { type DataFolder, openDataFolder } from './data-folder.ts'
import { nativeHash } from './keys.ts'

/** Refused rather than made: a command that reads must not leave a folder behind. */
export const openExistingFolder = async (path: string): Promise<DataFolder> => {
  await access(path).catch((cause: unknown) => {
    throw new TautlineError(
      'bad-configuration',
      `there is no ledger, since there is no data folder ${path}: name the one of your node with --data`,
      { path },
      cause,
    )
  })
  return openDataFolder(path)
}

/**
 * Runs steps on the ledger that lies in a folder, and closes it again.
 *
 * @throws TautlineError `bad-configuration` when there is none
 */
export const withLedger = async <Result>(
  folder: DataFolder,
  storage: string,
  log: Log,
  steps: (chain: Chain, store: ObjectStore) => Promise<Result>,
): Promise<Result> => {
  accelerateHash(nativeHash)
  const store = await openStore(storage, folder.path)
  try {
    const chain = await Chain.open(store, log)
    if (!chain)
      throw new TautlineError(
        'bad-configuration',
        `there is no ledger in ${folder.path}: name the folder of your node with --data`,
      )
    return await steps(chain, store)
  } finally {
    await store.close()
  }
}

/** Runs steps with a store in the folder, where the ledger's own disk is, that is gone afterwards. */
export const withScratchStore = async <Result>(
  folder: DataFolder,
  steps: (store: ObjectStore) => Promise<Result>,
): Promise<Result> => {
  const path = join(folder.path, 'scratch')
  const remove = (): Promise<void> => rm(path, { recursive: true, force: true })
  await remove() // one that was killed has left its own behind
  try {
    const store = await openStore(`level:${path}`, folder.path)
    try {
      return await steps(store)
    } finally {
      await store.close()
    }
  } finally {
    await remove()
  }
}
