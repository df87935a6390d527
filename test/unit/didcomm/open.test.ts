import { describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../../src/codec/bytes.ts'
import type { Json } from '../../../src/codec/json.ts'
import { decodeBase64UrlJson, encodeBase64Url, encodeBase64UrlJson } from '../../../src/didcomm/base64url.ts'
import { encodePeer4 } from '../../../src/didcomm/did-peer-4.ts'
import {
  type Correspondent,
  createIdentity,
  type Envelope,
  type Identity,
  isRefused,
  type Jws,
  type Message,
  openEnvelope,
  type RefusalCode,
  readEnvelope,
  resolveDid,
  sealAnonymously,
  sealEnd,
  sealMessage,
  shortDid,
  signFromPrior,
  signMessage,
  type Verdict,
} from '../../../src/didcomm/didcomm.ts'
import { signCompact, signedMediaType, signJws } from '../../../src/didcomm/jws.ts'
import { encodeMultikey } from '../../../src/didcomm/multikey.ts'
import { sealContent } from '../../../src/didcomm/seal.ts'

const b64 = (text: string): string => encodeBase64Url(encodeUtf8(text))
let drawn = 0
/** Different bytes at each call, the same in each run. */
const draw = (count: number): Uint8Array => {
  drawn++
  return Uint8Array.from({ length: count }, (_, at) => (drawn * 167 + at * 59) & 0xff)
}
const end = (name: string): Identity => createIdentity(draw(64), `https://${name}.example/v1/didcomm`)
const documentOf = ({ did }: Identity) => resolveDid(did)!

const [alice, aliceLater, bob, mallory] = ['alice', 'alice', 'bob', 'mallory'].map(end) as [
  Identity,
  Identity,
  Identity,
  Identity,
]
const now = 1_790_000_000
const fromAlice: Correspondent = { kind: 'peer', peer: documentOf(alice) }

const letter = (from: Identity, more: Partial<Message> = {}): Message => ({
  id: 'one',
  type: 'https://didcomm.org/basicmessage/2.0/message',
  from: from.did,
  to: [bob.did],
  body: { content: 'lunch?' },
  ...more,
})
const toBob = () => ({ recipient: documentOf(bob), entropy: draw(112) })
const seal = (message: Message, by: Identity): string => sealMessage(message, by, toBob())
const read = (text: string): Envelope => {
  const envelope = readEnvelope(text)
  if (isRefused(envelope)) throw new Error(envelope.detail)
  return envelope
}
const open = (text: string, from: Correspondent = fromAlice): Verdict => {
  const envelope = readEnvelope(text)
  return isRefused(envelope) ? envelope : openEnvelope(envelope, { identity: bob, now, from })
}
const code = (verdict: Verdict) => (isRefused(verdict) ? verdict.code : verdict.kind)
const rotation = (prior: Identity, by: Partial<{ issuer: string; subject: string; issuedAt: number }> = {}) =>
  signFromPrior(prior, { issuer: prior.did, subject: aliceLater.did, issuedAt: now, ...by })

describe('an envelope from the peer', () => {
  test('is opened, with long DIDs and with short ones', () => {
    const long = open(seal(letter(alice), alice))
    expect(long).toMatchObject({
      kind: 'message',
      message: { body: { content: 'lunch?' } },
      sender: { did: alice.did },
    })
    const short = letter(alice, { from: shortDid(alice.did), to: [shortDid(bob.did)] })
    const recipient = { ...documentOf(bob), did: shortDid(bob.did) }
    expect(code(open(sealMessage(short, alice, { recipient, entropy: draw(112) })))).toBe('message')
  })

  test('names its recipients before it is opened, in the short form that keys are looked up by', () => {
    expect(read(seal(letter(alice), alice)).recipients).toEqual([`${shortDid(bob.did)}#key-2`])
  })

  test('may be signed too, and then can be shown to others', () => {
    const opened = open(sealMessage(letter(alice), alice, { ...toBob(), signed: true }))
    expect(opened).toMatchObject({
      kind: 'message',
      signed: { signatures: [{ header: { kid: `${alice.did}#key-1` } }] },
    })
  })

  test('may be sealed anonymously when it is signed', () => {
    const opened = open(sealAnonymously(signMessage(letter(alice), alice), toBob()))
    expect(opened).toMatchObject({ kind: 'message', sender: { did: alice.did } })
  })
})

describe('an envelope is refused', () => {
  test('in the open or only signed', () => {
    expect(code(open(JSON.stringify(letter(alice))))).toBe('not-encrypted')
    expect(code(open(JSON.stringify(signMessage(letter(alice), alice))))).toBe('not-encrypted')
  })

  test('larger than the limit', () => {
    expect(code(open(`{"ciphertext":"${'A'.repeat(112 * 1024)}"}`))).toBe('too-large')
  })

  test('for another key', () => {
    const text = sealMessage(letter(alice), alice, { recipient: documentOf(mallory), entropy: draw(112) })
    expect(code(open(text))).toBe('unknown-key')
  })

  test('with a from that is not the DID whose key sealed it', () => {
    const by = { kid: `${mallory.did}#key-2`, identity: mallory }
    const fromMallory: Correspondent = { kind: 'peer', peer: documentOf(mallory) }
    const forge = (message: Message): string => sealContent('ECDH-1PU+A256KW', message, toBob(), by)
    expect(code(open(forge(letter(mallory)), fromMallory))).toBe('message')
    for (const from of [alice.did, shortDid(alice.did), undefined]) {
      const { from: _, ...nobody } = letter(alice, { pthid: 'i1' })
      const lie = (from === undefined ? nobody : { ...nobody, from }) as Message
      expect(code(open(forge(lie), fromMallory)), from).toBe('spoofed-from')
      expect(code(open(forge(lie), { kind: 'invited', invitationId: 'i1' })), from).toBe('spoofed-from')
    }
  })

  test('with a key of another than the DID that it names as its sender', () => {
    const by = { kid: `${alice.did}#key-2`, identity: mallory }
    expect(code(open(sealContent('ECDH-1PU+A256KW', letter(alice), toBob(), by)))).toBe('undecryptable')
  })

  test('signed by another than it is sealed by, or than it is from', () => {
    const signedBy = (identity: Identity, message: Message) =>
      signJws(
        encodeUtf8(JSON.stringify(message)),
        signedMediaType,
        `${identity.did}#key-1`,
        identity.signingKey,
      )
    const by = { kid: `${alice.did}#key-2`, identity: alice }
    const forge = (content: Jws) => sealContent('ECDH-1PU+A256KW', content, toBob(), by)
    expect(code(open(forge(signedBy(alice, letter(alice)))))).toBe('message')
    expect(code(open(forge(signedBy(mallory, letter(alice)))))).toBe('spoofed-from')
    expect(code(open(forge(signedBy(mallory, letter(mallory)))))).toBe('spoofed-from')
    expect(code(open(sealAnonymously(signedBy(mallory, letter(alice)), toBob())))).toBe('spoofed-from')
    const payload = signedBy(alice, letter(alice, { id: 'two' })).payload
    expect(code(open(forge({ ...signedBy(alice, letter(alice)), payload })))).toBe('invalid-signature')
  })

  test('that says only itself whom it is from', () => {
    expect(code(open(sealAnonymously(letter(alice), toBob())))).toBe('anonymous')
    expect(code(open(sealAnonymously(signMessage(letter(mallory), mallory), toBob())))).toBe('stranger')
    expect(code(open(seal(letter(mallory), mallory)))).toBe('stranger')
  })

  test('from somebody whom nothing could be answered', () => {
    const did = encodePeer4({
      verificationMethod: [
        {
          id: '#key-1',
          publicKeyMultibase: encodeMultikey({
            kind: 'ed25519',
            bytes: documentOf(mallory).authentication[0]!.publicKey,
          }),
        },
      ],
      authentication: ['#key-1'],
    })
    const message = letter({ ...mallory, did }, { pthid: 'i1' })
    const text = sealAnonymously(signMessage(message, mallory), toBob())
    expect(code(open(text, { kind: 'invited', invitationId: 'i1' }))).toBe('unknown-sender')
  })

  test('with something else in it than a message', () => {
    const by = { kid: `${alice.did}#key-2`, identity: alice }
    const others = [
      { ...letter(alice), id: 1 },
      { ...letter(alice), body: [] },
      { payload: 'e30', signatures: [] },
    ]
    for (const other of others)
      expect(code(open(sealContent('ECDH-1PU+A256KW', other as unknown as Message, toBob(), by)))).toBe(
        'malformed-message',
      )
  })

  test('addressed to somebody else, or to nobody', () => {
    expect(code(open(seal(letter(alice, { to: [mallory.did] }), alice)))).toBe('wrong-to')
    const { to: _, ...nobody } = letter(alice)
    expect(code(open(seal(nobody as Message, alice)))).toBe('wrong-to')
  })

  test('when it has expired', () => {
    expect(code(open(seal(letter(alice, { expires_time: now }), alice)))).toBe('expired')
    expect(code(open(seal(letter(alice, { expires_time: now + 1 }), alice)))).toBe('message')
  })

  test('from a short DID that nobody has said the long form of', () => {
    expect(code(open(seal(letter(mallory, { from: shortDid(mallory.did) }), mallory)))).toBe('unknown-sender')
  })

  test('with an envelope in it', () => {
    const inner = JSON.parse(seal(letter(alice), alice))
    expect(code(open(sealAnonymously(inner as Message, toBob())))).toBe('nested-encryption')
  })
})

describe('an envelope is refused before any key is touched', () => {
  type Header = Record<string, unknown> & { epk: Record<string, unknown> }
  const text = seal(letter(alice), alice)
  const jwe = JSON.parse(text)
  const header = decodeBase64UrlJson(jwe.protected) as unknown as Header
  const withHeader = (changes: Record<string, unknown>): string =>
    JSON.stringify({ ...jwe, protected: encodeBase64UrlJson({ ...header, ...changes } as unknown as Json) })
  const [recipient] = jwe.recipients

  test.for<[RefusalCode, string, string]>([
    ['unsupported-algorithm', 'another key agreement', withHeader({ alg: 'ECDH-ES' })],
    ['unsupported-algorithm', 'direct encryption', withHeader({ alg: 'dir' })],
    ['unsupported-algorithm', 'another encryption', withHeader({ enc: 'A128CBC-HS256' })],
    ['unsupported-algorithm', 'authenticated, with A256GCM', withHeader({ enc: 'A256GCM' })],
    ['unsupported-algorithm', 'another curve', withHeader({ epk: { ...header.epk, crv: 'P-256' } })],
    ['malformed-envelope', 'a short ephemeral key', withHeader({ epk: { ...header.epk, x: 'AAAA' } })],
    ['malformed-envelope', 'another media type', withHeader({ typ: 'application/didcomm-signed+json' })],
    ['malformed-envelope', 'something critical', withHeader({ crit: ['exp'] })],
    ['malformed-envelope', 'compression', withHeader({ zip: 'DEF' })],
    ['malformed-envelope', 'no apv', withHeader({ apv: undefined })],
    [
      'malformed-envelope',
      'a header outside of what is protected',
      JSON.stringify({ ...jwe, unprotected: {} }),
    ],
    ['malformed-envelope', 'additional data', JSON.stringify({ ...jwe, aad: 'AAAA' })],
    ['malformed-envelope', 'no recipients', JSON.stringify({ ...jwe, recipients: [] })],
    [
      'malformed-envelope',
      'too many recipients',
      JSON.stringify({ ...jwe, recipients: Array(9).fill(recipient) }),
    ],
    ['malformed-envelope', 'a short tag', JSON.stringify({ ...jwe, tag: 'AAAA' })],
    [
      'malformed-envelope',
      'a sender without a fragment',
      withHeader({ skid: alice.did, apu: b64(alice.did) }),
    ],
    ['wrong-apv', 'another recipient', JSON.stringify({ ...jwe, recipients: [recipient, recipient] })],
    ['wrong-apu', 'another sender than apu names', withHeader({ skid: `${mallory.did}#key-2` })],
    ['wrong-apu', 'no apu', withHeader({ apu: undefined })],
    ['wrong-apu', 'a sender in an anonymous envelope', withHeader({ alg: 'ECDH-ES+A256KW' })],
    ['not-json', 'no JSON', text.slice(1)],
    ['not-json', 'too deep', '['.repeat(40)],
    ['malformed-envelope', 'other JSON', '[]'],
    [
      'unknown-sender',
      'a key that the sender lacks',
      withHeader({ skid: `${alice.did}#key-1`, apu: b64(`${alice.did}#key-1`) }),
    ],
  ])('%s: %s', ([expected, , changed]) => {
    expect(code(open(changed))).toBe(expected)
  })

  test('but not for naming its sender by apu alone', () => {
    const envelope = readEnvelope(withHeader({ skid: undefined }))
    expect(envelope).toMatchObject({ sender: { did: alice.did, fragment: '#key-2' } })
  })
})

describe('an invitation', () => {
  const invited: Correspondent = { kind: 'invited', invitationId: 'i1' }

  test('is accepted by anybody who names it', () => {
    expect(open(seal(letter(alice, { pthid: 'i1' }), alice), invited)).toMatchObject({
      sender: { did: alice.did },
    })
  })

  test('is not accepted under the id of another', () => {
    expect(code(open(seal(letter(alice, { pthid: 'i2' }), alice), invited))).toBe('wrong-invitation')
    expect(code(open(seal(letter(alice), alice), invited))).toBe('wrong-invitation')
  })

  test('is not accepted by someone who says to have been another before', () => {
    const message = letter(aliceLater, { pthid: 'i1', from_prior: rotation(alice) })
    expect(code(open(seal(message, aliceLater), invited))).toBe('foreign-from-prior')
  })
})

describe('a rotation', () => {
  const rotated = (fromPrior: string, from = fromAlice): Verdict =>
    open(seal(letter(aliceLater, { from_prior: fromPrior }), aliceLater), from)

  test('puts the new DID in the place of the old', () => {
    expect(rotated(rotation(alice))).toMatchObject({
      sender: { did: aliceLater.did },
      rotation: { from: alice.did, issuedAt: now },
    })
  })

  test('is refused without from_prior, by another DID, for another DID, or signed by another key', () => {
    expect(code(open(seal(letter(aliceLater), aliceLater)))).toBe('stranger')
    expect(code(rotated(rotation(mallory)))).toBe('foreign-from-prior')
    expect(code(rotated(rotation(alice, { subject: mallory.did })))).toBe('foreign-from-prior')
    expect(code(rotated(rotation(mallory, { issuer: alice.did })))).toBe('invalid-signature')
    const jwt = (payload: Json, kid: string) => signCompact(payload, 'JWT', kid, alice.signingKey)
    const said = { iss: alice.did, sub: aliceLater.did, iat: now }
    expect(code(rotated(jwt(said, `${alice.did}#key-1`)))).toBe('message')
    expect(code(rotated(jwt({ ...said, iss: mallory.did }, `${alice.did}#key-1`)))).toBe('foreign-from-prior')
    expect(code(rotated(jwt(said, `${mallory.did}#key-1`)))).toBe('foreign-from-prior')
    expect(code(rotated(jwt(said, `${alice.did}#key-2`)))).toBe('invalid-signature')
    expect(code(rotated('a.b.c'))).toBe('malformed-from-prior')
  })

  test('is refused when it is not newer than the last', () => {
    expect(code(rotated(rotation(alice), { ...fromAlice, rotatedAt: now }))).toBe('stale-from-prior')
    expect(code(rotated(rotation(alice), { ...fromAlice, rotatedAt: now - 1 }))).toBe('message')
  })

  test('is not looked at again when it is known', () => {
    const later: Correspondent = { kind: 'peer', peer: documentOf(aliceLater), rotatedAt: now }
    const verdict = rotated(rotation(alice), later)
    expect(verdict.kind).toBe('message')
    expect(verdict).not.toHaveProperty('rotation')
  })
})

describe('the end', () => {
  const ending = { id: 'end', issuer: alice.did, issuedAt: now }

  test('is believed of the peer', () => {
    expect(open(sealEnd(alice, ending, toBob()))).toMatchObject({ kind: 'end', issuedAt: now })
  })

  test('is not believed of anybody else', () => {
    expect(code(open(sealEnd(mallory, { ...ending, issuer: mallory.did }, toBob())))).toBe(
      'foreign-from-prior',
    )
    expect(code(open(sealEnd(mallory, ending, toBob())))).toBe('invalid-signature')
    expect(code(open(sealEnd(alice, ending, toBob()), { kind: 'invited', invitationId: 'i1' }))).toBe(
      'anonymous',
    )
  })

  test('is not said with a from, which an anonymous envelope proves nothing of', () => {
    const from_prior = signFromPrior(alice, { issuer: alice.did, issuedAt: now })
    expect(code(open(sealAnonymously(letter(alice, { from_prior }), toBob())))).toBe('anonymous')
  })

  test('is not said by a rotation, nor again by an older one', () => {
    const { from: _, ...anonymous } = letter(alice, { from_prior: rotation(alice) })
    expect(code(open(sealAnonymously(anonymous as Message, toBob())))).toBe('foreign-from-prior')
    expect(code(open(sealEnd(alice, ending, toBob()), { ...fromAlice, rotatedAt: now }))).toBe(
      'stale-from-prior',
    )
  })
})
