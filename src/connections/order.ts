/**
 * The order of what is said: each message takes effect once, in its sender's order, whatever the network does and
 * whichever end is restored from a backup.
 *
 * The receiver takes only the message that follows what it took last, and says with each of its own up to where it
 * has come. So what is lost is sent again, and a receiver that was restored simply says an earlier place. A sender
 * that was restored would give places to other messages than before; the ids give that away, and it goes on in a
 * new stream. What it then says again is known by its id.
 */
import type { Lost, Outgoing, Received } from './connection.ts'
import type { PlaceHeader } from './headers.ts'
import { keptAcknowledged, maxInFlight } from './limits.ts'

export const nothingSaid: Outgoing = { stream: 1, base: 0, last: 0, acknowledged: 0, oldest: 1, sent: 0 }
export const nothingReceived: Received = { stream: 1, sequence: 0 }

export interface Arrival {
  readonly received: Received
  /** Messages before it that the sender has no more. */
  readonly lost?: Lost
}

/** @returns undefined when it isn't the one to take now: it was taken, or something is missing before it */
export const follow = (
  received: Received,
  place: PlaceHeader,
  id: string,
  isPreviousTaken: boolean,
): Arrival | undefined => {
  const { stream, sequence } = place
  if (stream < received.stream) return undefined
  const expected = stream === received.stream ? received.sequence + 1 : 1
  const arrival = { received: { stream, sequence, id } }
  if (sequence === expected) {
    if (sequence > 1) return place.previous === received.id ? arrival : undefined
    // Its sender keeps nothing from before this stream.
    const isWhole = place.previous === undefined || isPreviousTaken
    return isWhole ? arrival : { ...arrival, lost: { stream, from: 0, to: 0 } }
  }
  if (sequence < expected || sequence !== place.oldest) return undefined
  return { ...arrival, lost: { stream, from: expected, to: sequence - 1 } }
}

/** The number of our message that the peer says it took last. */
export const numberOf = (outgoing: Outgoing, received: Received): number => outgoing.base + received.sequence

/**
 * @param ownId - of our message with {@link numberOf}, if it is here
 * @returns what we say from now on, having heard up to where the peer has taken it
 */
export const acknowledge = (outgoing: Outgoing, received: Received, ownId: string | undefined): Outgoing => {
  // The peer has nothing of this stream: it hasn't heard of it yet, or was restored to before it.
  const isBefore = received.stream < outgoing.stream
  const number = isBefore ? outgoing.base : numberOf(outgoing, received)
  if (!isBefore && isForgotten(outgoing, received, number, ownId))
    return startStream(outgoing, received.stream + 1)
  return {
    ...outgoing,
    acknowledged: number,
    oldest: Math.max(outgoing.oldest, number - keptAcknowledged + 1),
    sent: Math.max(outgoing.sent, number),
    // The peer has forgotten what it had: all of that is to be sent again.
    ...(number < outgoing.acknowledged && { sent: number }),
  }
}

/** Whether the peer has messages of ours that we don't know: we were restored from a backup. */
const isForgotten = (
  outgoing: Outgoing,
  received: Received,
  number: number,
  ownId: string | undefined,
): boolean =>
  received.stream > outgoing.stream ||
  number > outgoing.last ||
  (received.sequence > 0 && ownId !== undefined && ownId !== received.id)

/** All that is still here is said again: what the peer has taken of it, it knows by its ids. */
const startStream = (outgoing: Outgoing, stream: number): Outgoing => {
  const base = outgoing.oldest - 1
  return { ...outgoing, stream, base, acknowledged: base, sent: base }
}

export interface Range {
  readonly first: number
  readonly last: number
}

/** What may be sent now and wasn't; undefined: nothing. */
export const nextToSend = ({ sent, acknowledged, oldest, last }: Outgoing): Range | undefined => {
  const first = Math.max(sent, acknowledged, oldest - 1) + 1
  const end = Math.min(last, Math.max(acknowledged, oldest - 1) + maxInFlight)
  return first <= end ? { first, last: end } : undefined
}

export const placeOf = (
  { stream, base, oldest }: Outgoing,
  { number, previous }: { readonly number: number; readonly previous?: string | undefined },
): PlaceHeader => ({
  stream,
  sequence: number - base,
  ...(previous !== undefined && { previous }),
  oldest: Math.max(oldest - base, 1),
})
