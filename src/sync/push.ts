/**
 * Push: helping peers that are behind and can't help themselves.
 *
 * A peer that this node dials may know no URL of it, and so can't ask it for blocks. When such a one stands
 * still below this node's head, it is sent the segment that follows its own, and the next as soon as it has
 * moved; when that comes to nothing, it is left alone for a time that doubles. One that moves by itself is not
 * helped.
 *
 * A pure machine: no clock, randomness, socket or storage. Its time is counted in ticks, as in `sync.ts`.
 */
import { type Address, height as asHeight, type Height } from '../units.ts'
import { helpTicks, maxRestTicks, restTicks } from './limits.ts'

export type PushInput =
  /** This node's own head. */
  | { readonly kind: 'head'; readonly height: Height }
  /** A peer that can be sent segments says that its head is at this height. */
  | { readonly kind: 'stands'; readonly peer: Address; readonly height: Height }
  | { readonly kind: 'gone'; readonly peer: Address }
  /** A segment up to this height was sent, and the peer has taken it in. */
  | { readonly kind: 'taken'; readonly peer: Address; readonly upTo: Height }
  /** It could not be sent, or the peer didn't want it. */
  | { readonly kind: 'refused'; readonly peer: Address }
  | { readonly kind: 'tick' }

/** Send this peer the segment that begins there. */
export interface PushEffect {
  readonly kind: 'push'
  readonly peer: Address
  readonly from: Height
}

interface Helped {
  height: Height
  /** Since when it has not moved, in ticks of the machine. */
  stillSince: number
  isUnderway: boolean
  /** Up to where it was sent blocks that it has taken in, while it is behind. */
  helpedTo: Height | undefined
  /** In a row. */
  failures: number
  restsUntil: number
}

export class Push {
  #head: Height
  readonly #peers = new Map<Address, Helped>()
  #ticks = 0
  #effects: PushEffect[] = []

  constructor(head: Height) {
    this.#head = head
  }

  step(input: PushInput): readonly PushEffect[] {
    this.#take(input)
    for (const [peer, helped] of this.#peers) {
      if (!this.#needsHelp(helped)) continue
      helped.isUnderway = true
      this.#effects.push({ kind: 'push', peer, from: asHeight(helped.height + 1) })
    }
    return this.#effects.splice(0)
  }

  /** Some peer is behind: only time shows whether it helps itself. */
  get needsTicks(): boolean {
    return [...this.#peers.values()].some(({ height }) => height < this.#head)
  }

  #take(input: PushInput): void {
    switch (input.kind) {
      case 'head':
        this.#head = input.height
        break
      case 'stands':
        this.#hear(input.peer, input.height)
        break
      case 'gone':
        this.#peers.delete(input.peer)
        break
      case 'taken':
        this.#settle(input.peer, input.upTo)
        break
      case 'refused':
        this.#settle(input.peer, undefined)
        break
      case 'tick':
        this.#ticks++
    }
  }

  #hear(peer: Address, height: Height): void {
    const helped = this.#peers.get(peer)
    if (!helped) {
      const fresh = { isUnderway: false, helpedTo: undefined, failures: 0, restsUntil: 0 }
      this.#peers.set(peer, { height, stillSince: this.#ticks, ...fresh })
      return
    }
    if (height !== helped.height) helped.stillSince = this.#ticks
    helped.height = height
    this.#judge(helped)
  }

  /** @param upTo - undefined when it was refused */
  #settle(peer: Address, upTo: Height | undefined): void {
    const helped = this.#peers.get(peer)
    if (!helped) return
    helped.isUnderway = false
    helped.helpedTo = upTo
    helped.restsUntil = this.#ticks + Math.min(restTicks * 2 ** helped.failures, maxRestTicks)
    helped.failures++ // until it is seen that the peer has moved
    this.#judge(helped)
  }

  #judge(helped: Helped): void {
    if (helped.height === helped.helpedTo) helped.failures = 0
    if (helped.height >= this.#head) helped.helpedTo = undefined
  }

  #needsHelp({ height, stillSince, isUnderway, helpedTo, restsUntil }: Helped): boolean {
    if (isUnderway || height >= this.#head) return false
    if (height === helpedTo) return true
    return this.#ticks >= restsUntil && this.#ticks - stillSince >= helpTicks
  }
}
