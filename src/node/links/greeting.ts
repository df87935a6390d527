/** A handshake on a socket: brings the pure machine, the keys and the wire together, within a time. */
import {
  encodeRefusal,
  Handshake,
  type HandshakeEffect,
  type HandshakeTerms,
  type Hello,
  type Refusal,
} from '../../messages/handshake.ts'
import { closeReason } from '../../messages/printable.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Signer, Verifier } from '../../ports/keys.ts'
import type { Wire, WireListener } from '../../ports/transport.ts'
import { handshakeMs } from './limits.ts'
import type { Link } from './link.ts'

export interface GreetingParts {
  readonly wire: Wire
  readonly terms: HandshakeTerms
  readonly signer: Signer
  readonly verifier: Verifier
  readonly clock: Clock
  /** The peer is proven. @returns the link that the wire carries from now on, or why it carries none */
  readonly onWelcome: (peer: Hello) => Link | Refusal
  /** Nothing came of it. Called once; never after a link was made. */
  readonly onEnd: (end: GreetingEnd) => void
}

export interface GreetingEnd {
  readonly by: 'us' | 'them'
  readonly reason: Refusal['reason'] | 'closed'
  readonly detail: string
}

export class Greeting implements WireListener {
  readonly #parts: GreetingParts
  readonly #handshake: Handshake
  readonly #cancelTimer: () => void
  #link: Link | undefined
  #isOver = false

  /** Says hello. */
  constructor(parts: GreetingParts) {
    this.#parts = parts
    this.#handshake = new Handshake(parts.terms)
    this.#cancelTimer = parts.clock.schedule(handshakeMs, () =>
      this.refuse({
        reason: 'too-late',
        detail: `the handshake takes more than ${handshakeMs / 1_000} seconds`,
      }),
    )
    this.#run(this.#handshake.begin())
  }

  onText(text: string): void {
    if (this.#link) this.#link.hear(text)
    else this.#run(this.#handshake.step({ kind: 'text', text }))
  }

  onClose(reason: string): void {
    if (this.#link) this.#link.ended(reason)
    else this.#end({ by: 'them', reason: 'closed', detail: reason || 'the connection ended' })
  }

  /** Has no effect on a handshake that is over. */
  refuse(refusal: Refusal): void {
    this.#run(this.#handshake.step({ kind: 'refused', refusal }))
  }

  #run(effects: readonly HandshakeEffect[]): void {
    for (const effect of effects) this.#apply(effect)
  }

  #apply(effect: HandshakeEffect): void {
    switch (effect.kind) {
      case 'send':
        this.#parts.wire.send(effect.text)
        break
      case 'sign':
        void this.#sign(effect.text)
        break
      case 'verify':
        void this.#verify(effect)
        break
      case 'welcome':
        this.#welcome(effect.peer, effect.early)
        break
      case 'end':
        this.#end({ by: effect.by, ...effect.refusal })
    }
  }

  async #verify({ key, text, signature }: HandshakeEffect & { kind: 'verify' }): Promise<void> {
    const isValid = await this.#parts.verifier.verify(key, text, signature)
    this.#run(this.#handshake.step({ kind: 'verified', isValid }))
  }

  async #sign(text: string): Promise<void> {
    const signature = await this.#parts.signer.sign(text)
    this.#run(this.#handshake.step({ kind: 'signed', signature }))
  }

  #welcome(peer: Hello, early: readonly string[]): void {
    if (this.#isOver) return
    const link = this.#parts.onWelcome(peer)
    if ('reason' in link) {
      this.#parts.wire.send(encodeRefusal(link))
      this.#end({ by: 'us', ...link })
    } else {
      this.#isOver = true
      this.#cancelTimer()
      this.#link = link
      for (const text of early) link.hear(text)
    }
  }

  #end(end: GreetingEnd): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancelTimer()
    this.#parts.wire.close(closeReason(`${end.reason}: ${end.detail}`))
    this.#parts.onEnd(end)
  }
}
