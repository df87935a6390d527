/**
 * Who a node is: its key and, inseparable from it, the record of what the key has signed.
 *
 * In: where this runtime keeps a key, and its sign record. Out: a signer with that record. Must never make a key
 * over the record of another one, nor leave a key that has no record.
 */
import { encodeHex } from '../codec/bytes.ts'
import { TautlineError } from '../errors.ts'
import { freshSignRecord, readSignRecord, writeSignRecord } from '../node/sign-record.ts'
import type { Signer } from '../ports/keys.ts'
import type { SignRecordStore } from '../ports/sign-record-store.ts'
import { generateSecretKey, readSecretKey } from './secret-key.ts'

export interface Identity {
  readonly signer: Signer
  readonly records: SignRecordStore
}

/** Where a secret key lies, as one line of text. */
export interface KeyPlace {
  /** For the operator, such as the path of a file. */
  readonly name: string
  read(): Promise<string | undefined>
  /** Resolves once the text is durable. */
  write(text: string): Promise<void>
}

export interface IdentityParts {
  readonly place: KeyPlace
  readonly records: SignRecordStore
  readonly createSigner: (secretKey: Uint8Array) => Signer | Promise<Signer>
}

/** The key that is there, or else a new one, made with its record. */
export const openIdentity = async ({ place, records, createSigner }: IdentityParts): Promise<Identity> => {
  const text = await place.read()
  const secretKey = text === undefined ? await makeKey(place, records) : readSecretKey(text, place.name)
  return { signer: await createSigner(secretKey), records }
}

/** The text of a key, as {@link KeyPlace} holds it. */
export const formatSecretKey = (secretKey: Uint8Array): string => `${encodeHex(secretKey)}\n`

/** The record comes first: a crash in between leaves a record without a key, and never a key without its record. */
const makeKey = async (place: KeyPlace, records: SignRecordStore): Promise<Uint8Array> => {
  if ((await readSignRecord(records))?.signed) {
    throw new TautlineError(
      'damaged-folder',
      `${place.name} is missing, and the record of what it has signed is there: restore the key from a copy, ` +
        'or start in an empty folder; a new key here would take that record away from the old one',
      { path: place.name },
    )
  }
  await writeSignRecord(records, freshSignRecord)
  const secretKey = generateSecretKey()
  await place.write(formatSecretKey(secretKey))
  return secretKey
}

/** A key and record that end with the process, for a throwaway network. */
export const throwawayIdentity = async (createSigner: IdentityParts['createSigner']): Promise<Identity> => {
  let written: Uint8Array | undefined
  const records: SignRecordStore = {
    read: async () => written,
    write: async (record) => {
      written = record
    },
  }
  await writeSignRecord(records, freshSignRecord)
  return { signer: await createSigner(generateSecretKey()), records }
}
