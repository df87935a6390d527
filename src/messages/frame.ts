/**
 * Frames: how messages travel over a link. One frame is the canonical JSON of an array of messages.
 *
 * A message is encoded once, whatever number of peers it goes to. What comes in is read by its bytes, its
 * canonical form and its schema, in this order, before anybody looks at what it says.
 */
import { utf8Bytes } from '../codec/bytes.ts'
import { canonicalize, type Json, parseCanonical } from '../codec/json.ts'
import { TautlineError } from '../errors.ts'
import { maxFrameBytes, maxHashes } from './limits.ts'
import { frameSchema, type PeerMessage } from './peer-message.ts'

/** A message as it is sent. */
export interface EncodedMessage {
  readonly kind: PeerMessage['kind']
  /** Canonical JSON. */
  readonly text: string
  readonly sizeBytes: number
  /** Canonical JSON of each transaction that it brings. */
  readonly transactions?: readonly string[]
}

/** Largest message: alone in its frame, between brackets. */
export const maxMessageBytes = maxFrameBytes - 2

/** Asks whether the other end is there, when it has been quiet since something was sent to it. */
export const pingText = '"ping"'
export const pongText = '"pong"'

const encoded = new WeakMap<PeerMessage, EncodedMessage>()

export const encodeMessage = (message: PeerMessage): EncodedMessage => {
  const known = encoded.get(message)
  if (known) return known
  const fresh = encodeText(message.kind, canonicalize(message as unknown as Json))
  encoded.set(message, fresh)
  return fresh
}

const encodeText = (kind: PeerMessage['kind'], text: string): EncodedMessage => ({
  kind,
  text,
  sizeBytes: utf8Bytes(text),
})

const transactionsHead = '{"kind":"transactions","transactions":['
const transactionsTail = ']}'
const transactionsRoom = maxMessageBytes - transactionsHead.length - transactionsTail.length

/** As many messages as it takes. @param texts - canonical JSON of signed transactions */
export const encodeTransactions = (texts: readonly string[]): readonly EncodedMessage[] =>
  inGroups(texts).map((group) => ({
    ...encodeText('transactions', `${transactionsHead}${group.join(',')}${transactionsTail}`),
    transactions: group,
  }))

/**
 * Makes as few messages as it takes of neighbours that bring transactions: reading one message costs a peer as
 * much as a transaction in it does.
 */
export const joinTransactions = (messages: readonly EncodedMessage[]): readonly EncodedMessage[] => {
  const joined: EncodedMessage[] = []
  let neighbours: EncodedMessage[] = []
  const join = (): void => {
    const texts = neighbours.flatMap(({ transactions = [] }) => transactions)
    joined.push(...(neighbours.length > 1 ? encodeTransactions(texts) : neighbours))
    neighbours = []
  }
  for (const message of messages) {
    if (message.transactions === undefined) {
      join()
      joined.push(message)
    } else neighbours.push(message)
  }
  join()
  return joined
}

const inGroups = (texts: readonly string[]): readonly (readonly string[])[] => {
  const groups: string[][] = []
  let room = 0
  for (const text of texts) {
    const bytes = utf8Bytes(text) + 1
    if (bytes > room || groups.at(-1)!.length === maxHashes) {
      groups.push([])
      room = transactionsRoom
    }
    groups.at(-1)!.push(text)
    room -= bytes
  }
  return groups
}

/** The text of one frame. */
export const encodeFrame = (messages: readonly EncodedMessage[]): string =>
  `[${messages.map(({ text }) => text).join(',')}]`

export type FrameVerdict =
  | { readonly messages: readonly PeerMessage[] }
  /** What is wrong with it. */
  | { readonly flaw: string }

export const decodeFrame = (text: string): FrameVerdict => {
  if (utf8Bytes(text) > maxFrameBytes) return { flaw: `the frame has more than ${maxFrameBytes} bytes` }
  try {
    const { data, error } = frameSchema.safeParse(parseCanonical(text))
    return data ? { messages: data } : { flaw: describe(error.issues[0]!) }
  } catch (error) {
    if (error instanceof TautlineError) return { flaw: error.message }
    throw error
  }
}

const describe = ({ path, message }: { path: readonly PropertyKey[]; message: string }): string =>
  `${path.map(String).join('.')}: ${message}`
