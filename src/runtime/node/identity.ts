/** The identity in a data folder: `node.key` and `signer/`. */
import type { SignRecordStore } from '../../ports/sign-record-store.ts'
import { formatSecretKey, type Identity, openIdentity } from '../identity.ts'
import type { DataFolder } from './data-folder.ts'
import { createNodeSigner } from './keys.ts'
import { openSignRecordFile } from './sign-record-file.ts'

export interface FolderIdentity extends Identity {
  close(): Promise<void>
}

export const writeSecretKey = (folder: DataFolder, secretKey: Uint8Array): Promise<void> =>
  folder.writeFile('node.key', formatSecretKey(secretKey))

/** The folder's key, made with its record when there is none yet. */
export const openFolderIdentity = async (folder: DataFolder): Promise<FolderIdentity> => {
  const records: SignRecordStore & { close(): Promise<void> } = await openSignRecordFile(folder.path)
  try {
    const place = {
      name: `${folder.path}/node.key`,
      read: () => folder.readFile('node.key'),
      write: (text: string) => folder.writeFile('node.key', text),
    }
    const identity = await openIdentity({ place, records, createSigner: createNodeSigner })
    return { ...identity, close: () => records.close() }
  } catch (error) {
    await records.close()
    throw error
  }
}
