import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { encodeUtf8 } from '../../../src/codec/bytes.ts'
import {
  commitmentOf,
  createIdentity,
  invitationUrl,
  isRefused,
  makeBasicMessage,
  makeId,
  makeInvitation,
  openEnvelope,
  readEnvelope,
  readInvitation,
  readStatement,
  resolveDid,
  sealAnonymously,
  sealEnd,
  sealMessage,
  shortCode,
  shortDid,
  signFromPrior,
  signMessage,
  signStatement,
  verifyFromPrior,
} from '../../../src/didcomm/didcomm.ts'

/**
 * What we write is kept to the byte: backups, tombstones and statements outlive the program that wrote them. A
 * change here is a change of what peers and disks hold, and needs a reason as good as that sounds.
 */
const file = join(import.meta.dirname, 'frozen.json')
const frozen = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>

const fixed = (size: number, seed: number) =>
  Uint8Array.from({ length: size }, (_, at) => (seed * 101 + at * 37) & 0xff)
const now = 1_790_000_000
const alice = createIdentity(fixed(64, 1), 'https://alice.example/v1/didcomm')
const bob = createIdentity(fixed(64, 2))
const [aliceDocument, bobDocument] = [resolveDid(alice.did)!, resolveDid(bob.did)!]
const [from, to] = [shortDid(alice.did), shortDid(bob.did)]
const recipient = { ...bobDocument, did: to }
const message = makeBasicMessage(
  { id: makeId(fixed(16, 3)), from, to: [to], created_time: now },
  'grüße, 世界',
)
const record = { version: 1, didA: from, didB: to, invitationId: 'i1', created: now } as const
const receipt = { c: 'c'.repeat(64), transaction: 't'.repeat(64) }

const written = {
  did: alice.did,
  didWithoutEndpoint: bob.did,
  envelope: sealMessage(message, alice, { recipient, entropy: fixed(112, 4) }),
  signedEnvelope: sealMessage(message, alice, { recipient, entropy: fixed(112, 5), signed: true }),
  anonymousEnvelope: sealAnonymously(signMessage(message, alice), { recipient, entropy: fixed(112, 6) }),
  end: sealEnd(alice, { id: 'e1', issuer: from, issuedAt: now }, { recipient, entropy: fixed(112, 7) }),
  invitation: invitationUrl(
    'https://alice.example/',
    makeInvitation({ id: 'i1', from: alice.did, goal: 'business', createdTime: now, expiresTime: now + 60 }),
  ),
  fromPrior: signFromPrior(alice, { issuer: from, subject: bob.did, issuedAt: now }),
  record: JSON.stringify(signStatement('connection', record, { identity: alice, did: from })),
  receipt: JSON.stringify(signStatement('receipt', receipt, { identity: alice, did: from })),
  shortCode: shortCode(alice.did, bob.did),
  commitment: commitmentOf(fixed(32, 8), encodeUtf8('the price is 12,000')),
}

test('what we write is what we wrote when it was frozen', () => {
  expect(written).toEqual(frozen)
})

test('what was written then is read today', () => {
  const open = (text: string) => {
    const envelope = readEnvelope(text)
    return isRefused(envelope)
      ? envelope
      : openEnvelope(envelope, { identity: bob, now, from: { kind: 'peer', peer: aliceDocument } })
  }
  for (const name of ['envelope', 'signedEnvelope', 'anonymousEnvelope'])
    expect(open(frozen[name]!), name).toMatchObject({ kind: 'message', message })
  expect(open(frozen.end!)).toMatchObject({ kind: 'end', issuedAt: now })
  expect(readInvitation(frozen.invitation!, now)).toMatchObject({ inviter: { did: alice.did } })
  expect(verifyFromPrior(frozen.fromPrior!, { peer: aliceDocument })).toMatchObject({ subject: bob.did })
  expect(readStatement('connection', JSON.parse(frozen.record!), aliceDocument)).toEqual({
    kind: 'statement',
    statement: record,
    jws: JSON.parse(frozen.record!),
  })
  expect(readStatement('receipt', JSON.parse(frozen.receipt!), aliceDocument)).toEqual({
    kind: 'statement',
    statement: receipt,
    jws: JSON.parse(frozen.receipt!),
  })
})
