/**
 * Peers that sleep while nothing happens: what is said then goes to them by POST, and wakes them.
 *
 * A sleeper says in its hello that it is one. Once its link is over nobody dials it, until there is something to
 * say. Then it is dialled again, and for as long as there is no link, what this node has to say itself is posted, a
 * batch at a time. Nothing depends on that: the link carries all that is current as soon as there is one.
 */
import * as z from 'zod'
import type { EncodedMessage } from '../../messages/frame.ts'
import { maxFrameBytes } from '../../messages/limits.ts'
import { hashField } from '../../objects/fields.ts'
import type { Log } from '../../ports/log.ts'
import type { Transport } from '../../ports/transport.ts'
import type { Address, Hash } from '../../units.ts'
import { postMs } from './limits.ts'
import { Outbox } from './outbox.ts'

export interface SleepersParts {
  readonly transport: Pick<Transport, 'request'>
  readonly log: Log
  /** Dials it now. */
  readonly dial: (peer: Address) => void
  /** Messages with those of these transactions that are here. */
  readonly transactionsOf: (hashes: readonly Hash[]) => readonly EncodedMessage[]
}

interface Sleeper {
  readonly url: string
  readonly outbox: Outbox
  /** Nothing was to be said since its link ended. */
  isResting: boolean
  isPosting: boolean
}

const answerSchema = z.object({ wanted: z.array(hashField) })

export class Sleepers {
  readonly #parts: SleepersParts
  /** Those that have no link. */
  readonly #asleep = new Map<Address, Sleeper>()

  constructor(parts: SleepersParts) {
    this.#parts = parts
  }

  get areThere(): boolean {
    return this.#asleep.size > 0
  }

  /** It needs no link for the moment. */
  isResting(peer: Address): boolean {
    return this.#asleep.get(peer)?.isResting ?? false
  }

  /** The link with one that sleeps is over. @param url - at which it may be asked */
  fellAsleep(peer: Address, url: string): void {
    this.#asleep.set(peer, { url, outbox: new Outbox(), isResting: true, isPosting: false })
  }

  /** There is a link again; or it is dialled no more. */
  forget(peer: Address): void {
    this.#asleep.delete(peer)
  }

  /** There is something to say to all. */
  rouse(): void {
    for (const [peer, sleeper] of this.#asleep) {
      if (!sleeper.isResting) continue
      sleeper.isResting = false
      this.#parts.dial(peer)
    }
  }

  /** @param messages - that prove themselves */
  tell(messages: readonly EncodedMessage[]): void {
    this.rouse()
    for (const [peer, sleeper] of this.#asleep) {
      for (const message of messages) sleeper.outbox.add(message)
      if (sleeper.isPosting) continue
      sleeper.isPosting = true
      queueMicrotask(() => void this.#postAll(peer, sleeper)) // with whatever else is said in this turn
    }
  }

  close(): void {
    this.#asleep.clear()
  }

  async #postAll(peer: Address, sleeper: Sleeper): Promise<void> {
    try {
      while (this.#asleep.get(peer) === sleeper && !sleeper.outbox.isEmpty) await this.#postOne(sleeper)
    } catch (error) {
      while (!sleeper.outbox.isEmpty) sleeper.outbox.take()
      this.#parts.log.debug('a peer that sleeps was not woken', { peer, error: String(error) })
    } finally {
      sleeper.isPosting = false
    }
  }

  /** What a proposal lacks is sent after it; nothing else can lack anything. */
  async #postOne({ url, outbox }: Sleeper): Promise<void> {
    const { text, messages } = outbox.take()
    const answer = await this.#parts.transport.request(url, {
      method: 'POST',
      path: '/v1/peer/messages',
      body: text,
      maxBytes: maxFrameBytes,
      timeoutMs: postMs,
    })
    if (answer.status !== 200) throw new Error(`it answers ${answer.status}`)
    if (!messages.some(({ kind }) => kind === 'proposal')) return
    const { wanted } = answerSchema.parse(JSON.parse(answer.text))
    for (const message of this.#parts.transactionsOf(wanted)) outbox.add(message)
  }
}
