import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../../src/codec/json.ts'
import { decodeBase64Url, decodeJson } from '../../../src/didcomm/base64url.ts'
import { type DidDocument, readDidDocument } from '../../../src/didcomm/did-document.ts'
import { decodePeer4, encodePeer4 } from '../../../src/didcomm/did-peer-4.ts'
import { isRefused, readEnvelope, readMessage, resolveDid, shortDid } from '../../../src/didcomm/didcomm.ts'
import { isSignedBy, readJws } from '../../../src/didcomm/jws.ts'
import { decryptEnvelope } from '../../../src/didcomm/open.ts'

/** What the specifications print. Whatever of it needs a P curve is outside of the profile, and must be refused by its name. */
const vectors = JSON.parse(readFileSync(join(import.meta.dirname, 'specification.json'), 'utf8')) as {
  readonly secrets: readonly { readonly kid: string; readonly crv: string; readonly d: string }[]
  readonly documents: readonly { readonly id: string }[]
  readonly plaintext: Json
  readonly encrypted: { readonly fitting: readonly Json[]; readonly other: readonly Json[] }
  readonly signed: { readonly fitting: readonly Json[]; readonly other: readonly Json[] }
  readonly peer4: { readonly long: string; readonly short: string; readonly input: Json }
  readonly peer2: { readonly did: string; readonly document: { readonly service: readonly unknown[] } }
}

const documentOf = (did: string): DidDocument => {
  const document = readDidDocument(did, vectors.documents.find(({ id }) => id === did) as unknown as Json)
  if (!document) throw new Error(`${did} has no document`)
  return document
}
const secretOf = (kid: string): Uint8Array =>
  decodeBase64Url(vectors.secrets.find((secret) => secret.kid === kid)!.d)!

/** The appendix signs and seals its message with a `typ` and another `type` than it prints. */
const meant = {
  ...(vectors.plaintext as object),
  type: 'http://example.com/protocols/lets_do_lunch/1.0/proposal',
}

describe('DIDComm v2.1, appendix C', () => {
  test.for(vectors.encrypted.fitting.map((jwe, at) => [at, jwe] as const))(
    'envelope %i of the profile is opened by each of its recipients',
    ([, jwe]) => {
      const envelope = readEnvelope(JSON.stringify(jwe))
      if (isRefused(envelope)) throw new Error(envelope.detail)
      expect(envelope.recipients).toHaveLength(3)
      const { sender } = envelope
      const senderKey =
        sender &&
        documentOf(sender.did).keyAgreement.find(({ fragment }) => fragment === sender.fragment)?.publicKey
      for (const [at, kid] of envelope.recipients.entries()) {
        const content = decryptEnvelope(envelope, at, secretOf(kid), senderKey)
        expect(readMessage(decodeJson(content!)!)).toMatchObject(meant)
      }
    },
  )

  test('both kinds of envelope are among them', () => {
    const kinds = vectors.encrypted.fitting.map((jwe) => readEnvelope(JSON.stringify(jwe)))
    expect(kinds.map((kind) => 'sender' in kind).sort()).toEqual([false, true])
  })

  test('envelopes of other curves are refused before any key is touched', () => {
    for (const jwe of vectors.encrypted.other)
      expect(readEnvelope(JSON.stringify(jwe))).toMatchObject({
        kind: 'refused',
        code: 'unsupported-algorithm',
      })
    expect(vectors.encrypted.other.length).toBeGreaterThan(0)
  })

  test('the EdDSA signature is verified, and the ones of other algorithms are not', () => {
    for (const jws of vectors.signed.fitting) {
      const read = readJws(jws)!
      expect(isSignedBy(read, documentOf('did:example:alice'))).toBe(true)
      expect(readMessage(decodeJson(read.payload)!)).toMatchObject(meant)
      const changed = { ...read, signed: read.signed.map((byte, at) => (at === 0 ? byte ^ 1 : byte)) }
      expect(isSignedBy(changed, documentOf('did:example:alice'))).toBe(false)
    }
    expect(vectors.signed.fitting).toHaveLength(1)
    expect(vectors.signed.other.map(readJws)).toEqual([undefined, undefined])
  })
})

describe('Peer DID Method', () => {
  const { peer4, peer2 } = vectors

  test('the did:peer:4 of the specification is its input document, and has its short form', () => {
    expect(decodePeer4(peer4.long)).toEqual(peer4.input)
    expect(shortDid(peer4.long)).toBe(peer4.short)
    const document = resolveDid(peer4.long)!
    expect(document.authentication.map(({ fragment }) => fragment)).toEqual(['#6MkrCD1c'])
    expect(document.keyAgreement.map(({ fragment }) => fragment)).toEqual(['#6LSqPZfn'])
    expect(document.endpoint).toBeUndefined() // didcomm:transport/queue is no URL to post to
  })

  test('a did:peer:4 whose hash is of another document isn’t resolved', () => {
    const [, other] = encodePeer4({ service: [] }).split(/:(?=z)/)
    expect(resolveDid(`${peer4.short}:${other}`)).toBeUndefined()
    expect(resolveDid(peer4.short)).toBeUndefined()
  })

  test('the did:peer:2 of the specification has its keys, numbered as they come', () => {
    const document = resolveDid(peer2.did)!
    expect(document.authentication.map(({ fragment }) => fragment)).toEqual(['#key-1'])
    expect(document.keyAgreement.map(({ fragment }) => fragment)).toEqual(['#key-2'])
    const read = readDidDocument(peer2.did, peer2.document as unknown as Json)
    expect(document).toEqual(read)
    expect(document.endpoint).toBeUndefined() // both of its services ask for a mediator
  })
})
