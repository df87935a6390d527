/**
 * Connections: the life of one end of a private line between two nodes.
 *
 * In come envelopes that were opened, the operator's wishes, what became of what was sent, and the time; out go
 * the new state and what is to be done, in this order: make it durable, then send or answer. A pure, synchronous
 * machine: it holds nothing, dials nothing, and draws no randomness but from the seed that it is given.
 *
 * - `connection.ts` is what one end remembers, `input.ts` what it is told, `effect.ts` what it wants done.
 * - What is said has a place in a stream (`place.ts`): the other end takes it in that order, each once, however
 *   often and from whichever backup it comes.
 * - Who writes is judged by `didcomm`; what the message does, here.
 *
 * For each envelope: {@link open} it, look up what {@link lookupsOf} asks for, then {@link step} with `heard`.
 */

export { type Accepted, type Accepting, accept, type Invited, type Inviting, invite } from './beginning.ts'
export type {
  Connection,
  EndedBy,
  Lost,
  Outgoing,
  Peer,
  Phase,
  Place,
  Received,
  Terms,
} from './connection.ts'
export {
  makeJson,
  makePayload,
  makeReceipt,
  makeText,
  type Payload,
  type ReadContent,
  readContent,
} from './content.ts'
export type { ConnectionEffect, ConnectionRefusal } from './effect.ts'
export { decodeConnection, encodeConnection } from './encoding.ts'
export type { ConnectionInput, Content, Found, Moment, Outbound } from './input.ts'
export { type Lookups, lookupsOf, type NotOpened, type OpenVerdict, open } from './open.ts'
export { wakeAt } from './repeating.ts'
export { type Stepped, sealOutbound, step, whyNot } from './step.ts'
export { type ConnectionView, endpointOf, viewOf } from './view.ts'
