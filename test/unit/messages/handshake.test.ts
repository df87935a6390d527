import { describe, expect, it } from 'vitest'
import { decodeAddress } from '../../../src/codec/address.ts'
import { decodeHex, encodeUtf8 } from '../../../src/codec/bytes.ts'
import { verifyPortable } from '../../../src/crypto/ed25519.ts'
import {
  decodeRefusal,
  Handshake,
  type HandshakeEffect,
  type HandshakeTerms,
  type Hello,
} from '../../../src/messages/handshake.ts'
import { maxFrameBytes, maxHandshakeBytes } from '../../../src/messages/limits.ts'
import type { Signer } from '../../../src/ports/keys.ts'
import { createNodeSigner } from '../../../src/runtime/node/keys.ts'
import type { Hash, NetworkId, Signature } from '../../../src/units.ts'

const network = '1a'.repeat(32) as NetworkId
const keyOf = (byte: number): Signer => createNodeSigner(new Uint8Array(32).fill(byte))
const alice = keyOf(1)
const bob = keyOf(2)
const mallory = keyOf(3)
const aliceOrigin = 'https://alice.example'
const bobOrigin = 'https://bob.example'
let nonces = 0

/** One end: its machine, its key, and what became of it. */
class End {
  readonly machine: Handshake
  readonly signer: Signer
  /** Said and not yet delivered. */
  readonly said: string[] = []
  readonly signed: string[] = []
  welcomed: Hello | undefined
  early: readonly string[] = []
  ended: (HandshakeEffect & { kind: 'end' }) | undefined
  /** Results of slow work, to be let in later. */
  readonly held: (() => void)[] = []
  isSlow = false

  constructor(signer: Signer, terms: Partial<HandshakeTerms> & Pick<HandshakeTerms, 'role' | 'origins'>) {
    this.signer = signer
    this.machine = new Handshake({
      network,
      key: signer.address,
      nonce: String(++nonces).padStart(64, '0') as Hash,
      version: '0.1.0',
      objection: () => undefined,
      ...terms,
    })
    this.apply(this.machine.begin())
  }

  hear(text: string): void {
    this.apply(this.machine.step({ kind: 'text', text }))
  }

  apply(effects: readonly HandshakeEffect[]): void {
    for (const effect of effects) this.#apply(effect)
  }

  #apply(effect: HandshakeEffect): void {
    if (effect.kind === 'send') this.said.push(effect.text)
    if (effect.kind === 'welcome') [this.welcomed, this.early] = [effect.peer, effect.early]
    if (effect.kind === 'end') this.ended = effect
    if (effect.kind === 'sign') {
      this.signed.push(effect.text)
      const signature = this.signer.sign(effect.text) as Signature
      this.#finish(() => this.apply(this.machine.step({ kind: 'signed', signature })))
    }
    if (effect.kind === 'verify') {
      const { key, text, signature } = effect
      const isValid = verifyPortable(decodeAddress(key)!, encodeUtf8(text), decodeHex(signature))
      this.#finish(() => this.apply(this.machine.step({ kind: 'verified', isValid })))
    }
  }

  #finish(result: () => void): void {
    if (this.isSlow) this.held.push(result)
    else result()
  }

  get reason(): string | undefined {
    return this.ended && `${this.ended.by} ${this.ended.refusal.reason}`
  }
}

const dialler = (signer = alice, terms: Partial<HandshakeTerms> = {}): End =>
  new End(signer, { role: 'dialler', origins: [bobOrigin], ...terms })
const acceptor = (signer = bob, terms: Partial<HandshakeTerms> = {}): End =>
  new End(signer, { role: 'acceptor', origins: ['http://127.0.0.1:8787', bobOrigin], ...terms })

/** Passes on what either says until both are silent. */
const talk = (one: End, other: End, change: (text: string, from: End) => string = (text) => text): void => {
  while (one.said.length + other.said.length > 0) {
    const [from, to] = one.said.length > 0 ? [one, other] : [other, one]
    to.hear(change(from.said.shift()!, from))
  }
}

describe('a handshake', () => {
  it('of two honest ends welcomes each at the other, by its key', () => {
    const [one, other] = [dialler(), acceptor()]
    talk(one, other)
    expect([one.welcomed?.key, other.welcomed?.key]).toEqual([bob.address, alice.address])
    expect([one.ended, other.ended]).toEqual([undefined, undefined])
  })

  it('signs both hellos whole, each end under its own role', () => {
    const [one, other] = [dialler(), acceptor()]
    talk(one, other)
    const [ofDialler, ofAcceptor] = [one.signed[0]!, other.signed[0]!]
    expect(ofDialler.split('\n')[0]).toBe('tautline/link-dialler/1')
    expect(ofAcceptor.split('\n')[0]).toBe('tautline/link-acceptor/1')
    expect(ofDialler.split('\n')[1]).toBe(ofAcceptor.split('\n')[1])
    expect(JSON.parse(ofDialler.split('\n')[1]!)).toEqual({ dialler: other.welcomed, acceptor: one.welcomed })
  })

  it('signs what it has always signed', () => {
    const one = dialler(alice, { nonce: '0a'.repeat(32) as Hash })
    one.hear(
      `{"key":"${bob.address}","kind":"hello","network":"${network}","nonce":"${'0b'.repeat(32)}","version":"2.0.0"}`,
    )
    expect(one.signed).toEqual([
      `tautline/link-dialler/1\n{"acceptor":{"key":"${bob.address}","kind":"hello","network":"${network}",` +
        `"nonce":"${'0b'.repeat(32)}","version":"2.0.0"},"dialler":{"key":"${alice.address}","kind":"hello",` +
        `"network":"${network}","nonce":"${'0a'.repeat(32)}","origin":"https://bob.example","version":"0.1.0"}}`,
    ])
  })

  it('keeps what the peer says before it is proven here, and hands it over in order', () => {
    const [one, other] = [dialler(), acceptor()]
    other.isSlow = true
    talk(one, other)
    other.hear('["first"]')
    other.hear('["second"]')
    for (const finish of other.held) finish()
    expect(other.early).toEqual(['["first"]', '["second"]'])
  })

  it('doesn’t keep any number of them', () => {
    const [one, other] = [dialler(), acceptor()]
    other.isSlow = true
    talk(one, other)
    other.hear('x'.repeat(maxFrameBytes))
    expect(other.ended).toBeUndefined()
    other.hear('x')
    expect(other.reason).toBe('us too-much')
    for (const finish of other.held) finish()
    expect(other.welcomed).toBeUndefined()
  })

  it('waits for both: its own proof to be sent, and the peer’s to hold', () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const [one, other] = [dialler(), acceptor()]
      other.isSlow = true
      talk(one, other)
      expect(other.held).toHaveLength(2)
      other.held[order[0]!]!()
      expect(other.welcomed).toBeUndefined()
      other.held[order[1]!]!()
      expect(other.welcomed?.key).toBe(alice.address)
    }
  })
})

describe('a liar', () => {
  it('that reflects a hello is found to have the same key', () => {
    for (const end of [dialler(), acceptor()]) {
      const hello = end.said.shift()!
      end.hear(hello)
      expect(end.reason).toBe('us self')
    }
  })

  it('that reflects a proof to the dialler, as its own, is refused', () => {
    const victim = dialler()
    const hello = JSON.parse(victim.said.shift()!) as Hello
    // Mallory knows Bob's key, and has nothing but Alice's own words to prove it with.
    const { origin: _, ...forged } = { ...hello, key: bob.address }
    victim.hear(canonicalHello(forged))
    victim.hear(victim.said.shift()!)
    expect(victim.reason).toBe('us wrong-signature')
  })

  it('that has the victim accept its own proof from another socket is refused', () => {
    // Alice dials Mallory, who dials Bob, and passes on what both say.
    const [asDialled, victim] = [dialler(alice, { origins: ['https://mallory.example'] }), acceptor()]
    talk(asDialled, victim)
    expect(victim.reason).toBe('us wrong-origin')
    expect(asDialled.reason).toBe('them wrong-origin')
    expect(victim.ended?.refusal.detail).toContain(`${bobOrigin}`)
  })

  it('that swaps the origin on the way breaks the signatures at both ends', () => {
    const [one, other] = [dialler(alice, { origins: ['https://mallory.example'] }), acceptor()]
    talk(one, other, (text, from) =>
      from === one ? text.replace('https://mallory.example', bobOrigin) : text,
    )
    expect(other.reason).toMatch(/wrong-signature$/)
    expect(one.reason).toMatch(/wrong-signature$/)
  })

  it('that swaps key, nonce, version or network on the way is refused', () => {
    const swaps: readonly ((hello: Hello) => Hello)[] = [
      (hello) => ({ ...hello, key: mallory.address }),
      (hello) => ({ ...hello, nonce: 'f'.repeat(64) as Hash }),
      (hello) => ({ ...hello, version: '9.9.9' }),
      (hello) => ({ ...hello, network: '2b'.repeat(32) as NetworkId }),
    ]
    for (const swap of swaps) {
      const [one, other] = [dialler(), acceptor()]
      talk(one, other, (text, from) =>
        from === one && text.includes('"hello"') ? canonicalHello(swap(JSON.parse(text) as Hello)) : text,
      )
      expect(other.welcomed).toBeUndefined()
      expect(other.reason).toMatch(/^(us|them) wrong-(signature|network)$/)
    }
  })

  it('that replays the words of an earlier handshake is refused', () => {
    const [one, other] = [dialler(), acceptor()]
    const words: string[] = []
    talk(one, other, (text, from) => {
      if (from === one) words.push(text)
      return text
    })
    expect(other.welcomed).toBeDefined()
    const again = acceptor()
    for (const word of words) again.hear(word)
    expect(again.reason).toBe('us wrong-signature')
  })

  it('that signs in the other role is refused', () => {
    const [one, other] = [dialler(mallory), acceptor()]
    const [hello] = [one.said.shift()!]
    other.hear(hello)
    one.hear(other.said.shift()!)
    const text = one.signed[0]!.replace('link-dialler', 'link-acceptor')
    other.hear(`{"kind":"proof","signature":"${mallory.sign(text) as Signature}"}`)
    expect(other.reason).toBe('us wrong-signature')
  })

  it('that plays the other role from the beginning is refused', () => {
    const [one, other] = [dialler(), dialler(mallory)]
    talk(one, other)
    expect([one.reason, other.welcomed]).toEqual(['us wrong-role', undefined])
    const [third, fourth] = [acceptor(), acceptor(mallory)]
    talk(third, fourth)
    expect([third.welcomed, fourth.welcomed]).toEqual([undefined, undefined])
    expect(fourth.reason).toMatch(/wrong-role$/)
  })
})

const canonicalHello = (hello: Hello): string =>
  JSON.stringify(Object.fromEntries(Object.entries(hello).sort(([one], [other]) => (one < other ? -1 : 1))))

describe('refused, and told why at both ends, is', () => {
  const cases: readonly (readonly [string, () => readonly [End, End]])[] = [
    ['wrong-network', () => [dialler(alice, { network: '2b'.repeat(32) as NetworkId }), acceptor()]],
    ['self', () => [dialler(bob), acceptor(bob)]],
    ['wrong-origin', () => [dialler(alice, { origins: [aliceOrigin] }), acceptor()]],
    ['not-allowed', () => [dialler(), acceptor(bob, { allowed: new Set([mallory.address]) })]],
    [
      'banned',
      () => [dialler(), acceptor(bob, { objection: () => ({ reason: 'banned', detail: 'until noon' }) })],
    ],
  ]
  for (const [reason, open] of cases) {
    it(`${reason}`, () => {
      const [one, other] = open()
      talk(one, other)
      const reasons = [one.reason, other.reason].sort()
      expect(reasons.every((told) => told?.endsWith(` ${reason}`))).toBe(true)
      expect([one.welcomed, other.welcomed]).toEqual([undefined, undefined])
    })
  }

  it('an acceptor that isn’t allowed at the dialler', () => {
    const [one, other] = [dialler(alice, { allowed: new Set([mallory.address]) }), acceptor()]
    talk(one, other)
    expect([one.reason, other.reason]).toEqual(['us not-allowed', 'them not-allowed'])
  })

  it('one on the list of allowed peers is not', () => {
    const [one, other] = [dialler(), acceptor(bob, { allowed: new Set([alice.address]) })]
    talk(one, other)
    expect(other.welcomed?.key).toBe(alice.address)
  })

  it('one that is late', () => {
    const other = acceptor()
    other.said.splice(0)
    other.apply(other.machine.step({ kind: 'refused', refusal: { reason: 'too-late', detail: '10 s' } }))
    expect(decodeRefusal(other.said[0]!)).toEqual({ reason: 'too-late', detail: '10 s' })
    other.hear(dialler().said[0]!)
    expect(other.said).toHaveLength(1)
  })

  it('what is too big, and what is no handshake', () => {
    const refused: readonly (readonly [string, string])[] = [
      ['too-big', `"${'x'.repeat(maxHandshakeBytes)}"`],
      ['malformed', ''],
      ['malformed', 'hello'],
      ['malformed', '[]'],
      ['malformed', '{"kind":"proof"}'],
      ['malformed', `{"kind":"proof","signature":"${'0'.repeat(128)}"}`],
      ['malformed', `{ "kind": "hello" }`],
      ['malformed', '"ping"'],
    ]
    for (const [reason, text] of refused) {
      const other = acceptor()
      other.hear(text)
      expect([text.slice(0, 20), other.reason]).toEqual([text.slice(0, 20), `us ${reason}`])
    }
  })

  it('every hello with a member that is wrong, missing or unknown', () => {
    const hello = JSON.parse(dialler().said[0]!) as Record<string, unknown>
    const wrong: readonly Record<string, unknown>[] = [
      { ...hello, key: 'taut1' },
      { ...hello, nonce: '00' },
      { ...hello, version: 'new\nline' },
      { ...hello, version: '' },
      { ...hello, origin: `https://${'x'.repeat(400)}` },
      { ...hello, origin: 'https://\u202ebob' },
      { ...hello, network: 7 },
      { ...hello, extra: 1 },
      ...Object.keys(hello)
        .filter((member) => member !== 'origin')
        .map((member) => ({ ...hello, [member]: undefined })),
    ]
    for (const fields of wrong) {
      const other = acceptor()
      other.hear(canonicalHello(fields as unknown as Hello))
      expect([fields, other.reason]).toEqual([fields, 'us malformed'])
    }
  })

  it('a second hello', () => {
    const [one, other] = [dialler(), acceptor()]
    const hello = one.said.shift()!
    other.hear(hello)
    other.hear(hello)
    expect(other.reason).toBe('us malformed')
  })

  it('nobody in words that a log or a peer can’t take', () => {
    const other = acceptor(bob, {
      objection: () => ({ reason: 'banned', detail: `\u001b[2J${'x'.repeat(5_000)}` }),
    })
    other.said.splice(0)
    other.hear(dialler().said[0]!)
    expect(decodeRefusal(other.said[0]!)?.detail).toMatch(/^\?\[2Jx+$/)
  })
})

describe('a refusal of the peer', () => {
  it('ends the handshake wherever it comes, and is not answered', () => {
    const [one, other] = [dialler(), acceptor()]
    other.isSlow = true
    talk(one, other)
    other.hear('{"detail":"there is a link already","kind":"refusal","reason":"duplicate"}')
    expect([other.reason, other.said]).toEqual(['them duplicate', []])
    for (const finish of other.held) finish()
    expect(other.welcomed).toBeUndefined()
  })
})
