/**
 * Signatures that can be shown to others: JWS with EdDSA over Ed25519 alone, in general and flattened JSON,
 * and in compact form for JWTs. The equation is the network's own signature rule.
 *
 * @see https://www.rfc-editor.org/rfc/rfc7515 and RFC 8037 §3.1
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import * as z from 'zod'
import { encodeUtf8 } from '../codec/bytes.ts'
import type { Json } from '../codec/json.ts'
import { verifyPortable } from '../crypto/ed25519.ts'
import { decodeBase64Url, decodeBase64UrlJson, encodeBase64Url, encodeBase64UrlJson } from './base64url.ts'
import { type DidUrl, parseDidUrl } from './did.ts'
import type { DidDocument } from './did-document.ts'
import { maxDidUrlChars, maxEnvelopeBytes, maxProtectedChars } from './limits.ts'

export const signedMediaType = 'application/didcomm-signed+json'

/** General JSON with one signature. */
export interface Jws {
  readonly payload: string
  readonly signatures: readonly [
    { readonly protected: string; readonly signature: string; readonly header: { readonly kid: string } },
  ]
}

/** A JWS that was read, and not verified yet. */
export interface ReadJws {
  readonly payload: Uint8Array
  /** Of the protected header. */
  readonly typ?: string
  readonly signer: DidUrl
  readonly signed: Uint8Array
  readonly signature: Uint8Array
}

const part = z.string().max(maxEnvelopeBytes)
const signatureSchema = z.looseObject({
  protected: z.string().max(maxProtectedChars),
  signature: z.string().max(128),
  header: z.looseObject({ kid: z.string().max(maxDidUrlChars).optional() }).optional(),
})
const jwsSchema = z.union([
  z.looseObject({ payload: part, signatures: z.tuple([signatureSchema]) }),
  signatureSchema.extend({ payload: part, signatures: z.undefined().optional() }),
])
const headerSchema = z.looseObject({
  alg: z.literal('EdDSA'),
  typ: z.string().optional(),
  kid: z.string().max(maxDidUrlChars).optional(),
  crit: z.undefined().optional(),
  b64: z.undefined().optional(),
})

/** @param kid - the signer's DID and the fragment of its key */
export const signJws = (payload: Uint8Array, typ: string, kid: string, signingKey: Uint8Array): Jws => {
  const header = encodeBase64UrlJson({ typ, alg: 'EdDSA' })
  const encoded = encodeBase64Url(payload)
  return {
    payload: encoded,
    signatures: [{ protected: header, signature: sign(header, encoded, signingKey), header: { kid } }],
  }
}

/** @returns undefined when it is no JWS of one EdDSA signature by a DID's key */
export const readJws = (value: unknown): ReadJws | undefined => {
  const { data: jws } = jwsSchema.safeParse(value)
  if (!jws) return undefined
  const signature =
    'signatures' in jws && jws.signatures ? jws.signatures[0] : (jws as z.output<typeof signatureSchema>)
  return readParts(signature.protected, jws.payload, signature.signature, signature.header?.kid)
}

export const signCompact = (payload: Json, typ: string, kid: string, signingKey: Uint8Array): string => {
  const header = encodeBase64UrlJson({ typ, alg: 'EdDSA', kid })
  const encoded = encodeBase64UrlJson(payload)
  return `${header}.${encoded}.${sign(header, encoded, signingKey)}`
}

/** @returns undefined when it is no compact JWS with EdDSA by a DID's key */
export const readCompact = (text: string): ReadJws | undefined => {
  const [header, payload, signature, ...more] = text.split('.')
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0)
    return undefined
  return readParts(header, payload, signature)
}

const sign = (header: string, payload: string, signingKey: Uint8Array): string =>
  encodeBase64Url(ed25519.sign(encodeUtf8(`${header}.${payload}`), signingKey))

const readParts = (
  encodedHeader: string,
  encodedPayload: string,
  encodedSignature: string,
  unprotectedKid?: string,
): ReadJws | undefined => {
  const { data: header } = headerSchema.safeParse(decodeBase64UrlJson(encodedHeader))
  const payload = decodeBase64Url(encodedPayload)
  const signature = decodeBase64Url(encodedSignature)
  if (header?.kid !== undefined && unprotectedKid !== undefined) return undefined // RFC 7515 §4: one or the other
  const kid = header?.kid ?? unprotectedKid
  const signer = parseDidUrl(kid ?? '')
  if (!header || !payload || !signature || !signer) return undefined
  return {
    payload,
    ...(header.typ === undefined ? {} : { typ: header.typ }),
    signer,
    signed: encodeUtf8(`${encodedHeader}.${encodedPayload}`),
    signature,
  }
}

/** Whether the key that the JWS names is one that this DID authenticates with, and the signature is by it. About 1 ms. */
export const isSignedBy = (
  { signer, signed, signature }: ReadJws,
  { authentication }: DidDocument,
): boolean => {
  const key = authentication.find(({ fragment }) => fragment === signer.fragment)
  return key !== undefined && verifyPortable(key.publicKey, signed, signature)
}
