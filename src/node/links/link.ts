/**
 * One open link: what goes out is batched, paced and bounded; what comes in is read within a budget.
 *
 * An idle link sends nothing at all. Only when something was sent and the peer stays quiet is it asked
 * whether it is there, so that a connection which broke without a word is found out while it matters.
 */
import { utf8Bytes } from '../../codec/bytes.ts'
import {
  decodeFrame,
  type EncodedMessage,
  type FrameVerdict,
  pingText,
  pongText,
} from '../../messages/frame.ts'
import { decodeRefusal, type Hello } from '../../messages/handshake.ts'
import type { PeerMessage } from '../../messages/peer-message.ts'
import { closeReason } from '../../messages/printable.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Wire } from '../../ports/transport.ts'
import type { Address, Height, UnixMs } from '../../units.ts'
import type { PeerView, SentMessages } from '../service.ts'
import {
  answerMs,
  gatherMs,
  inboundRate,
  lookAgainMs,
  maxUnsentBytes,
  outboundRate,
  quietMs,
  stalledMs,
} from './limits.ts'
import { type OutboundFrame, Outbox } from './outbox.ts'
import { countSent } from './sent-messages.ts'
import { TokenBucket } from './token-bucket.ts'

export interface LinkEvents {
  onMessage(message: PeerMessage): void
  /** The peer sent what no honest one sends. The link stays until it is closed. */
  onFault(reason: string): void
  /** Once, last. */
  onEnd(reason: string): void
}

export interface LinkParts {
  readonly hello: Hello
  readonly direction: PeerView['direction']
  /** That was dialled. */
  readonly url?: string
  readonly wire: Wire
  readonly clock: Clock
  /** Counts what all links together have sent. */
  readonly sent: SentMessages
  readonly events: LinkEvents
}

interface Traffic {
  bytes: number
  messages: number
}

/** 'rest' until something is sent, 'listen' for a sign of life, and 'ask' for one when none came. */
type Watch = 'rest' | 'listen' | 'ask'

export class Link {
  readonly peer: Address
  readonly direction: PeerView['direction']
  readonly url: string | undefined
  readonly since: UnixMs
  readonly #parts: LinkParts
  readonly #outbox = new Outbox()
  readonly #sent: Traffic = { bytes: 0, messages: 0 }
  readonly #received: Traffic = { bytes: 0, messages: 0 }
  readonly #inbound: { readonly bytes: TokenBucket; readonly messages: TokenBucket }
  readonly #outbound: { readonly bytes: TokenBucket; readonly messages: TokenBucket }
  readonly #timers = new Set<() => void>()
  #height: Height | undefined
  #isFlushing = false
  #flushedMs = 0
  #cancelGathering: (() => void) | undefined
  #watch: Watch = 'rest'
  #heardAnything = false
  #saidWhileAsking = false
  #cancelWatch: (() => void) | undefined
  #isOver = false

  constructor(parts: LinkParts) {
    const { hello, direction, url, clock } = parts
    const now = clock.now()
    this.#parts = parts
    this.peer = hello.key
    this.direction = direction
    this.url = url
    this.since = now
    this.#inbound = buckets(inboundRate, now)
    this.#outbound = buckets(outboundRate, now)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /**
   * Sent with whatever else is said in this turn. Of transactions there may be thousands a second, one a turn:
   * they wait a moment for others when there are many, and for nothing when there are few.
   */
  send(message: EncodedMessage): void {
    if (this.#isOver) return
    this.#outbox.add(message)
    if (this.#isFlushing) return
    const gatherLeftMs = this.#flushedMs + gatherMs - this.#now()
    if (isPatient(message) && gatherLeftMs > 0 && gatherLeftMs <= gatherMs) {
      this.#cancelGathering ??= this.#later(gatherLeftMs, () => this.#beginFlush())
    } else this.#beginFlush()
  }

  hear(text: string): void {
    if (this.#isOver) return
    this.#showsLife()
    const sizeBytes = utf8Bytes(text)
    this.#received.bytes += sizeBytes
    if (!this.#inbound.bytes.take(sizeBytes, this.#now()) || !this.#inbound.messages.take(1, this.#now()))
      this.#flood()
    else if (text === pingText) this.#parts.wire.send(pongText)
    else if (text !== pongText) this.#hearSaid(text)
  }

  /** Asks whether the peer is there, when there is reason to doubt it. The link ends if no answer comes. */
  probe(): void {
    if (this.#isOver || this.#watch === 'ask') return
    this.#saidWhileAsking = false
    this.#parts.wire.send(pingText)
    this.#watchFor('ask', answerMs, () => this.close(`no sign of life for ${answerMs / 1_000} seconds`))
  }

  /** @param reason - for the log, and for the other end */
  close(reason: string): void {
    if (this.#isOver) return
    this.#parts.wire.close(closeReason(reason))
    this.ended(reason)
  }

  /** The wire is closed. */
  ended(reason: string): void {
    if (this.#isOver) return
    this.#isOver = true
    for (const cancel of this.#timers) cancel()
    this.#parts.events.onEnd(reason)
  }

  view(score: number): PeerView {
    const { version } = this.#parts.hello
    return {
      id: this.peer,
      ...(this.url === undefined ? {} : { url: this.url }),
      direction: this.direction,
      version,
      since: this.since,
      ...(this.#height === undefined ? {} : { height: this.#height }),
      sent: { ...this.#sent, dropped: this.#outbox.dropped },
      received: { ...this.#received },
      score,
    }
  }

  #hearSaid(text: string): void {
    const refusal = decodeRefusal(text)
    if (refusal) this.close(`refused by the peer (${refusal.reason}): ${refusal.detail}`)
    else this.#hearFrame(decodeFrame(text))
  }

  #hearFrame(verdict: FrameVerdict): void {
    if ('flaw' in verdict) this.#parts.events.onFault(verdict.flaw)
    else this.#hearMessages(verdict.messages)
  }

  #hearMessages(messages: readonly PeerMessage[]): void {
    this.#received.messages += messages.length
    if (!this.#inbound.messages.take(messages.length - 1, this.#now())) this.#flood()
    for (const message of messages) {
      if (this.#isOver) return
      if (message.kind === 'status') this.#height = message.height
      this.#parts.events.onMessage(message)
    }
  }

  #flood(): void {
    const { bytes, messages } = inboundRate
    this.#parts.events.onFault(`more than ${bytes} bytes or ${messages} messages a second`)
    this.close('too much at once')
  }

  #beginFlush(): void {
    this.#cancelGathering?.()
    this.#cancelGathering = undefined
    this.#isFlushing = true
    queueMicrotask(() => this.#flush())
  }

  #flush(): void {
    while (!this.#isOver && !this.#outbox.isEmpty) {
      if (this.#parts.wire.unsentBytes > maxUnsentBytes) {
        this.#waitForRoom()
        return
      }
      const pauseMs = this.#sendFrame(this.#outbox.take())
      if (pauseMs > 0) {
        this.#later(pauseMs, () => this.#flush())
        return
      }
    }
    this.#isFlushing = false
    this.#flushedMs = this.#now()
  }

  /** @returns how long to wait before more is sent */
  #sendFrame({ text, sizeBytes, messages }: OutboundFrame): number {
    this.#parts.wire.send(text)
    this.#sent.bytes += sizeBytes
    this.#sent.messages += messages.length
    countSent(this.#parts.sent, messages)
    this.#listen()
    const now = this.#now()
    const { bytes, messages: count } = this.#outbound
    return Math.max(bytes.spend(sizeBytes, now), count.spend(messages.length, now))
  }

  #waitForRoom(least = this.#parts.wire.unsentBytes, sinceMs = this.#now()): void {
    this.#later(lookAgainMs, () => {
      const unsent = this.#parts.wire.unsentBytes
      const now = this.#now()
      if (unsent <= maxUnsentBytes) this.#flush()
      else if (unsent < least) this.#waitForRoom(unsent, now)
      else if (now - sinceMs < stalledMs) this.#waitForRoom(least, sinceMs)
      else this.close(`it takes nothing of what was sent to it for ${stalledMs / 1_000} seconds`)
    })
  }

  /** An answer to what was just sent is what counts, not what was heard before it. */
  #listen(): void {
    this.#saidWhileAsking = true
    if (this.#watch === 'ask') return
    this.#heardAnything = false
    if (this.#watch === 'listen') return
    this.#watchFor('listen', quietMs, () => {
      if (this.#heardAnything) this.#watch = 'rest'
      else this.probe()
    })
  }

  /** An answer ends the asking at once. It vouches neither for what is sent after it, nor for what was meanwhile. */
  #showsLife(): void {
    this.#heardAnything = true
    if (this.#watch !== 'ask') return
    this.#cancelWatch?.()
    this.#watch = 'rest'
    if (this.#saidWhileAsking) this.#listen()
  }

  #watchFor(watch: Watch, forMs: number, then: () => void): void {
    this.#cancelWatch?.()
    this.#watch = watch
    this.#cancelWatch = this.#later(forMs, then)
  }

  /** @returns what cancels it, as the end of the link does */
  #later(delayMs: number, callback: () => void): () => void {
    const cancel = this.#parts.clock.schedule(delayMs, () => {
      this.#timers.delete(cancel)
      callback()
    })
    this.#timers.add(cancel)
    return () => {
      this.#timers.delete(cancel)
      cancel()
    }
  }

  #now(): UnixMs {
    return this.#parts.clock.now()
  }
}

/** Nobody waits for it to go on with the height. */
const isPatient = ({ kind }: EncodedMessage): boolean => kind === 'transactions' || kind === 'announce'

const buckets = (
  { bytes, messages, burstSeconds }: { bytes: number; messages: number; burstSeconds: number },
  now: UnixMs,
) => ({
  bytes: new TokenBucket(bytes, burstSeconds, now),
  messages: new TokenBucket(messages, burstSeconds, now),
})
