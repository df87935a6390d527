/**
 * did:peer:2: keys and services, one after the other, in the DID itself. Read, never written here.
 *
 * @see https://identity.foundation/peer-did-method-spec/#method-2-multiple-inception-key-without-doc
 */
import type { Json } from '../codec/json.ts'
import { decodeBase64UrlJson } from './base64url.ts'
import { isDid } from './did.ts'
import { type DidDocument, readDidDocument } from './did-document.ts'

/** The purposes that matter for messages; the others only take their place in the numbering. */
const keyPurposes = new Set(['A', 'E', 'V', 'I', 'D'])
const names: Readonly<Record<string, string>> = {
  t: 'type',
  s: 'serviceEndpoint',
  r: 'routingKeys',
  a: 'accept',
}

/** @returns undefined when it is no did:peer:2 that can be read */
export const resolvePeer2 = (did: string): DidDocument | undefined => {
  const prefix = 'did:peer:2'
  if (!isDid(did) || !did.startsWith(`${prefix}.`)) return undefined
  const elements = did.slice(prefix.length + 1).split('.')
  const keys = elements
    .filter((element) => keyPurposes.has(element.charAt(0)))
    .map((element, at) => ({
      purpose: element.charAt(0),
      id: `#key-${at + 1}`,
      publicKeyMultibase: element.slice(1),
    }))
  const services = elements
    .filter((element) => element.startsWith('S'))
    .map((element) => service(element.slice(1)))
  if (keys.length + services.length !== elements.length || services.includes(undefined)) return undefined
  const idsOf = (wanted: string): string[] =>
    keys.filter(({ purpose }) => purpose === wanted).map(({ id }) => id)
  return readDidDocument(did, {
    verificationMethod: keys.map(({ id, publicKeyMultibase }) => ({ id, publicKeyMultibase })),
    authentication: idsOf('V'),
    keyAgreement: idsOf('E'),
    service: services.flat() as Json[],
  })
}

/** Some wrote all services into one list. */
const service = (encoded: string): Json | undefined => {
  const value = decodeBase64UrlJson(encoded)
  return value === undefined ? undefined : spellOut(value)
}

const spellOut = (value: Json): Json => {
  if (Array.isArray(value)) return value.map(spellOut)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value as Record<string, Json>).map(([short, member]) => {
      const name = names[short] ?? short
      return [name, name === 'type' && member === 'dm' ? 'DIDCommMessaging' : spellOut(member)]
    }),
  )
}
