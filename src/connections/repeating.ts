/** What is said until it is answered, and when it is said again. */

import type { Json } from '../codec/json.ts'
import { makePing } from '../didcomm/protocols/trust-ping.ts'
import type { UnixMs } from '../units.ts'
import type { Connection } from './connection.ts'
import type { Course } from './course.ts'
import { acceptType, confirmType, requestType } from './headers.ts'
import { confirmationSeconds, farewellSeconds, firstRetryMs, maxRetryMs } from './limits.ts'
import { nextToSend } from './order.ts'

/** Something waits for the peer: it is sent again until that is over. */
const isWaiting = (connection: Connection): boolean => {
  const { phase, role, confirmed, prior, ping, outgoing, blocked } = connection
  if (blocked) return false
  switch (phase.state) {
    case 'requested':
      return true
    case 'active':
      return (
        (role === 'acceptor' && !confirmed) ||
        prior !== undefined ||
        ping !== undefined ||
        outgoing.last > outgoing.acknowledged
      )
    case 'ending':
      return true
    default:
      return false
  }
}

/** All of it, as it is now. */
export const sayAgain = (course: Course): void => {
  const { phase, role, confirmed, ping, prior, outgoing } = course.connection
  course.emit({ kind: 'unsend' })
  course.become({ outgoing: { ...outgoing, sent: outgoing.acknowledged } })
  switch (phase.state) {
    case 'requested':
      if (role === 'acceptor') sendRequest(course)
      else sendAccept(course)
      break
    case 'active':
      if (role === 'acceptor' && !confirmed) sendConfirm(course)
      else if (ping) sendPing(course, ping.id)
      else if (prior) course.acknowledge()
      deliverNext(course)
      break
    case 'ending':
      sendFarewell(course)
  }
  scheduleRetry(course)
}

/**
 * Sends as many of the outbox as may be in flight. Only while both ends know each other by short DIDs: the long ones,
 * and `from_prior`, take up room that messages need.
 */
export const deliverNext = (course: Course): void => {
  const { phase, confirmed, prior, blocked, outgoing } = course.connection
  if (phase.state !== 'active' || blocked || !confirmed || prior) return
  const range = nextToSend(outgoing)
  if (!range) return
  course.emit({ kind: 'deliver', ...range })
  // What is sent says up to where we have come.
  course.become({ outgoing: { ...outgoing, sent: range.last }, owed: undefined })
}

/** Whatever waits is sent again later, and what doesn't wait, not at all. */
export const scheduleRetry = (course: Course): void => {
  const { retry } = course.connection
  if (!isWaiting(course.connection)) {
    course.become({ retry: undefined })
    return
  }
  wait(course, retry?.failures ?? 0)
}

/** Something has arrived: the peer has as long again to answer. */
export const waitAnew = (course: Course): void => {
  const { retry } = course.connection
  if (retry) wait(course, retry.failures - 1)
}

const wait = (course: Course, failures: number): void => {
  const delay = Math.min(firstRetryMs * 2 ** failures, maxRetryMs)
  const at = (course.now + Math.round(delay * (0.75 + course.entropy.fraction() / 2))) as UnixMs
  course.become({ retry: { at, failures: failures + 1 } })
}

/** Begins to wait, or ends to. */
export const ensureRetry = (course: Course): void => {
  if (!course.connection.retry || !isWaiting(course.connection)) scheduleRetry(course)
}

/** One at a time, since what follows a refused text is thrown away: the peer believes the one by the DID that it knows. */
const sendFarewell = (course: Course): void => {
  const { farewells = [], retry } = course.connection
  const text = farewells[(retry?.failures ?? 0) % farewells.length]
  if (text !== undefined) course.emit({ kind: 'send', text })
}

export const sendRequest = (course: Course): void =>
  course.send({ type: requestType, body: {} }, { pthid: course.connection.terms.id })

export const sendAccept = (course: Course): void =>
  course.send({ type: acceptType, body: {}, ...recordOf(course) })

export const sendConfirm = (course: Course): void =>
  course.send({ type: confirmType, body: {}, ...recordOf(course) })

export const sendPing = (course: Course, id: string): void => {
  const { type, body } = makePing({ id })
  course.send({ type, body }, { id })
}

const recordOf = ({ connection }: Course) => ({
  attachments: [{ id: 'record', data: { json: connection.record!.ours as unknown as Json } }],
})

/** When it is given up; undefined: never. */
export const expiresAt = ({ phase, terms, created, role }: Connection): UnixMs | undefined => {
  const confirmed = created + confirmationSeconds * 1_000
  switch (phase.state) {
    case 'invited':
      return (terms.expires * 1_000) as UnixMs
    case 'requested':
      return (
        role === 'inviter' ? Math.max(confirmed, (terms.expires + confirmationSeconds) * 1_000) : confirmed
      ) as UnixMs
    case 'ending':
      return (phase.since + farewellSeconds * 1_000) as UnixMs
    default:
      return undefined
  }
}

/** When `tick` is due; undefined: nothing waits. */
export const wakeAt = (connection: Connection): UnixMs | undefined => {
  const times = [expiresAt(connection), connection.retry?.at, connection.owed?.at].filter(
    (time) => time !== undefined,
  )
  return times.length === 0 ? undefined : (Math.min(...times) as UnixMs)
}
