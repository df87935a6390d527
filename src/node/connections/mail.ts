/**
 * Mail: what connections want sent, brought to the other ends' nodes, over each connection in order.
 *
 * When something doesn't arrive, what waited behind it is thrown away: the connection says all of it again.
 */
import { encryptedMediaType } from '../../didcomm/didcomm.ts'
import type { Courier, Reach } from '../../ports/transport.ts'
import { maxAnswerBytes, maxSending, postTimeoutMs } from './limits.ts'

/** What became of one text. */
export type Outcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'gone'; readonly body: string }
  | { readonly kind: 'undelivered'; readonly code?: string; readonly reason: string }

export interface Letter {
  /** Undefined when it isn't to be sent any more. */
  readonly write: () => Promise<{ readonly endpoint: string; readonly text: string } | undefined>
}

export interface MailParts {
  readonly courier: Courier
  readonly reach: Reach
  readonly onOutcome: (connection: string, outcome: Outcome) => Promise<void>
  readonly onError: (error: unknown) => void
}

export class Mail {
  readonly #parts: MailParts
  readonly #queues = new Map<string, Letter[]>()
  /** Connections for which something is on its way; resolved when nothing is. */
  readonly #busy = new Map<string, Promise<void>>()
  #isClosed = false

  constructor(parts: MailParts) {
    this.#parts = parts
  }

  send(connection: string, letters: readonly Letter[]): void {
    if (letters.length === 0 || this.#isClosed) return
    const queue = this.#queues.get(connection)
    if (queue) queue.push(...letters)
    else this.#queues.set(connection, [...letters])
    this.#go()
  }

  /** Resolves when nothing of this connection is on its way: before that it makes no sense to say it again. */
  async drained(connection: string): Promise<void> {
    await this.#busy.get(connection)
  }

  /** What isn't on its way yet is thrown away. */
  unsend(connection: string): void {
    this.#queues.delete(connection)
  }

  /** What is on its way isn't waited for: the other end takes as long as it likes, and is written to again. */
  close(): void {
    this.#isClosed = true
    this.#queues.clear()
  }

  #go(): void {
    for (const connection of this.#queues.keys()) {
      if (this.#busy.size >= maxSending) return
      if (this.#busy.has(connection)) continue
      const work = this.#empty(connection)
        .catch(this.#parts.onError)
        .finally(() => {
          this.#busy.delete(connection)
          this.#go()
        })
      this.#busy.set(connection, work)
    }
  }

  async #empty(connection: string): Promise<void> {
    try {
      for (let letter = this.#take(connection); letter; letter = this.#take(connection)) {
        const written = await letter.write()
        if (!written) continue
        const outcome = await this.#bring(written.endpoint, written.text)
        if (outcome.kind !== 'delivered') this.#queues.delete(connection)
        await this.#parts.onOutcome(connection, outcome)
      }
    } finally {
      if (this.#queues.get(connection)?.length === 0) this.#queues.delete(connection)
    }
  }

  #take(connection: string): Letter | undefined {
    return this.#queues.get(connection)?.shift()
  }

  async #bring(endpoint: string, text: string): Promise<Outcome> {
    try {
      const { status, text: body } = await this.#parts.courier.deliver(
        endpoint,
        { text, mediaType: encryptedMediaType, maxBytes: maxAnswerBytes, timeoutMs: postTimeoutMs },
        this.#parts.reach,
      )
      if (status >= 200 && status < 300) return { kind: 'delivered' }
      if (status === 410) return { kind: 'gone', body }
      return { kind: 'undelivered', code: codeOf(status, body), reason: `it answered ${status}` }
    } catch (cause) {
      return { kind: 'undelivered', reason: cause instanceof Error ? cause.message : String(cause) }
    }
  }
}

/** Of a problem by a node of this kind, or else the status. What another says is shown, so it is one word at most. */
const codeOf = (status: number, body: string): string => {
  try {
    const { reason } = JSON.parse(body) as { reason?: unknown }
    if (typeof reason === 'string' && /^[a-z-]{1,40}$/.test(reason)) return reason
  } catch {
    // no problem of ours
  }
  return `http-${status}`
}
