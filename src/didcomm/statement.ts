/**
 * Statements that one end signs and the other keeps: they can be shown to others, which what is only sealed
 * can't. The `typ` of the JWS keeps one kind of statement from ever standing for another.
 *
 * The connection record is signed by both ends over the same canonical text; a receipt by the one that has
 * received a payload.
 */
import * as z from 'zod'
import { decodeUtf8, encodeUtf8 } from '../codec/bytes.ts'
import { canonicalize, type Json } from '../codec/json.ts'
import { isSameDid } from './did.ts'
import type { DidDocument } from './did-document.ts'
import { type Identity, signingFragment } from './identity.ts'
import { isSignedBy, type Jws, readJws, signJws } from './jws.ts'
import { type Refused, refused } from './refusal.ts'

export interface ConnectionRecord {
  readonly version: 1
  /** Of the inviter, in its short form; pairwise, and not the invitation's. */
  readonly didA: string
  /** Of the one that accepted. */
  readonly didB: string
  readonly invitationId: string
  /** Unix seconds. */
  readonly created: number
}

export interface Receipt {
  /** The commitment, 64 hex digits. */
  readonly c: string
  /** Id of the transaction that carries it. */
  readonly transaction: string
}

const schemas = {
  connection: z.strictObject({
    version: z.literal(1),
    didA: z.string(),
    didB: z.string(),
    invitationId: z.string(),
    created: z.number().int().min(0),
  }),
  receipt: z.strictObject({ c: z.string(), transaction: z.string() }),
}
interface Statements {
  readonly connection: ConnectionRecord
  readonly receipt: Receipt
}
export type StatementKind = keyof Statements

const typOf = (kind: StatementKind): string => `tautline-${kind}`

/** @param did - the signer's, in the form that the other end knows */
export const signStatement = <Kind extends StatementKind>(
  kind: Kind,
  statement: Statements[Kind],
  { identity, did }: { readonly identity: Identity; readonly did: string },
): Jws =>
  signJws(
    encodeUtf8(canonicalize(statement as unknown as Json)),
    typOf(kind),
    `${did}${signingFragment}`,
    identity.signingKey,
  )

export interface ReadStatement<Kind extends StatementKind> {
  readonly kind: 'statement'
  readonly statement: Statements[Kind]
  /** As it was signed, to be kept and shown. */
  readonly jws: Jws
}

/** @returns the statement if this DID has signed one of that kind, in canonical text */
export const readStatement = <Kind extends StatementKind>(
  kind: Kind,
  value: unknown,
  signer: DidDocument,
): ReadStatement<Kind> | Refused => {
  const jws = readJws(value)
  if (jws?.typ !== typOf(kind) || !isSameDid(jws.signer.did, signer.did))
    return refused('wrong-statement', `expected a JWS of type ${typOf(kind)} by the peer of this connection`)
  const statement = readCanonical(kind, jws.payload)
  if (!statement) return refused('wrong-statement', `the payload is no ${kind} in canonical JSON`)
  if (!isSignedBy(jws, signer))
    return refused('invalid-signature', 'the statement is not signed by an authentication key of the peer')
  return { kind: 'statement', statement, jws: value as Jws }
}

const readCanonical = <Kind extends StatementKind>(
  kind: Kind,
  payload: Uint8Array,
): Statements[Kind] | undefined => {
  try {
    const text = decodeUtf8(payload)
    const { data } = schemas[kind].safeParse(JSON.parse(text))
    return data && canonicalize(data as Json) === text ? (data as unknown as Statements[Kind]) : undefined
  } catch {
    return undefined
  }
}

export const isSameRecord = (one: ConnectionRecord, other: ConnectionRecord): boolean =>
  canonicalize(one as unknown as Json) === canonicalize(other as unknown as Json)
