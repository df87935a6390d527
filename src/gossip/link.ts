/** What is known of one peer, for as long as the link to it lasts. A link that is opened again starts anew. */
import type { ConsensusMessage } from '../objects/vote.ts'
import type { Address, Hash, Height, Round, Signature } from '../units.ts'
import { maxAwaited, maxKnownMessages, requestWindow } from './limits.ts'
import { Memory } from './memory.ts'

export class Link {
  readonly peer: Address

  // Where the peer stands, as far as it has said so.
  height: Height | undefined
  round: Round | undefined
  neighbours: ReadonlySet<Address> = new Set()
  /** Ticks since it moved. */
  stillTicks = 0

  /** Messages that the link has carried lately, in either direction. */
  readonly #known = new Memory<Signature>(maxKnownMessages)

  /** Transactions that others were trusted to tell it of; looked through on ticks. */
  untold: Hash[] = []
  /** How many of these were there on the tick before. */
  ripe = 0

  /** Transactions that it has been given since the last tick, having asked for them. */
  readonly answered = new Set<Hash>()
  /** Transactions that it asked for lately, and that weren't here. */
  readonly awaited = new Memory<Hash>(maxAwaited)

  /** Transactions that it announced, and that haven't come yet. */
  readonly offered = new Set<Hash>()
  /** How many of these were asked of it. */
  asked = 0
  /** How many may be. */
  window: number = requestWindow.first

  constructor(peer: Address) {
    this.peer = peer
  }

  /** Whether the peer hears for itself what that node says. */
  hears(node: Address): boolean {
    return node === this.peer || this.neighbours.has(node)
  }

  knows({ signature }: ConsensusMessage): boolean {
    return this.#known.has(signature)
  }

  remember({ signature }: ConsensusMessage): void {
    this.#known.add(signature)
  }

  /** What the link has carried counts for nothing any more. */
  forget(): void {
    this.#known.clear()
  }
}
