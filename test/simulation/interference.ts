/**
 * What becomes of frames on their way.
 *
 * In: every frame that a machine sends. Out: the frames that arrive. Here honest machines are watched, liars lie,
 * and partitions and losses take single messages out. What is not of consensus, such as a handshake, passes.
 */
import { canonicalize, type Json } from '../../src/codec/json.ts'
import type { PeerMessage, ProposalMessage, VoteMessage } from '../../src/messages/peer-message.ts'
import type { ConsensusMessage } from '../../src/objects/vote.ts'
import type { Chance } from './chance.ts'
import type { Host } from './network.ts'
import { short } from './trace.ts'

export interface InterferenceParts {
  readonly chance: Chance
  /** Something of consensus is about to leave a machine. @returns whether the machine lives to send it */
  readonly onLeaving: (from: Host, to: Host, messages: readonly PeerMessage[]) => boolean
  /** @returns what is said in place of this */
  readonly lie: (from: Host, to: Host, messages: readonly PeerMessage[]) => readonly PeerMessage[]
  readonly isCut: (from: Host, to: Host, message: ConsensusMessage) => boolean
  readonly note: (what: string) => void
}

export class Interference {
  readonly #parts: InterferenceParts
  /** Share of messages that get lost, and that come twice. */
  lossPercent = 0
  repeatPercent = 0

  constructor(parts: InterferenceParts) {
    this.#parts = parts
  }

  readonly interfere = (from: Host, to: Host, text: string): readonly string[] => {
    const { onLeaving, lie, note } = this.#parts
    const messages = readMessages(text)
    if (messages === undefined) {
      note(`${from.name}→${to.name} ${text.length} bytes`)
      return [text]
    }
    if (!onLeaving(from, to, messages)) return []
    const leaving = lie(from, to, messages).filter((message) => this.#arrives(from, to, message))
    const arriving = leaving.flatMap((message) => this.#repeated(message))
    note(`${from.name}→${to.name} ${describe(arriving, messages.length)}`)
    if (arriving.length === 0) return []
    return [isSame(arriving, messages) ? text : canonicalize(arriving as unknown as Json)]
  }

  #arrives(from: Host, to: Host, message: PeerMessage): boolean {
    if (!isConsensus(message)) return true
    if (this.#parts.isCut(from, to, said(message))) return false
    return this.lossPercent === 0 || !this.#parts.chance.percent(this.lossPercent)
  }

  #repeated(message: PeerMessage): readonly PeerMessage[] {
    const isTwice =
      this.repeatPercent > 0 && isConsensus(message) && this.#parts.chance.percent(this.repeatPercent)
    return isTwice ? [message, message] : [message]
  }
}

/** @returns undefined for what isn't a list of messages */
const readMessages = (text: string): readonly PeerMessage[] | undefined =>
  text.startsWith('[') ? (JSON.parse(text) as PeerMessage[]) : undefined

export const isConsensus = (message: PeerMessage): message is ProposalMessage | VoteMessage =>
  message.kind === 'proposal' || message.kind === 'vote'

export const said = (message: ProposalMessage | VoteMessage): ConsensusMessage =>
  message.kind === 'proposal' ? message.proposal : message.vote

const isSame = (one: readonly unknown[], other: readonly unknown[]): boolean =>
  one.length === other.length && one.every((item, at) => item === other[at])

const describe = (arriving: readonly PeerMessage[], sent: number): string => {
  const texts = arriving.map(describeMessage).join(', ')
  return arriving.length === sent ? texts : `${texts} (of ${sent})`
}

const describeMessage = (message: PeerMessage): string => {
  switch (message.kind) {
    case 'proposal':
    case 'vote': {
      const { kind, height, round, block, validator } = said(message)
      return `${kind} ${height}.${round} ${short(block)} of ${short(validator)}`
    }
    case 'status':
      return `status ${message.height}.${message.round}`
    case 'transactions':
      return `${message.transactions.length} transactions`
    case 'cards':
      return `${message.cards.length} cards`
    default:
      return `${message.kind} ${message.hashes.length}`
  }
}
