import { expect, test } from 'vitest'
import type { Json } from '../../../src/codec/json.ts'
import { encodeBase64UrlJson } from '../../../src/didcomm/base64url.ts'
import {
  createIdentity,
  encodeDidKey,
  invitationUrl,
  makeInvitation,
  readInvitation,
  resolveDid,
  shortDid,
} from '../../../src/didcomm/didcomm.ts'

const { did } = createIdentity(new Uint8Array(64).fill(7), 'https://alice.example/v1/didcomm')
const invitation = makeInvitation({ id: 'i1', from: did, goal: 'to do business' })
const read = (message: unknown) =>
  readInvitation(`https://alice.example/?_oob=${encodeBase64UrlJson(message as Json)}`, 0)

test('an invitation is in the _oob of its URL, beside whatever else stands there', () => {
  const url = invitationUrl('https://alice.example/join?coupon=1', invitation)
  expect(url).toMatch(/^https:\/\/alice\.example\/join\?coupon=1&_oob=[A-Za-z0-9_-]+$/)
  expect(readInvitation(url, 0)).toMatchObject({
    message: JSON.parse(JSON.stringify(invitation)), // what is not said is left out
    inviter: { did },
  })
  expect(readInvitation(`${url}==`, 0)).toMatchObject({ kind: 'invitation' }) // some pad their base64url
})

test('another message, or none, is no invitation', () => {
  expect(read({ ...invitation, type: 'https://didcomm.org/out-of-band/1.0/invitation' })).toMatchObject({
    code: 'malformed-invitation',
  })
  expect(read({ ...invitation, from: undefined })).toMatchObject({ code: 'malformed-invitation' })
  expect(read({ ...invitation, id: 'x'.repeat(129) })).toMatchObject({ code: 'malformed-invitation' })
  expect(read({ ...invitation, goal: 'x'.repeat(16_384) })).toMatchObject({ code: 'malformed-invitation' })
  for (const url of [
    '',
    'alice.example',
    'https://alice.example/',
    'https://alice.example/?_oob=',
    'https://alice.example/?_oob=A',
  ])
    expect(readInvitation(url, 0), url).toMatchObject({ code: 'malformed-invitation' })
})

test('an inviter whose keys nobody can know is refused', () => {
  for (const from of ['did:example:alice', shortDid(did), did.slice(0, -1)])
    expect(read({ ...invitation, from }), from).toMatchObject({ code: 'unresolvable-did' })
  const key = encodeDidKey(resolveDid(did)!.authentication[0]!.publicKey)
  expect(read({ ...invitation, from: key })).toMatchObject({ inviter: { did: key } })
})
