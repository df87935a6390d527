/**
 * What waits to be sent to one peer, within bounds.
 *
 * Everything but a status may be dropped: gossip repeats on its ticks what the other end lacks. Of statuses
 * only the newest is worth anything, so that there is at most one, and always room for it.
 */
import { type EncodedMessage, encodeFrame, joinTransactions } from '../../messages/frame.ts'
import { maxFrameBytes, maxFrameMessages } from '../../messages/limits.ts'
import { maxQueuedBytes, maxQueuedMessages } from './limits.ts'

export interface OutboundFrame {
  readonly text: string
  readonly messages: readonly EncodedMessage[]
  readonly sizeBytes: number
}

export class Outbox {
  /** In the order of arrival. */
  readonly #messages = new Set<EncodedMessage>()
  #status: EncodedMessage | undefined
  #bytes = 0
  /** Messages that had to make room. */
  dropped = 0

  get isEmpty(): boolean {
    return this.#messages.size === 0
  }

  /** Puts a message last; one that waits here already isn't sent twice. */
  add(message: EncodedMessage): void {
    if (this.#messages.has(message)) return
    if (message.kind === 'status') this.#replaceStatus(message)
    this.#messages.add(message)
    this.#bytes += message.sizeBytes
    if (this.#exceeds(1)) this.#makeRoom()
  }

  /** Takes out what fits into one frame, eldest first. Something must wait. */
  take(): OutboundFrame {
    const taken: EncodedMessage[] = []
    let takenBytes = 1 // the brackets, less the comma that the last message doesn't have
    for (const message of this.#messages) {
      if (taken.length === maxFrameMessages || takenBytes + message.sizeBytes + 1 > maxFrameBytes) break
      taken.push(message)
      takenBytes += message.sizeBytes + 1
      this.#remove(message)
    }
    const messages = joinTransactions(taken)
    const sizeBytes = messages.reduce((sum, message) => sum + message.sizeBytes + 1, 1)
    return { text: encodeFrame(messages), messages, sizeBytes }
  }

  #replaceStatus(status: EncodedMessage): void {
    if (this.#status) this.#remove(this.#status)
    this.#status = status
  }

  #remove(message: EncodedMessage): void {
    if (this.#messages.delete(message)) this.#bytes -= message.sizeBytes
  }

  #exceeds(share: number): boolean {
    return this.#bytes > maxQueuedBytes * share || this.#messages.size > maxQueuedMessages * share
  }

  /** More than the one that is too many, or each further one would be looked for among all of them. */
  #makeRoom(): void {
    this.#drop(({ kind }) => kind === 'announce')
    this.#drop(({ kind }) => kind !== 'status')
  }

  #drop(isDroppable: (message: EncodedMessage) => boolean): void {
    for (const message of this.#messages) {
      if (!this.#exceeds(3 / 4)) return
      if (!isDroppable(message)) continue
      this.#remove(message)
      this.dropped++
    }
  }
}
