import { x25519 } from '@noble/curves/ed25519.js'
import { expect, test } from 'vitest'
import { decodeHex } from '../../../src/codec/bytes.ts'
import type { Json } from '../../../src/codec/json.ts'
import { encodeBase64Url } from '../../../src/didcomm/base64url.ts'
import { readDidDocument } from '../../../src/didcomm/did-document.ts'
import { encodePeer4 } from '../../../src/didcomm/did-peer-4.ts'
import { createIdentity, encodeDidKey, resolveDid, shortDid } from '../../../src/didcomm/didcomm.ts'
import { encodeMultikey } from '../../../src/didcomm/multikey.ts'
import { isSmallOrder } from '../../../src/didcomm/small-order.ts'

const fixed = (size: number, seed: number) =>
  Uint8Array.from({ length: size }, (_, at) => (seed * 101 + at * 37) & 0xff)
const { did, agreementKey } = createIdentity(fixed(64, 1), 'https://alice.example/v1/didcomm')
const document = resolveDid(did)!
const signing = encodeMultikey({ kind: 'ed25519', bytes: document.authentication[0]!.publicKey })
const agreement = encodeMultikey({ kind: 'x25519', bytes: document.keyAgreement[0]!.publicKey })

const subject = 'did:example:alice'
const read = (members: Record<string, Json>) =>
  readDidDocument(subject, {
    verificationMethod: [
      { id: '#sign', publicKeyMultibase: signing },
      { id: `${subject}#agree`, publicKeyMultibase: agreement },
    ],
    authentication: ['#sign'],
    keyAgreement: ['#agree'],
    ...members,
  })!

test('a fresh identity’s document has its two keys and its endpoint', () => {
  expect(document).toMatchObject({
    did,
    authentication: [{ fragment: '#key-1' }],
    keyAgreement: [{ fragment: '#key-2', publicKey: x25519.getPublicKey(agreementKey) }],
    endpoint: 'https://alice.example/v1/didcomm',
  })
  expect(resolveDid(createIdentity(fixed(64, 1)).did)).not.toHaveProperty('endpoint')
})

test('keys are found by relative and absolute references, and when they are embedded', () => {
  expect(read({ keyAgreement: [`${subject}#agree`] }).keyAgreement).toEqual(read({}).keyAgreement)
  const x = encodeBase64Url(document.keyAgreement[0]!.publicKey)
  const jwk = { id: '#jwk', publicKeyJwk: { kty: 'OKP', crv: 'X25519', x } }
  expect(read({ keyAgreement: [jwk] }).keyAgreement).toEqual([
    { fragment: '#jwk', publicKey: document.keyAgreement[0]!.publicKey },
  ])
})

test('keys of other kinds, of other owners, or that everybody knows the secret of are passed over', () => {
  const ed = (bytes: Uint8Array) => encodeMultikey({ kind: 'ed25519', bytes })
  const x = (bytes: Uint8Array) => encodeMultikey({ kind: 'x25519', bytes })
  const keyAgreements = [
    { id: '#p256', publicKeyJwk: { kty: 'EC', crv: 'P-256', x: 'AA' } },
    { id: '#other', publicKeyMultibase: agreement, controller: 'did:example:bob' },
    { id: 'did:example:bob#other', publicKeyMultibase: agreement },
    { id: '#signing', publicKeyMultibase: signing },
    { id: '#zero', publicKeyMultibase: x(new Uint8Array(32)) },
    '#nowhere',
  ]
  expect(read({ keyAgreement: keyAgreements }).keyAgreement).toEqual([])
  expect(
    read({ authentication: [{ id: '#one', publicKeyMultibase: ed(fixed(32, 0).fill(0).fill(1, 0, 1)) }] })
      .authentication,
  ).toEqual([])
})

test('X25519 keys of small order are those that agreeing with fails', () => {
  const p = 2n ** 255n - 19n
  const littleEndian = (value: bigint) => decodeHex(value.toString(16).padStart(64, '0')).reverse()
  const gives = (key: Uint8Array): boolean => {
    try {
      x25519.getSharedSecret(fixed(32, 9), key)
      return true
    } catch {
      return false
    }
  }
  const orderEight = [
    325606250916557431795983626356110631294008115727848805560023387167927233504n,
    39382357235489614581723060781553021112529911719440698176882885853963445705823n,
  ]
  const small = [0n, 1n, ...orderEight, p - 1n, p, p + 1n].flatMap((u) => [u, u + 2n ** 255n])
  for (const u of small)
    expect([isSmallOrder(littleEndian(u)), gives(littleEndian(u))], String(u)).toEqual([true, false])
  const sound = [2n, 9n, p - 2n, p + 2n, ...orderEight.map((u) => u + 1n)]
  for (const u of sound)
    expect([isSmallOrder(littleEndian(u)), gives(littleEndian(u))], String(u)).toEqual([false, true])
})

test('the endpoint is the first that is a URL to post to without a mediator', () => {
  const service = (serviceEndpoint: Json, type: Json = 'DIDCommMessaging') => ({
    id: '#s',
    type,
    serviceEndpoint,
  })
  const uri = 'https://alice.example/didcomm'
  const endpointOf = (...services: Json[]) => read({ service: services }).endpoint
  expect(endpointOf(service(uri))).toBe(uri)
  expect(endpointOf(service({ uri }))).toBe(uri)
  expect(endpointOf(service([{ uri: 'didcomm:transport/queue' }, { uri, routingKeys: [] }]))).toBe(uri)
  expect(
    endpointOf(service({ uri: 'https://mediator.example', routingKeys: ['did:example:m#1'] }), service(uri)),
  ).toBe(uri)
  expect(endpointOf(service({ uri: 'wss://alice.example/didcomm' }))).toBe('wss://alice.example/didcomm')
  for (const other of [
    'file:///etc/passwd',
    'javascript:alert(1)',
    'https://',
    `https://a.example/${'x'.repeat(1_024)}`,
  ])
    expect(endpointOf(service(other)), other).toBeUndefined()
  expect(endpointOf(service(uri, 'LinkedDomains'))).toBeUndefined()
})

test('a document beyond the limits is none', () => {
  const many = Array.from({ length: 33 }, (_, at) => ({ id: `#k${at}`, publicKeyMultibase: agreement }))
  expect(readDidDocument(subject, { keyAgreement: many })).toBeUndefined()
  expect(readDidDocument(subject, { keyAgreement: many.slice(1) })!.keyAgreement).toHaveLength(8)
  expect(resolveDid(encodePeer4({ service: [], more: 'x'.repeat(1_900) }))).toBeDefined()
  expect(resolveDid(`${shortDid(did)}:z${'1'.repeat(3_000)}`)).toBeUndefined()
})

// The pair that the did:key specification gives for an Ed25519 key and the X25519 key derived from it.
test('a did:key signs and agrees with its one key', () => {
  const ed = 'z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'
  const resolved = resolveDid(`did:key:${ed}`)!
  expect(resolved.authentication).toMatchObject([{ fragment: `#${ed}` }])
  expect(resolved.keyAgreement).toMatchObject([
    { fragment: '#z6LSj72tK8brWgZja8NLRwPigth2T9QRiG1uH9oKZuKjdh9p' },
  ])
  expect(encodeDidKey(resolved.authentication[0]!.publicKey)).toBe(resolved.did)
})
