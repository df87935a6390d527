import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../src/codec/bytes.ts'
import { canonicalize, type Json } from '../../src/codec/json.ts'
import {
  type Correspondent,
  commitmentOf,
  createIdentity,
  fitsInEnvelope,
  invitationUrl,
  isRefused,
  type Message,
  makeDisclosure,
  makeInvitation,
  maxEndpointChars,
  maxEnvelopeBytes,
  maxMessageBytes,
  openEnvelope,
  readEnvelope,
  readInvitation,
  readMessage,
  readStatement,
  resolveDid,
  sealAnonymously,
  sealEnd,
  sealMessage,
  shortCode,
  shortDid,
  signMessage,
  verifyFromPrior,
} from '../../src/didcomm/didcomm.ts'
import { decodeMultikey, encodeMultikey } from '../../src/didcomm/multikey.ts'

const now = 1_790_000_000
const entropy = (size: number) => fc.uint8Array({ minLength: size, maxLength: size })
const fixed = (size: number, seed: number) =>
  Uint8Array.from({ length: size }, (_, at) => (seed * 101 + at * 37) & 0xff)

const alice = createIdentity(fixed(64, 1), 'https://alice.example/v1/didcomm')
const bob = createIdentity(fixed(64, 2), 'https://bob.example/v1/didcomm')
const [aliceDocument, bobDocument] = [resolveDid(alice.did)!, resolveDid(bob.did)!]
const fromAlice: Correspondent = { kind: 'peer', peer: aliceDocument }
const [from, to] = [shortDid(alice.did), shortDid(bob.did)]
const recipient = { ...bobDocument, did: to }

const letter = (body: Message['body'] = { content: 'hi' }): Message => ({
  id: 'm1',
  type: 'https://didcomm.org/basicmessage/2.0/message',
  from,
  to: [to],
  body,
})
const open = (text: string, correspondent = fromAlice) => {
  const envelope = readEnvelope(text)
  return isRefused(envelope) ? envelope : openEnvelope(envelope, { identity: bob, now, from: correspondent })
}

const sealed = {
  authenticated: sealMessage(letter(), alice, { recipient, entropy: fixed(112, 3) }),
  'anonymous and signed': sealAnonymously(signMessage(letter(), alice), {
    recipient,
    entropy: fixed(112, 4),
  }),
  'an END': sealEnd(alice, { id: 'e1', issuer: from, issuedAt: now }, { recipient, entropy: fixed(112, 5) }),
}

const value = fc.letrec<{ any: Json }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: 'binary' }),
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(fc.string({ unit: 'binary' }), tie('any'), { maxKeys: 4 }),
  ),
})).any
const body = fc.dictionary(fc.string({ unit: 'binary' }), value, { maxKeys: 4 })

describe.for(Object.entries(sealed))('an envelope, %s,', ([, text]) => {
  test('is opened as it is', () => {
    expect(isRefused(open(text))).toBe(false)
  })

  test('is refused with any byte changed', () => {
    const change = fc.record({
      at: fc.nat({ max: text.length - 1 }),
      to: fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code)),
    })
    fc.assert(
      fc.property(change, ({ at, to: byte }) => {
        fc.pre(text[at] !== byte)
        expect(open(`${text.slice(0, at)}${byte}${text.slice(at + 1)}`)).toMatchObject({ kind: 'refused' })
      }),
      { numRuns: 400 },
    )
  })

  test('is refused with any byte of it left out', () => {
    fc.assert(
      fc.property(fc.nat({ max: text.length - 1 }), (at) => {
        expect(open(text.slice(0, at) + text.slice(at + 1))).toMatchObject({ kind: 'refused' })
      }),
    )
  })

  test('is refused with any member replaced by any other value, and nothing throws', () => {
    const members = ['protected', 'recipients', 'iv', 'ciphertext', 'tag']
    fc.assert(
      fc.property(fc.constantFrom(...members), value, (member, other) => {
        const changed = canonicalize({ ...JSON.parse(text), [member]: other })
        expect(open(changed)).toMatchObject({ kind: 'refused' })
      }),
    )
  })

  test('is not for another key, nor by another peer', () => {
    fc.assert(
      fc.property(entropy(64), (seed) => {
        const other = createIdentity(seed)
        const envelope = readEnvelope(text)
        if (isRefused(envelope)) throw new Error(envelope.detail)
        expect(openEnvelope(envelope, { identity: other, now, from: fromAlice })).toMatchObject({
          code: 'unknown-key',
        })
        const forged = { ...other, did: bob.did }
        expect(openEnvelope(envelope, { identity: forged, now, from: fromAlice })).toMatchObject({
          code: 'undecryptable',
        })
        expect(open(text, { kind: 'peer', peer: resolveDid(other.did)! })).toMatchObject({ kind: 'refused' })
      }),
      { numRuns: 20 },
    )
  })
})

describe('a message', () => {
  test('comes out as it went in, whatever its body, in each kind of envelope', () => {
    fc.assert(
      fc.property(body, entropy(112), fc.integer({ min: 0, max: 2 }), (content, drawn, kind) => {
        const message = letter(content)
        const seal = { recipient, entropy: drawn }
        const text =
          kind === 0
            ? sealMessage(message, alice, seal)
            : kind === 1
              ? sealMessage(message, alice, { ...seal, signed: true })
              : sealAnonymously(signMessage(message, alice), seal)
        const verdict = open(text)
        if (verdict.kind !== 'message') throw new Error(JSON.stringify(verdict))
        expect(canonicalize(verdict.message.body)).toBe(canonicalize(content))
        expect(verdict.message).toMatchObject({ id: 'm1', from, to: [to] })
      }),
      { numRuns: 60 },
    )
  })

  test('of the largest size fits into an envelope of the largest size, with the longest DIDs, and one byte more does not', () => {
    const longest = `https://bob.example/${'x'.repeat(maxEndpointChars - 20)}`
    const [sender, reader] = [createIdentity(fixed(64, 6), longest), createIdentity(fixed(64, 7), longest)]
    const empty = { ...letter({ content: '' }), from: sender.did, to: [reader.did] }
    const room =
      maxMessageBytes -
      encodeUtf8(canonicalize({ typ: 'application/didcomm-plain+json', ...empty } as Json)).length
    const full = { ...empty, body: { content: 'x'.repeat(room) } }
    expect(fitsInEnvelope(full)).toBe(true)
    expect(fitsInEnvelope({ ...empty, body: { content: 'x'.repeat(room + 1) } })).toBe(false)
    const text = sealMessage(full, sender, { recipient: resolveDid(reader.did)!, entropy: fixed(112, 8) })
    expect(text.length).toBeLessThanOrEqual(maxEnvelopeBytes)
    const envelope = readEnvelope(text)
    if (isRefused(envelope)) throw new Error(envelope.detail)
    const peer = resolveDid(sender.did)!
    expect(openEnvelope(envelope, { identity: reader, now, from: { kind: 'peer', peer } })).toMatchObject({
      message: full,
    })
  })

  test('keeps headers that nobody knows, and is refused with one that is known and wrong', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 12 }), value, (header, of) => {
        fc.pre(!['created_time', 'expires_time', 'return_route', 'attachments'].includes(header))
        expect(readMessage({ ...letter(), [header]: of } as Json)).toEqual({ ...letter(), [header]: of })
      }),
    )
    const known = [
      'id',
      'type',
      'typ',
      'body',
      'from',
      'to',
      'thid',
      'pthid',
      'created_time',
      'expires_time',
      'from_prior',
    ]
    for (const header of known) {
      for (const wrong of [null, true, -1, [1], { a: 1 }].filter(
        (of) => header !== 'body' || typeof of !== 'object' || of === null || Array.isArray(of),
      ))
        expect(
          readMessage({ ...letter(), [header]: wrong } as Json),
          `${header} ${JSON.stringify(wrong)}`,
        ).toBeUndefined()
    }
  })
})

describe('nothing that comes from outside throws', () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary' }),
    value.map((of) => canonicalize(of)),
  )

  test('texts and values of any kind', () => {
    fc.assert(
      fc.property(anyText, value, (text, of) => {
        expect(readEnvelope(text)).toMatchObject({ kind: 'refused' })
        expect(readInvitation(text, now)).toMatchObject({ kind: 'refused' })
        expect(readInvitation(`https://a.example/?_oob=${encodeURIComponent(text)}`, now)).toMatchObject({
          kind: 'refused',
        })
        expect(verifyFromPrior(text, { peer: aliceDocument })).toMatchObject({ kind: 'refused' })
        expect(readStatement('connection', of, aliceDocument)).toMatchObject({ kind: 'refused' })
        for (const prefix of ['', 'did:peer:2.', 'did:peer:4z', 'did:key:z'])
          expect(resolveDid(prefix + text)).toBeUndefined()
        readMessage(of)
      }),
    )
  })

  test('a did:peer:4 with any character changed isn’t resolved', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: alice.did.length - 1 }),
        fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }),
        (at, by) => {
          fc.pre(alice.did[at] !== by)
          expect(resolveDid(alice.did.slice(0, at) + by + alice.did.slice(at + 1))).toBeUndefined()
        },
      ),
    )
  })
})

test('an invitation is read as it was made, and not after it has expired', () => {
  const text = fc.string({ unit: 'binary', maxLength: 40 })
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 100 }), (goal, later) => {
      const invitation = makeInvitation({ id: 'i1', from: alice.did, goal, expiresTime: now + later })
      const url = invitationUrl('https://alice.example/?coupon=1', invitation)
      expect(readInvitation(url, now + later - 1)).toMatchObject({
        message: { id: 'i1', body: { goal } },
        inviter: { did: alice.did, endpoint: 'https://alice.example/v1/didcomm' },
      })
      expect(readInvitation(url, now + later)).toMatchObject({ code: 'expired' })
    }),
  )
})

test('a short code is the same for both, in any form of the DIDs, and another for other DIDs', () => {
  const code = shortCode(alice.did, bob.did)
  expect(code).toMatch(/^\d{5} \d{5} \d{5} \d{5}$/)
  expect(shortCode(to, alice.did)).toBe(code)
  fc.assert(
    fc.property(entropy(64), (seed) => {
      expect(shortCode(alice.did, createIdentity(seed).did)).not.toBe(code)
    }),
    { numRuns: 20 },
  )
})

test('a commitment is another for any other payload or salt', () => {
  fc.assert(
    fc.property(
      entropy(32),
      fc.uint8Array({ minLength: 1 }),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (salt, payload, at, by) => {
        const changed = (bytes: Uint8Array) =>
          bytes.map((byte, index) => (index === at % bytes.length ? byte ^ by : byte))
        const c = commitmentOf(salt, payload)
        expect(commitmentOf(changed(salt), payload)).not.toBe(c)
        expect(commitmentOf(salt, changed(payload))).not.toBe(c)
      },
    ),
  )
})

test('a public key is read as it was written, and nothing else is one', () => {
  fc.assert(
    fc.property(entropy(32), fc.constantFrom('ed25519' as const, 'x25519' as const), (bytes, kind) => {
      const text = encodeMultikey({ kind, bytes })
      expect(decodeMultikey(text)).toEqual({ kind, bytes })
      expect(decodeMultikey(text.slice(0, -1))).toBeUndefined()
      expect(decodeMultikey(`${text}1`)).toBeUndefined()
    }),
  )
})

test('features are disclosed as the wildcards ask for them', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
  fc.assert(
    fc.property(
      letters,
      letters.map((id) => id.replaceAll('*', 'b')),
      (match, id) => {
        const features = [{ 'feature-type': 'protocol', id }]
        const queries: Message = {
          ...letter({ queries: [{ 'feature-type': 'protocol', match }] }),
          type: 'https://didcomm.org/discover-features/2.0/queries',
        }
        const expected = new RegExp(`^${match.replaceAll('*', '.*')}$`).test(id) ? features : []
        expect(makeDisclosure({ id: 'm2' }, queries, features).body).toEqual({ disclosures: expected })
      },
    ),
    { numRuns: 1_000 },
  )
})
