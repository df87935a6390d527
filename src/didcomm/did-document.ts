/**
 * What a DID says: which keys it signs and agrees with, and where its messages go.
 *
 * Only Ed25519 and X25519 keys are seen; others are passed over, as is a service that asks for a mediator,
 * because nothing here goes through one.
 */
import * as z from 'zod'
import type { Json } from '../codec/json.ts'
import { isAcceptablePoint } from '../crypto/ed25519.ts'
import { decodeBase64Url } from './base64url.ts'
import { isSameDid } from './did.ts'
import { maxDidUrlChars, maxDocumentKeys, maxEndpointChars, maxRecipients } from './limits.ts'
import { decodeMultikey, type PublicKey } from './multikey.ts'
import { isSmallOrder } from './small-order.ts'

export interface DocumentKey {
  /** With its `#`, relative to the DID. */
  readonly fragment: string
  /** 32 bytes. */
  readonly publicKey: Uint8Array
}

export interface DidDocument {
  /** In the form that was resolved: the long one lets it be resolved again. */
  readonly did: string
  /** Ed25519. */
  readonly authentication: readonly DocumentKey[]
  /** X25519. */
  readonly keyAgreement: readonly DocumentKey[]
  /** Where its messages go, by https, http, wss or ws; absent when it can't be reached. Chosen by its owner: guard before dialling. */
  readonly endpoint?: string
}

const text = z.string().max(maxDidUrlChars)
const methodSchema = z.looseObject({
  id: text,
  controller: text.optional(),
  publicKeyMultibase: z.string().max(256).optional(),
  publicKeyJwk: z
    .looseObject({ kty: z.string(), crv: z.string().optional(), x: z.string().max(256).optional() })
    .optional(),
})
type Method = z.output<typeof methodSchema>
const relationship = z
  .array(z.union([text, methodSchema]))
  .max(maxDocumentKeys)
  .optional()
const endpoint = z.looseObject({ uri: z.string(), routingKeys: z.array(z.unknown()).optional() })
const endpoints = z.union([z.string(), endpoint, z.array(z.union([z.string(), endpoint])).max(maxRecipients)])
const serviceSchema = z.looseObject({
  type: z.union([z.string(), z.array(z.string()).max(maxRecipients)]),
  serviceEndpoint: z.unknown(),
})
const documentSchema = z.looseObject({
  verificationMethod: z.array(methodSchema).max(maxDocumentKeys).optional(),
  authentication: relationship,
  keyAgreement: relationship,
  service: z.array(serviceSchema).max(maxRecipients).optional(),
})

/** @returns undefined when it is no DID document within the limits */
export const readDidDocument = (did: string, value: Json): DidDocument | undefined => {
  const { data: document } = documentSchema.safeParse(value)
  if (!document) return undefined
  const methods = document.verificationMethod ?? []
  const keysOf = (references: readonly (string | Method)[], kind: PublicKey['kind']): DocumentKey[] =>
    references
      .map((reference) => (typeof reference === 'string' ? findMethod(did, methods, reference) : reference))
      .flatMap((method) => (method ? documentKey(did, method, kind) : []))
      .slice(0, maxRecipients)
  const uri = findEndpoint(document.service ?? [])
  return {
    did,
    authentication: keysOf(document.authentication ?? [], 'ed25519'),
    keyAgreement: keysOf(document.keyAgreement ?? [], 'x25519'),
    ...(uri === undefined ? {} : { endpoint: uri }),
  }
}

const findMethod = (did: string, methods: readonly Method[], reference: string): Method | undefined =>
  methods.find(({ id }) => fragmentOf(did, id) === fragmentOf(did, reference))

const documentKey = (did: string, method: Method, kind: PublicKey['kind']): DocumentKey[] => {
  const fragment = fragmentOf(did, method.id)
  if (fragment === undefined) return []
  if (method.controller !== undefined && !isSameDid(method.controller, did)) return []
  const key = publicKeyOf(method)
  if (key?.kind !== kind || !isUsable(key)) return []
  return [{ fragment, publicKey: key.bytes }]
}

/** Nobody can sign with the keys that are refused here, or everybody can; and sealing for them fails. */
const isUsable = ({ kind, bytes }: PublicKey): boolean =>
  kind === 'ed25519' ? isAcceptablePoint(bytes) : !isSmallOrder(bytes)

/** Both `#key-1` and `<DID>#key-1` are allowed. */
const fragmentOf = (did: string, id: string): string | undefined => {
  const at = id.indexOf('#')
  if (at === -1 || at === id.length - 1) return undefined
  return at === 0 || isSameDid(id.slice(0, at), did) ? id.slice(at) : undefined
}

const publicKeyOf = ({ publicKeyMultibase, publicKeyJwk }: Method): PublicKey | undefined =>
  publicKeyMultibase === undefined ? publicKeyOfJwk(publicKeyJwk) : decodeMultikey(publicKeyMultibase)

const curves: Readonly<Record<string, PublicKey['kind']>> = { Ed25519: 'ed25519', X25519: 'x25519' }

/** RFC 8037 §2. */
const publicKeyOfJwk = (jwk: Method['publicKeyJwk']): PublicKey | undefined => {
  const kind = curves[jwk?.crv ?? '']
  const bytes = decodeBase64Url(jwk?.x ?? '')
  return jwk?.kty === 'OKP' && kind && bytes?.length === 32 ? { kind, bytes } : undefined
}

const findEndpoint = (services: readonly z.output<typeof serviceSchema>[]): string | undefined => {
  for (const { type, serviceEndpoint } of services) {
    if (![type].flat().includes('DIDCommMessaging')) continue
    const { data } = endpoints.safeParse(serviceEndpoint)
    for (const one of [data ?? []].flat()) {
      const { uri, routingKeys } = typeof one === 'string' ? { uri: one, routingKeys: [] } : one
      if ((routingKeys ?? []).length === 0 && isEndpoint(uri)) return uri
    }
  }
  return undefined
}

const isEndpoint = (uri: string): boolean =>
  uri.length <= maxEndpointChars && /^(https?|wss?):\/\//.test(uri) && URL.canParse(uri)
