/**
 * Proposals and votes of the present height: passed on at once where nobody else will, and repeated on ticks
 * until everybody in the height has them.
 *
 * A message is passed on at once to peers in the same height that have no link with its author. All others get
 * on a tick what their link hasn't carried by then, if it was here on the tick before, too: until then it is
 * on its way. So a full mesh carries each message over each link once, and what is lost, withheld or dropped
 * costs a tick.
 */
import type { CompactBlock, PeerMessage } from '../messages/peer-message.ts'
import type { Verified } from '../objects/verified.ts'
import type { ConsensusMessage } from '../objects/vote.ts'
import type { Signature } from '../units.ts'
import type { Emit } from './effect.ts'
import type { Current } from './input.ts'
import type { Link } from './link.ts'

export interface Said {
  readonly message: Verified<ConsensusMessage>
  /** Of a proposal; without it, that isn't passed on. */
  readonly block?: CompactBlock
}

/** An audience is the links to peers in this height. */
export class Repeater {
  readonly #emit: Emit
  readonly #told = new WeakMap<ConsensusMessage, PeerMessage>()
  /** What was recent on the tick before. */
  #ripe: ReadonlySet<Signature> = new Set()

  constructor(emit: Emit) {
    this.#emit = emit
  }

  /** A message enters the network here. */
  publish({ message, block }: Said, audience: readonly Link[]): void {
    this.#sendOnce(audience, message, block)
  }

  relay({ message, block }: Said, audience: readonly Link[]): void {
    const unlinked = audience.filter((link) => !link.hears(message.validator))
    this.#sendOnce(unlinked, message, block)
  }

  /** All that is current, to a peer that has come to this height. */
  brief(link: Link, current: Current): void {
    for (const message of current.recent()) this.#sendOnce([link], message, blockIn(message, current))
  }

  repeat(audience: readonly Link[], current: Current): void {
    const recent = current.recent()
    for (const message of recent) {
      if (this.#ripe.has(message.signature)) this.#sendOnce(audience, message, blockIn(message, current))
    }
    this.#ripe = new Set(recent.map(({ signature }) => signature))
  }

  #sendOnce(audience: readonly Link[], message: Verified<ConsensusMessage>, block?: CompactBlock): void {
    const unaware = audience.filter((link) => !link.knows(message))
    const told = unaware.length > 0 && this.#toPeerMessage(message, block)
    if (!told) return
    for (const link of unaware) link.remember(message)
    this.#emit({ kind: 'send', peers: unaware.map(({ peer }) => peer), message: told })
  }

  /** The same object each time, so that it is encoded once. */
  #toPeerMessage(message: Verified<ConsensusMessage>, block?: CompactBlock): PeerMessage | undefined {
    const told = this.#told.get(message) ?? toPeerMessage(message, block)
    if (told) this.#told.set(message, told)
    return told
  }
}

/** A proposal without its block is of no use to anybody. */
export const toPeerMessage = (message: ConsensusMessage, block?: CompactBlock): PeerMessage | undefined => {
  if (message.kind !== 'proposal') return { kind: 'vote', vote: message }
  return block && { kind: 'proposal', proposal: message, block }
}

const blockIn = (message: ConsensusMessage, current: Current): CompactBlock | undefined =>
  message.kind === 'proposal' ? current.blockOf(message.block) : undefined
