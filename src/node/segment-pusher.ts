/**
 * Segment pusher: helps peers that are behind and can't help themselves.
 *
 * In: where peers stand that this node dials. Out: segments, by POST to those that the machine (`sync/push.ts`)
 * chooses. What a peer makes of them is its own affair: they prove themselves.
 */
import { maxSegmentBlocks } from '../messages/limits.ts'
import { printable } from '../messages/printable.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Transport } from '../ports/transport.ts'
import { requestTicks, tickMs } from '../sync/limits.ts'
import { Push, type PushEffect, type PushInput } from '../sync/push.ts'
import { type Address, height as asHeight, type Height } from '../units.ts'
import type { SegmentText } from './service.ts'
import { Ticker } from './ticker.ts'

/** Of an answer, which is empty or a problem. */
const maxAnswerBytes = 64 * 1024
/** Of a problem, for the log. */
const maxDetail = 200

export interface PusherParts {
  /** Of this node's head. */
  readonly height: () => Height
  readonly readSegment: (from: Height, limit: number, options: { certificates: true }) => Promise<SegmentText>
  readonly transport: Pick<Transport, 'request'>
  readonly clock: Clock
  readonly log: Log
}

export class SegmentPusher {
  readonly #parts: PusherParts
  readonly #machine: Push
  readonly #ticker: Ticker
  readonly #urls = new Map<Address, string>()
  #isClosed = false

  constructor(parts: PusherParts) {
    this.#parts = parts
    this.#machine = new Push(parts.height())
    this.#ticker = new Ticker(parts.clock, tickMs, () => this.#step({ kind: 'tick' }))
  }

  /** A peer says where its head is. @param url - at which the operator lets it be reached */
  stands(peer: Address, url: string, height: Height): void {
    this.#urls.set(peer, url)
    this.#step({ kind: 'stands', peer, height })
  }

  gone(peer: Address): void {
    this.#urls.delete(peer)
    this.#step({ kind: 'gone', peer })
  }

  /** This node's head has moved. */
  headMoved(): void {
    this.#step({ kind: 'head', height: this.#parts.height() })
  }

  close(): void {
    this.#isClosed = true
    this.#ticker.need(false)
  }

  #step(input: PushInput): void {
    if (this.#isClosed) return
    for (const effect of this.#machine.step(input)) void this.#push(effect)
    this.#ticker.need(this.#machine.needsTicks)
  }

  async #push({ peer, from }: PushEffect): Promise<void> {
    const { log } = this.#parts
    try {
      const upTo = await this.#send(this.#urls.get(peer)!, from)
      log.debug('a peer that was behind was sent blocks', { peer, from, upTo })
      this.#step({ kind: 'taken', peer, upTo })
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      log.debug(`a peer that is behind could not be sent blocks: ${reason}`, { peer, from })
      this.#step({ kind: 'refused', peer })
    }
  }

  /** @returns height of the last block that was sent */
  async #send(url: string, from: Height): Promise<Height> {
    const { readSegment, transport } = this.#parts
    const segment = await readSegment(from, maxSegmentBlocks, { certificates: true })
    const { status, text } = await transport.request(url, {
      method: 'POST',
      path: '/v1/peer/segments',
      body: segment.text,
      maxBytes: maxAnswerBytes,
      timeoutMs: requestTicks * tickMs,
    })
    if (status !== 204) throw new Error(`it answers ${status}: ${printable(text, maxDetail)}`)
    return asHeight(from + segment.blocks - 1)
  }
}
