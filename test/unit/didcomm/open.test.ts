import { describe, expect, test } from 'vitest'
import {
  type Correspondent,
  createIdentity,
  type Envelope,
  type Identity,
  isRefused,
  type Message,
  openEnvelope,
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

  test('with a from that is not the sealing key’s', () => {
    const lie = { ...letter(mallory), from: alice.did }
    const text = sealMessage({ ...lie, from: mallory.did }, mallory, toBob())
    expect(code(open(text))).toBe('stranger')
    expect(code(open(sealAnonymously(lie, toBob())))).toBe('anonymous')
    expect(code(open(sealAnonymously(signMessage(letter(mallory), mallory), toBob())))).toBe('stranger')
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

  test('is not said by a rotation, nor again by an older one', () => {
    const { from: _, ...anonymous } = letter(alice, { from_prior: rotation(alice) })
    expect(code(open(sealAnonymously(anonymous as Message, toBob())))).toBe('foreign-from-prior')
    expect(code(open(sealEnd(alice, ending, toBob()), { ...fromAlice, rotatedAt: now }))).toBe(
      'stale-from-prior',
    )
  })
})
