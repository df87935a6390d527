import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  type Correspondent,
  createIdentity,
  type DidDocument,
  type Identity,
  isRefused,
  type Message,
  makeBasicMessage,
  openEnvelope,
  readEnvelope,
  readStatement,
  resolveDid,
  sealAnonymously,
  sealEnd,
  sealMessage,
  shortDid,
  signFromPrior,
  signMessage,
  signStatement,
  type Verdict,
} from '../../../src/didcomm/didcomm.ts'
import { encodeMultikey } from '../../../src/didcomm/multikey.ts'
import { ForeignAgent, newMessage, resolveByCredo } from './foreign-agent.mjs'

const now = 1_790_000_000
const endpoint = 'https://node.example/v1/didcomm'
let drawn = 0
/** Different bytes at each call, the same in each run. */
const draw = (count: number): Uint8Array => {
  drawn++
  return Uint8Array.from({ length: count }, (_, at) => (drawn * 167 + at * 59) & 0xff)
}

/** One of ours and one of theirs, who know each other's DID. */
const pair = (method = 4) => {
  const agent = new ForeignAgent()
  const ours = createIdentity(draw(64), endpoint)
  const theirs = agent.makeDid('https://agent.example/didcomm', method)
  agent.learn(ours.did)
  return { agent, ours, theirs, peer: documentOf(theirs) }
}
const documentOf = (did: string): DidDocument => {
  const document = resolveDid(did)
  if (!document) throw new Error(`not resolved: ${did}`)
  return document
}
const seal = (recipient: DidDocument) => ({ recipient, entropy: draw(112) })
const open = (text: string, identity: Identity, from: Correspondent): Verdict => {
  const envelope = readEnvelope(text)
  return isRefused(envelope) ? envelope : openEnvelope(envelope, { identity, now, from })
}
const lunch = (from: string, to: string): Message =>
  makeBasicMessage({ id: 'lunch-1', from, to: [to], created_time: now }, 'Lunch? Mittagessen? 昼ご飯?')
const type = 'https://didcomm.org/basicmessage/2.0/message'

test('the foreign agent shares no code with ours', () => {
  const source = readFileSync(join(import.meta.dirname, 'foreign-agent.mjs'), 'utf8')
  const imports = [...source.matchAll(/ from '(.+)'/g)].map(([, name]) => name)
  expect(imports.sort()).toEqual(['@credo-ts/core', '@scure/base', 'didcomm-node', 'jose', 'node:crypto'])
})

describe.for([4, 2])('didcomm-node, with did:peer:%i', (method) => {
  test('opens what we seal, and knows whom it is from', async () => {
    const { agent, ours, theirs, peer } = pair(method)
    const opened = await agent.open(sealMessage(lunch(ours.did, theirs), ours, seal(peer)))
    expect(opened.message).toMatchObject(lunch(ours.did, theirs))
    expect(opened.metadata).toMatchObject({
      authenticated: true,
      non_repudiation: false,
      encrypted_from_kid: `${ours.did}#key-2`,
    })
  })

  test('seals what we open', async () => {
    const { agent, ours, theirs, peer } = pair(method)
    const message = newMessage(type, { content: 'yes' }, { from: theirs, to: [ours.did] })
    const verdict = open(await agent.seal(message, ours.did), ours, { kind: 'peer', peer })
    expect(verdict).toMatchObject({ kind: 'message', message, sender: { did: theirs } })
  })
})

describe('didcomm-node', () => {
  test('understands the short forms when it has seen the long ones', async () => {
    const { agent, ours, theirs, peer } = pair()
    const [from, to] = [shortDid(ours.did), shortDid(theirs)]
    const opened = await agent.open(sealMessage(lunch(from, to), ours, seal({ ...peer, did: to })))
    expect(opened.message).toMatchObject({ from, to: [to] })
    const message = newMessage(type, {}, { from: to, to: [from] })
    expect(open(await agent.seal(message, from), ours, { kind: 'peer', peer })).toMatchObject({ message })
  })

  test('accepts our invitation from a DID that we have never seen', async () => {
    const { agent, ours, theirs } = pair()
    const message = newMessage(type, {}, { from: theirs, to: [ours.did], pthid: 'invitation-1' })
    const from: Correspondent = { kind: 'invited', invitationId: 'invitation-1' }
    expect(open(await agent.seal(message, ours.did), ours, from)).toMatchObject({ sender: { did: theirs } })
  })

  test('opens what we seal anonymously', async () => {
    const { agent, ours, theirs, peer } = pair()
    const { from: _, ...message } = lunch(ours.did, theirs)
    const opened = await agent.open(sealAnonymously(message as Message, seal(peer)))
    expect(opened.message).toMatchObject({ body: message.body })
    expect(opened.metadata).toMatchObject({ authenticated: false, anonymous_sender: true })
  })

  test('verifies what we sign, in an envelope of either kind', async () => {
    const { agent, ours, theirs, peer } = pair()
    const message = lunch(ours.did, theirs)
    const signed = { non_repudiation: true, sign_from: `${ours.did}#key-1` }
    expect(
      (await agent.open(sealMessage(message, ours, { ...seal(peer), signed: true }))).metadata,
    ).toMatchObject(signed)
    const anonymous = await agent.open(sealAnonymously(signMessage(message, ours), seal(peer)))
    expect(anonymous.metadata).toMatchObject({ ...signed, anonymous_sender: true })
    expect(anonymous.message).toMatchObject(message)
  })

  test.for(['A256cbcHs512EcdhEsA256kw', 'A256gcmEcdhEsA256kw', 'Xc20pEcdhEsA256kw'])(
    'seals anonymously with %s what it has signed, and we open and verify it',
    async (algorithm) => {
      const { agent, ours, theirs, peer } = pair()
      const message = newMessage(type, { content: 'signed' }, { from: theirs, to: [ours.did] })
      const text = await agent.sealAnonymously(message, ours.did, { algorithm, signBy: theirs })
      const verdict = open(text, ours, { kind: 'peer', peer })
      expect(verdict).toMatchObject({ kind: 'message', message, signed: {} })
      const unsigned = await agent.sealAnonymously(message, ours.did, { algorithm })
      expect(open(unsigned, ours, { kind: 'peer', peer })).toMatchObject({ code: 'anonymous' })
    },
  )

  test('signs and seals with its key what we open, and the signature is there to be shown', async () => {
    const { agent, ours, theirs, peer } = pair()
    const message = newMessage(type, {}, { from: theirs, to: [ours.did] })
    const verdict = open(await agent.seal(message, ours.did, { signBy: theirs }), ours, {
      kind: 'peer',
      peer,
    })
    if (verdict.kind !== 'message') throw new Error(`not opened: ${verdict.kind}`)
    expect((await agent.verify(verdict.signed)).payload).toMatchObject(message)
  })

  test('hides its key from a mediator, which we refuse by name: there is none here', async () => {
    const { agent, ours, theirs, peer } = pair()
    const message = newMessage(type, {}, { from: theirs, to: [ours.did] })
    const text = await agent.seal(message, ours.did, { protectSender: true })
    expect(open(text, ours, { kind: 'peer', peer })).toMatchObject({ code: 'nested-encryption' })
  })

  test('seals more than the limit, which we refuse', async () => {
    const { agent, ours, theirs, peer } = pair()
    const content = 'x'.repeat(66_000)
    const text = await agent.seal(newMessage(type, { content }, { from: theirs, to: [ours.did] }), ours.did)
    expect(open(text, ours, { kind: 'peer', peer })).toMatchObject({ code: 'too-large' })
  })

  test('rotates, and we follow', async () => {
    const { agent, ours, theirs, peer } = pair()
    const later = agent.makeDid('https://agent.example/moved')
    const from_prior = await agent.fromPrior(theirs, later, now)
    const message = newMessage(type, {}, { from: later, to: [ours.did], from_prior })
    expect(open(await agent.seal(message, ours.did), ours, { kind: 'peer', peer })).toMatchObject({
      sender: { did: later, endpoint: 'https://agent.example/moved' },
      rotation: { from: theirs, issuedAt: now },
    })
  })

  test('follows when we rotate', async () => {
    const { agent, ours, theirs, peer } = pair()
    const later = createIdentity(draw(64), endpoint)
    const from_prior = signFromPrior(ours, { issuer: ours.did, subject: later.did, issuedAt: now })
    const message = { ...lunch(later.did, theirs), from_prior }
    const opened = await agent.open(sealMessage(message, later, seal(peer)))
    expect(opened.metadata).toMatchObject({
      from_prior_issuer_kid: `${ours.did}#key-1`,
      from_prior: { iss: ours.did, sub: later.did, iat: now },
    })
  })
})

describe('jose', () => {
  test('decrypts our END and verifies the JWT in it', async () => {
    const { agent, ours, theirs, peer } = pair()
    const { message, payload } = await agent.openEnding(
      sealEnd(ours, { id: 'end', issuer: ours.did, issuedAt: now }, seal(peer)),
    )
    expect(message).toMatchObject({ to: [theirs], body: {} })
    expect(message).not.toHaveProperty('from')
    expect(payload).toEqual({ iss: ours.did, iat: now })
  })

  test('signs and seals an END that we believe', async () => {
    const { agent, ours, theirs, peer } = pair()
    const text = await agent.sealEnding(theirs, ours.did, now)
    expect(open(text, ours, { kind: 'peer', peer })).toMatchObject({ kind: 'end', issuedAt: now })
  })

  test('verifies our rotation', async () => {
    const { agent, ours, theirs } = pair()
    const jwt = signFromPrior(ours, { issuer: shortDid(ours.did), subject: theirs, issuedAt: now })
    expect((await agent.verifyJwt(jwt)).payload).toEqual({ iss: shortDid(ours.did), sub: theirs, iat: now })
  })

  test('verifies what we sign, and signs what we verify', async () => {
    const { agent, ours, theirs, peer } = pair()
    const record = {
      version: 1,
      didA: shortDid(ours.did),
      didB: shortDid(theirs),
      invitationId: 'invitation-1',
      created: now,
    } as const
    const jws = signStatement('connection', record, { identity: ours, did: ours.did })
    expect(await agent.verify(jws)).toMatchObject({ header: { typ: 'tautline-connection' }, payload: record })
    const theirJws = await agent.sign(theirs, 'tautline-connection', record)
    expect(readStatement('connection', theirJws, peer)).toEqual({
      kind: 'statement',
      statement: record,
      jws: theirJws,
    })
    expect(readStatement('receipt', theirJws, peer)).toMatchObject({ code: 'wrong-statement' })
    const otherJws = await agent.sign(agent.makeDid('https://x.example'), 'tautline-connection', record)
    expect(readStatement('connection', otherJws, peer)).toMatchObject({ code: 'wrong-statement' })
  })
})

describe('Credo', () => {
  const keysOf = ({ authentication, keyAgreement }: DidDocument) => ({
    authentication: authentication.map(({ publicKey }) =>
      encodeMultikey({ kind: 'ed25519', bytes: publicKey }),
    ),
    keyAgreement: keyAgreement.map(({ publicKey }) => encodeMultikey({ kind: 'x25519', bytes: publicKey })),
  })

  test('resolves our did:peer:4 in both forms, keys, endpoint and all', async () => {
    const { did } = createIdentity(draw(64), endpoint)
    const { authentication, keyAgreement } = keysOf(documentOf(did))
    for (const form of [did, shortDid(did)]) {
      expect(await resolveByCredo(form, new Map([[shortDid(did), did]]))).toMatchObject({
        id: did,
        alsoKnownAs: [shortDid(did)],
        verificationMethod: [
          { id: '#key-1', publicKeyMultibase: authentication[0] },
          { id: '#key-2', publicKeyMultibase: keyAgreement[0] },
        ],
        authentication: ['#key-1'],
        keyAgreement: ['#key-2'],
        service: [{ type: 'DIDCommMessaging', serviceEndpoint: { uri: endpoint } }],
      })
    }
  })

  test.for([2, 4])('makes a did:peer:%i that we resolve', (method) => {
    const did = new ForeignAgent().makeDid('https://agent.example/didcomm', method)
    const document = documentOf(did)
    expect(document.endpoint).toBe('https://agent.example/didcomm')
    expect(document.authentication).toMatchObject([{ fragment: '#key-1' }])
    expect(document.keyAgreement).toMatchObject([{ fragment: '#key-2' }])
  })

  test('resolves the did:peer:2 and did:peer:4 of the specification to the same keys as we do', async () => {
    const { peer2, peer4 } = JSON.parse(readFileSync(join(import.meta.dirname, 'specification.json'), 'utf8'))
    for (const did of [peer2.did, peer4.long]) {
      const text = JSON.stringify(await resolveByCredo(did))
      const { authentication, keyAgreement } = keysOf(documentOf(did))
      expect([...authentication, ...keyAgreement]).toHaveLength(2)
      if (did === peer4.long)
        for (const key of [...authentication, ...keyAgreement]) expect(text).toContain(key)
    }
  })
})
