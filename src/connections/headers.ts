/** The headers that order what is said, and the messages that make a connection of two identities. */
import * as z from 'zod'
import { maxIdChars } from '../didcomm/limits.ts'
import type { Message } from '../didcomm/message.ts'
import type { Received } from './connection.ts'

const protocol = 'urn:tautline:connection/1.0'
/** The acceptor, to the invitation's DID. */
export const requestType = `${protocol}/request`
/** The inviter, from a DID of its own for this connection, with the record that it has signed. */
export const acceptType = `${protocol}/accept`
/** The acceptor, with the same record signed by it. */
export const confirmType = `${protocol}/confirm`
/** Nothing but headers. Wants no answer. */
export const acknowledgeType = `${protocol}/acknowledge`

/** Where a message stands among those of its sender. */
export interface PlaceHeader {
  readonly stream: number
  readonly sequence: number
  /** Id of the message before it; absent for the first of all. */
  readonly previous?: string | undefined
  /** Sequence of the oldest that the sender still has. */
  readonly oldest: number
}

const counter = z.number().int().min(1).max(Number.MAX_SAFE_INTEGER)
const idField = z.string().min(1).max(maxIdChars)
const placeSchema = z.strictObject({
  stream: counter,
  sequence: counter,
  previous: idField.optional(),
  oldest: counter,
})
const receivedSchema = z.strictObject({
  stream: counter,
  sequence: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  id: idField.optional(),
})

const placeHeader = 'tautline_place'
const receivedHeader = 'tautline_received'

export const orderHeaders = (received: Received, place?: PlaceHeader) => ({
  [receivedHeader]: { ...received },
  ...(place && { [placeHeader]: { ...place } }),
})

/** @returns undefined when the message has no such header, or a malformed one */
export const readPlace = (message: Message): PlaceHeader | undefined =>
  placeSchema.safeParse(message[placeHeader]).data

/** @returns undefined when the message has no such header, or a malformed one */
export const readReceived = (message: Message): Received | undefined =>
  receivedSchema.safeParse(message[receivedHeader]).data as Received | undefined
