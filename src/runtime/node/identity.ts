/** Who a node is: its key and, inseparable from it, the record of what the key has signed. */
import { decodeHex, encodeHex } from '../../codec/bytes.ts'
import { TautlineError } from '../../errors.ts'
import { freshSignRecord, readSignRecord, writeSignRecord } from '../../node/sign-record.ts'
import type { Signer } from '../../ports/keys.ts'
import type { SignRecordStore } from '../../ports/sign-record-store.ts'
import type { DataFolder } from './data-folder.ts'
import { createNodeSigner, generateSecretKey } from './keys.ts'
import { openSignRecordFile } from './sign-record-file.ts'

export interface Identity {
  readonly signer: Signer
  readonly records: SignRecordStore
  close(): Promise<void>
}

/** @param text - of a key file: the 32-byte seed in hex */
export const readSecretKey = (text: string, path: string): Uint8Array => {
  const hex = text.trim()
  if (/^[0-9a-f]{64}$/.test(hex)) return decodeHex(hex)
  throw new TautlineError(
    'damaged-folder',
    `${path} holds no key: expected 64 lowercase hex digits; restore it from a copy`,
    { path },
  )
}

export const writeSecretKey = (folder: DataFolder, secretKey: Uint8Array): Promise<void> =>
  folder.writeFile('node.key', `${encodeHex(secretKey)}\n`)

/** The folder's key, made with its record when there is none yet. */
export const openIdentity = async (folder: DataFolder): Promise<Identity> => {
  const records = await openSignRecordFile(folder.path)
  try {
    const text = await folder.readFile('node.key')
    const secretKey =
      text === undefined ? await makeKey(folder, records) : readSecretKey(text, `${folder.path}/node.key`)
    return { signer: createNodeSigner(secretKey), records, close: () => records.close() }
  } catch (error) {
    await records.close()
    throw error
  }
}

/** The record comes first: a crash in between leaves a record without a key, and never a key without its record. */
const makeKey = async (folder: DataFolder, records: SignRecordStore): Promise<Uint8Array> => {
  if ((await readSignRecord(records))?.signed) {
    throw new TautlineError(
      'damaged-folder',
      `${folder.path}/node.key is missing, and the record of what it has signed is there: restore the key from a copy, ` +
        'or start in an empty folder; a new key here would take that record away from the old one',
      { path: folder.path },
    )
  }
  await writeSignRecord(records, freshSignRecord)
  const secretKey = generateSecretKey()
  await writeSecretKey(folder, secretKey)
  return secretKey
}

/** A key and record that end with the process, for a throwaway network. */
export const throwawayIdentity = async (): Promise<Identity> => {
  let written: Uint8Array | undefined
  const records: SignRecordStore = {
    read: async () => written,
    write: async (record) => {
      written = record
    },
  }
  await writeSignRecord(records, freshSignRecord)
  return { signer: createNodeSigner(generateSecretKey()), records, close: async () => undefined }
}
