/** A connection as JSON, with its private keys: for sealed records and sealed exports only. */
import type { Json } from '../codec/json.ts'
import { decodeBase64Url, encodeBase64Url } from '../didcomm/base64url.ts'
import type { DidDocument } from '../didcomm/did-document.ts'
import type { Identity } from '../didcomm/identity.ts'
import { resolveDid } from '../didcomm/resolve-did.ts'
import { TautlineError } from '../errors.ts'
import type { Connection, Elder, Peer, Prior, SignedRecord } from './connection.ts'

/** Keys as base64url, documents as the DIDs that hold them; all else as it is. */
type Encoded = Omit<Connection, 'identity' | 'prior' | 'elders' | 'peer' | 'record'> & {
  readonly identity?: EncodedIdentity
  readonly prior?: { readonly identity: EncodedIdentity; readonly fromPrior: string }
  readonly elders: readonly { readonly did: string; readonly signingKey: string }[]
  readonly peer?: { readonly did: string; readonly rotatedAt?: number }
  readonly record?: Omit<SignedRecord, 'signer'> & { readonly signer?: string }
}

interface EncodedIdentity {
  readonly did: string
  readonly signingKey: string
  readonly agreementKey: string
}

export const encodeConnection = (connection: Connection): Json => {
  const { identity, prior, elders, peer, record, ...plain } = connection
  const encoded: Encoded = {
    ...plain,
    elders: elders.map(({ did, signingKey }) => ({ did, signingKey: encodeBase64Url(signingKey) })),
    ...(identity && { identity: encodeIdentity(identity) }),
    ...(prior && { prior: { ...prior, identity: encodeIdentity(prior.identity) } }),
    ...(peer && { peer: encodePeer(peer) }),
    ...(record && { record: encodeRecord(record) }),
  }
  return encoded as unknown as Json
}

/** @param value - of {@link encodeConnection}; whoever reads it has checked that nobody else wrote it */
export const decodeConnection = (value: Json): Connection => {
  const { identity, prior, elders, peer, record, ...plain } = value as unknown as Encoded
  return {
    ...plain,
    elders: elders.map(decodeElder),
    ...(identity && { identity: decodeIdentity(identity) }),
    ...(prior && { prior: decodePrior(prior) }),
    ...(peer && { peer: decodePeer(peer) }),
    ...(record && { record: decodeRecord(record) }),
  }
}

const encodeIdentity = ({ did, signingKey, agreementKey }: Identity): EncodedIdentity => ({
  did,
  signingKey: encodeBase64Url(signingKey),
  agreementKey: encodeBase64Url(agreementKey),
})

const decodeIdentity = ({ did, signingKey, agreementKey }: EncodedIdentity): Identity => ({
  did,
  signingKey: decodeBytes(signingKey),
  agreementKey: decodeBytes(agreementKey),
})

const decodePrior = ({ identity, fromPrior }: NonNullable<Encoded['prior']>): Prior => ({
  identity: decodeIdentity(identity),
  fromPrior,
})

const decodeElder = ({ did, signingKey }: Encoded['elders'][number]): Elder => ({
  did,
  signingKey: decodeBytes(signingKey),
})

const encodePeer = ({ document, ...rest }: Peer) => ({ ...rest, did: document.did })

const decodePeer = ({ did, ...rest }: NonNullable<Encoded['peer']>): Peer => ({
  ...rest,
  document: decodeDocument(did),
})

const encodeRecord = ({ signer, ...rest }: SignedRecord): NonNullable<Encoded['record']> => ({
  ...rest,
  ...(signer && { signer: signer.did }),
})

const decodeRecord = ({ signer, ...rest }: NonNullable<Encoded['record']>): SignedRecord => ({
  ...rest,
  ...(signer !== undefined && { signer: decodeDocument(signer) }),
})

const decodeBytes = (text: string): Uint8Array => decodeBase64Url(text) ?? damaged()

const decodeDocument = (did: string): DidDocument => resolveDid(did) ?? damaged()

const damaged = (): never => {
  throw new TautlineError(
    'damaged-folder',
    'the record of a connection is damaged: restore it from an export',
  )
}
