/** What was sent to peers since this node started, by kind of message. */
import type { EncodedMessage } from '../../messages/frame.ts'
import type { SentMessages } from '../service.ts'

export const noMessages = (): SentMessages => ({
  status: { messages: 0, bytes: 0 },
  cards: { messages: 0, bytes: 0 },
  proposal: { messages: 0, bytes: 0 },
  vote: { messages: 0, bytes: 0 },
  announce: { messages: 0, bytes: 0 },
  want: { messages: 0, bytes: 0 },
  transactions: { messages: 0, bytes: 0 },
})

export const countSent = (counts: SentMessages, messages: readonly EncodedMessage[]): void => {
  for (const { kind, sizeBytes } of messages) {
    counts[kind].messages++
    counts[kind].bytes += sizeBytes
  }
}
