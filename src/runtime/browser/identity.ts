/**
 * The identity of a node in a browser: a key that no script can take out of it, and its sign record, in one database.
 *
 * The key is made by WebCrypto and can't be exported, so that a page that is taken over can sign for as long as it is
 * open, and no longer. It can't be copied either: who clears the data of the site has lost it.
 */
import { encodeSignRecord, freshSignRecord } from '../../node/sign-record.ts'
import type { SignRecordStore } from '../../ports/sign-record-store.ts'
import { answerOf, type Database } from '../../storage/indexed-db.ts'
import { storageFailure } from '../../storage/storage-failure.ts'
import type { Identity } from '../identity.ts'
import { createKeyPairSigner, generateKeyPair } from '../web/keys.ts'

const keyPlace = 'key'
const recordPlace = 'record'

/** The key that is there, or else a new one, made with its record. */
export const openBrowserIdentity = async (database: Database): Promise<Identity> => {
  const keyPair = (await readFrom<CryptoKeyPair>(database, keyPlace)) ?? (await makeKey(database))
  return { signer: await createKeyPairSigner(keyPair), records: recordsIn(database) }
}

/** Both in one transaction: there is no key without its record. */
const makeKey = async (database: Database): Promise<CryptoKeyPair> => {
  const keyPair = await generateKeyPair()
  await attempt('write', () =>
    database.write((store) => {
      store.add(keyPair, keyPlace)
      store.add(encodeSignRecord(freshSignRecord), recordPlace)
    }),
  )
  return keyPair
}

const recordsIn = (database: Database): SignRecordStore => ({
  read: () => readFrom<Uint8Array>(database, recordPlace),
  write: async (record) => {
    await attempt('write', () =>
      database.write((store) => {
        store.put(record, recordPlace)
      }),
    )
    const found = await readFrom<Uint8Array>(database, recordPlace)
    if (!found || !isSame(found, record))
      throw storageFailure('write', new Error('what was read back is not what was written'))
  },
})

const readFrom = <Value>(database: Database, place: string): Promise<Value | undefined> =>
  attempt('read', () => database.read((store) => answerOf(store.get(place) as IDBRequest<Value | undefined>)))

const attempt = async <Value>(action: 'read' | 'write', run: () => Promise<Value>): Promise<Value> => {
  try {
    return await run()
  } catch (cause) {
    throw storageFailure(action, cause)
  }
}

const isSame = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, at) => byte === other[at])
