/** What the effects of one step make durable: messages taken and to be said, payloads, and events for the operator. */
import { type Connection, type ConnectionEffect, readContent } from '../../connections/connections.ts'
import { type DidDocument, isRefused, type Message, readStatement } from '../../didcomm/didcomm.ts'
import type { Hash, TransactionId, UnixMs } from '../../units.ts'
import type { Additions } from './connection-store.ts'
import { toKept } from './payloads.ts'
import type { ConnectionEvent, InboxMessage, KeptPayload } from './service.ts'

/**
 * @param connection - as it was before the step: of a message it says who has signed it
 * @param next - position in the inbox of the next message
 */
export const additionsOf = (
  { id, outgoing, peer }: Connection,
  effects: readonly ConnectionEffect[],
  { now, next }: { readonly now: UnixMs; readonly next: number },
): Additions => {
  const read = effects.flatMap((effect) =>
    effect.kind === 'take' ? [readMessage(effect.message, now, peer?.document)] : [],
  )
  let position = next
  const events = effects.flatMap((effect): Omit<ConnectionEvent, 'position'>[] => {
    switch (effect.kind) {
      case 'take':
        return [{ connection: id, at: now, type: 'message', message: position++ }]
      case 'lose':
        return [{ connection: id, at: now, type: 'lost' }]
      case 'report':
        return [{ connection: id, at: now, type: effect.what }]
      default:
        return []
    }
  })
  return {
    taken: read.map(({ message }) => message),
    payloads: read.flatMap(({ payload }) => payload ?? []),
    dropped: effects.flatMap((effect) => {
      if (effect.kind === 'drop') return range(outgoing.oldest, effect.before - 1)
      return effect.kind === 'erase' ? range(outgoing.oldest, outgoing.last) : []
    }),
    events,
    outbound: effects.flatMap((effect) => (effect.kind === 'add' ? [effect.outbound] : [])),
    erased: effects.some(({ kind }) => kind === 'erase'),
  }
}

const range = (first: number, last: number): readonly number[] =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at)

const readMessage = (
  message: Message,
  received: UnixMs,
  sender: DidDocument | undefined,
): { readonly message: InboxMessage; readonly payload?: KeptPayload } => {
  const plain = {
    position: 0, // given by the store
    id: message.id,
    received,
    ...(message.created_time !== undefined && { sent: message.created_time }),
    type: message.type,
  }
  const content = readContent(message)
  switch (content?.kind) {
    case 'text':
      return { message: { ...plain, text: content.text } }
    case 'json':
      return { message: { ...plain, json: content.value } }
    case 'payload': {
      const payload = toKept(content)
      const { mediaType, base64, c, transaction } = payload
      const standing = 'not-on-ledger' // until it is looked up there
      return { message: { ...plain, payload: { mediaType, base64, c, transaction, standing } }, payload }
    }
    case 'receipt': {
      const read = sender && readStatement('receipt', content.jws, sender)
      if (!read || isRefused(read)) break
      const { c, transaction } = read.statement
      return {
        message: {
          ...plain,
          receipt: { c: c as Hash, transaction: transaction as TransactionId, jws: read.jws },
        },
      }
    }
  }
  return { message: { ...plain, json: message.body } }
}
