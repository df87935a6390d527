/** Somebody who sees every text, knows both ends' public keys, and writes to them with keys of its own. */
import type { Connection } from '../../../src/connections/connections.ts'
import {
  createIdentity,
  type DidDocument,
  emptyType,
  type Identity,
  isRefused,
  readEnvelope,
  resolveDid,
  sealAnonymously,
  sealEnd,
  sealEntropyBytes,
  sealMessage,
  shortDid,
  signFromPrior,
} from '../../../src/didcomm/didcomm.ts'
import type { Chance } from '../chance.ts'
import type { Answer, End } from './end.ts'

export class Forger {
  readonly #chance: Chance
  readonly #identity: Identity
  /** Whole texts, and for whom they were. */
  readonly #overheard: { readonly to: End; readonly text: string }[] = []

  constructor(chance: Chance) {
    this.#chance = chance
    this.#identity = createIdentity(this.#bytes(64), 'https://forger.example/v1/didcomm')
  }

  overhear(to: End, text: string): void {
    if (this.#overheard.length < 60) this.#overheard.push({ to, text })
    else this.#overheard[this.#chance.below(60)] = { to, text }
  }

  /** Something old, to whom it once was for. */
  repeat(): { readonly to: End; readonly text: string } | undefined {
    return this.#overheard.length === 0 ? undefined : this.#chance.pick(this.#overheard)
  }

  /** A text that its victim should refuse. */
  forge(victim: Connection, seconds: number): string | undefined {
    const { identity, peer } = victim
    const document = identity && resolveDid(identity.did)
    if (!document) return undefined
    const old = this.repeat()?.text
    const forgeries: readonly (() => string | undefined)[] = [
      () => peer && this.#end(document, peer.document.did, seconds),
      () => peer && this.#unsignedEnd(document, peer.document.did, seconds),
      () => this.#end(document, this.#identity.did, seconds),
      () => this.#takeover(document, peer?.document.did ?? this.#identity.did, victim.terms.id, seconds),
      () => this.#spoofed(document, peer?.document.did ?? this.#identity.did, seconds),
      () =>
        victim.phase.state === 'invited' ? undefined : this.#request(document, victim.terms.id, seconds),
      () => old && damage(old, this.#chance),
    ]
    return this.#chance.pick(forgeries)()
  }

  /** What it puts in an answer's place. */
  answer(sender: Connection, seconds: number): Answer {
    const forged = this.forge(sender, seconds)
    return this.#chance.pick<Answer>([
      { kind: 'gone', body: '' },
      { kind: 'gone', body: this.repeat()?.text ?? '' },
      { kind: 'gone', body: forged ?? '' },
      { kind: 'delivered' },
      { kind: 'undelivered', code: 'unknown-key' },
    ])
  }

  #end(victim: DidDocument, issuer: string, seconds: number): string {
    return sealEnd(
      this.#identity,
      { id: this.#id(), issuer, issuedAt: seconds + 1_000 },
      this.#sealFor(victim),
    )
  }

  #unsignedEnd(victim: DidDocument, issuer: string, seconds: number): string {
    const [header, payload] = signFromPrior(this.#identity, { issuer, issuedAt: seconds + 1_000 }).split('.')
    const from_prior = `${header}.${payload}.${Buffer.alloc(64).toString('base64url')}`
    const message = { type: emptyType, id: this.#id(), to: [shortDid(victim.did)], body: {}, from_prior }
    return sealAnonymously(message, this.#sealFor(victim))
  }

  /** As if the peer had rotated to it. */
  #takeover(victim: DidDocument, issuer: string, pthid: string, seconds: number): string {
    const from_prior = signFromPrior(this.#identity, {
      issuer,
      subject: this.#identity.did,
      issuedAt: seconds + 1_000,
    })
    return this.#message(victim, this.#identity.did, { pthid, from_prior })
  }

  /** From the peer, by its own word. */
  #spoofed(victim: DidDocument, from: string, _seconds: number): string | undefined {
    const message = {
      type: 'urn:tautline:content/1.0/json',
      id: this.#id(),
      to: [shortDid(victim.did)],
      from,
      body: { value: 1 },
    }
    return sealAnonymously(message, this.#sealFor(victim))
  }

  /** An invitation that was accepted already. */
  #request(victim: DidDocument, pthid: string, _seconds: number): string {
    return this.#message(victim, this.#identity.did, { pthid, type: 'urn:tautline:connection/1.0/request' })
  }

  #message(victim: DidDocument, from: string, more: { readonly [name: string]: string }): string {
    const message = {
      type: 'urn:tautline:content/1.0/json',
      id: this.#id(),
      to: [shortDid(victim.did)],
      from,
      body: { value: 1 },
      ...more,
    }
    return sealMessage(message, this.#identity, this.#sealFor(victim))
  }

  #sealFor(victim: DidDocument) {
    return { recipient: { ...victim, did: shortDid(victim.did) }, entropy: this.#bytes(sealEntropyBytes) }
  }

  #id(): string {
    return `forged-${this.#chance.below(2 ** 31)}`
  }

  #bytes(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.#chance.below(256))
  }
}

/** One character of its content changed. */
const damage = (text: string, chance: Chance): string | undefined => {
  if (isRefused(readEnvelope(text))) return undefined
  const at = text.indexOf('"ciphertext":"') + 14 + chance.below(200)
  return `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
}
