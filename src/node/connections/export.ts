/**
 * Exports: all connections that haven't ended, with their private keys and what waits to be sent, sealed by a
 * passphrase. What was received isn't part of it, but for its ids, so that nothing is taken twice.
 */
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { scrypt } from '@noble/hashes/scrypt.js'
import { base64urlnopad } from '@scure/base'
import * as z from 'zod'
import { decodeUtf8, encodeUtf8 } from '../../codec/bytes.ts'
import type { Json } from '../../codec/json.ts'
import {
  type Connection,
  decodeConnection,
  encodeConnection,
  type Outbound,
} from '../../connections/connections.ts'
import { TautlineError } from '../../errors.ts'
import type { Random } from '../../ports/random.ts'
import type { ConnectionStore } from './connection-store.ts'

/** RFC 7914; 32 MiB and about a tenth of a second. */
const hardness = { N: 2 ** 15, r: 8, p: 1, dkLen: 32 } as const
const kind = 'tautline/connections/1'
const saltBytes = 16
const nonceBytes = 24

export interface Exported {
  readonly connection: Connection
  readonly outbound: readonly Outbound[]
  readonly takenIds: readonly string[]
}

const envelopeSchema = z.strictObject({
  kind: z.literal(kind),
  salt: z.string(),
  nonce: z.string(),
  sealed: z.string(),
})

export const sealExport = async (
  { store, random }: { readonly store: ConnectionStore; readonly random: Random },
  passphrase: string,
): Promise<string> => {
  const exported: Json[] = []
  for (const [id, { connection, inbox }] of store.entries) {
    if (!connection.identity) continue
    const { acknowledged, last } = connection.outgoing
    const outbound: Outbound[] = []
    for (let number = acknowledged + 1; number <= last; number++) {
      const message = await store.outbound(id, number)
      if (message) outbound.push(message)
    }
    const taken = await store.inbox(id, inbox.oldest, inbox.next - inbox.oldest)
    exported.push({
      connection: encodeConnection({
        ...connection,
        outgoing: { ...connection.outgoing, oldest: acknowledged + 1 },
      }),
      outbound,
      takenIds: taken.map((message) => message.id),
    } as unknown as Json)
  }
  const salt = random.bytes(saltBytes)
  const nonce = random.bytes(nonceBytes)
  const key = scrypt(encodeUtf8(passphrase.normalize('NFKC')), salt, hardness)
  const sealed = xchacha20poly1305(key, nonce, encodeUtf8(kind)).encrypt(encodeUtf8(JSON.stringify(exported)))
  return `${JSON.stringify({
    kind,
    salt: base64urlnopad.encode(salt),
    nonce: base64urlnopad.encode(nonce),
    sealed: base64urlnopad.encode(sealed),
  })}\n`
}

/** @throws TautlineError `export-refused` */
export const openExport = (text: string, passphrase: string): readonly Exported[] => {
  const { data } = envelopeSchema.safeParse(parse(text))
  if (!data) throw new TautlineError('export-refused', `this is no export: expected JSON of kind ${kind}`)
  try {
    const [salt, nonce, sealed] = [data.salt, data.nonce, data.sealed].map(base64urlnopad.decode)
    const key = scrypt(encodeUtf8(passphrase.normalize('NFKC')), salt!, hardness)
    const opened = xchacha20poly1305(key, nonce!, encodeUtf8(kind)).decrypt(sealed!)
    return (JSON.parse(decodeUtf8(opened)) as readonly Encoded[]).map((one) => ({
      ...one,
      connection: decodeConnection(one.connection),
    }))
  } catch (cause) {
    throw new TautlineError(
      'export-refused',
      'the passphrase is not the one that this export was sealed by, or the file was changed',
      {},
      cause,
    )
  }
}

type Encoded = Omit<Exported, 'connection'> & { readonly connection: Json }

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
