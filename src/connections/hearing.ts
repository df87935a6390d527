/** What the other end has said, and what that does. */
import { isSameDid, type KeyId } from '../didcomm/did.ts'
import { emptyType } from '../didcomm/end.ts'
import { signFromPrior } from '../didcomm/from-prior.ts'
import { agreementKeyId } from '../didcomm/identity.ts'
import type { Message } from '../didcomm/message.ts'
import type { End, Opened } from '../didcomm/open.ts'
import { makeDisclosure, queriesType } from '../didcomm/protocols/discover-features.ts'
import { problemReportType, readProblemReport } from '../didcomm/protocols/problem-report.ts'
import {
  makePing,
  makePingResponse,
  pingResponseType,
  pingType,
  wantsResponse,
} from '../didcomm/protocols/trust-ping.ts'
import { takeAccept, takeConfirm, takeRequest } from './beginning.ts'
import type { Connection } from './connection.ts'
import type { Course } from './course.ts'
import { end } from './ending.ts'
import { acceptType, acknowledgeType, confirmType, readPlace, readReceived, requestType } from './headers.ts'
import type { Found } from './input.ts'
import { elderEveryMs, maxElders, maxLostRanges } from './limits.ts'
import { acknowledge, follow } from './order.ts'
import { deliverNext, ensureRetry, sayAgain } from './repeating.ts'

export const hear = (course: Course, opened: Opened | End, found: Found): void => {
  if (opened.kind === 'end') {
    end(course, 'them')
    return
  }
  const before = course.connection
  const { message } = opened
  if (before.phase.state === 'invited' && message.type !== requestType) {
    course.refuse('not-active', 'an invitation is accepted by a request, and nothing else can come before it')
    return
  }
  noteSender(course, opened)
  hearReceived(course, message, found)
  react(course, opened, found)
  if (course.effects.some(({ kind }) => kind === 'refuse')) return
  flush(course, before)
}

/** Who has written, and that this end is heard under the DID that it was written to. */
const noteSender = (course: Course, { message, sender, rotation }: Opened): void => {
  const { connection } = course
  if (connection.phase.state === 'invited') return
  const isFirmly = message.to?.some((did) => isSameDid(did, connection.identity!.did)) === true
  course.become({
    lastSeen: course.now,
    reachable: true,
    trouble: undefined,
    confirmed: connection.confirmed || (connection.phase.state === 'active' && message.type !== acceptType),
    ...(rotation && { peer: { document: sender, rotatedAt: rotation.issuedAt } }),
    ...(isFirmly && connection.prior && dropPrior(course)),
  })
  if (rotation && connection.phase.state === 'active') course.emit({ kind: 'report', what: 'rotated' })
}

/** The peer knows the new identity: the one before can read nothing any more, and only says who took its place. */
const dropPrior = ({ connection: { prior, elders } }: Course) => ({
  prior: undefined,
  elders: [...elders, { did: prior!.identity.did, signingKey: prior!.identity.signingKey }].slice(-maxElders),
})

const hearReceived = (course: Course, message: Message, { acknowledgedId }: Found): void => {
  const received = readReceived(message)
  const { phase, outgoing: before } = course.connection
  if (!received || phase.state !== 'active') return
  const outgoing = acknowledge(before, received, acknowledgedId)
  course.become({ outgoing })
  if (outgoing.oldest > before.oldest) course.emit({ kind: 'drop', before: outgoing.oldest })
  if (outgoing.acknowledged > before.acknowledged) course.emit({ kind: 'report', what: 'acknowledged' })
}

const react = (course: Course, opened: Opened, found: Found): void => {
  const { message } = opened
  switch (message.type) {
    case requestType:
      takeRequest(course, opened)
      break
    case acceptType:
      takeAccept(course, opened)
      break
    case confirmType:
      takeConfirm(course, opened)
      break
    case acknowledgeType:
    case emptyType:
      answerPrior(course, message)
      break
    case problemReportType:
      noteProblem(course, message)
      break
    case pingType:
      answerPing(course, message)
      break
    case pingResponseType:
      hearPong(course, message)
      break
    case queriesType:
      answerQueries(course, message)
      break
    default:
      take(course, message, found)
  }
}

/** Who still says which DID its own follows hasn't heard that we know. */
const answerPrior = (course: Course, message: Message): void => {
  if (message.from_prior !== undefined) course.acknowledge()
}

/** The other end says that something went wrong with what we said: for the operator to see. */
const noteProblem = (course: Course, message: Message): void => {
  const problem = readProblemReport(message)
  if (problem) course.become({ trouble: { code: problem.code, at: course.now } })
  answerPrior(course, message)
}

const answerPing = (course: Course, message: Message): void => {
  if (!wantsResponse(message)) {
    answerPrior(course, message)
    return
  }
  const { type, body, thid } = makePingResponse({ id: message.id }, message)
  course.send({ type, body }, thid === undefined ? {} : { thid })
}

const hearPong = (course: Course, message: Message): void => {
  const { ping } = course.connection
  if (ping && message.thid === ping.id) {
    course.become({ ping: undefined })
    course.emit({ kind: 'report', what: 'ponged' })
  }
  answerPrior(course, message)
}

const answerQueries = (course: Course, message: Message): void => {
  const { type, body, thid } = makeDisclosure({ id: message.id }, message)
  course.send({ type, body }, thid === undefined ? {} : { thid })
}

const take = (course: Course, message: Message, { isTaken, isPreviousTaken = false }: Found): void => {
  const { phase, incoming, lost } = course.connection
  const place = readPlace(message)
  if (!place) {
    course.refuse('malformed-place', 'expected tautline_place with stream, sequence, previous and oldest')
    return
  }
  if (phase.state !== 'active') {
    course.refuse('not-active', 'not both ends have signed the record of this connection yet')
    return
  }
  const arrival = follow(incoming, place, message.id, isPreviousTaken)
  if (!arrival) {
    course.owe()
    return
  }
  if (arrival.lost) {
    course.become({ lost: [...lost, arrival.lost].slice(-maxLostRanges) })
    course.emit({ kind: 'lose', lost: arrival.lost })
  }
  course.become({ incoming: arrival.received })
  if (!isTaken) course.emit({ kind: 'take', message, place })
  if (message.from_prior === undefined) course.owe()
  else course.acknowledge()
}

/** The peer is there: what waits goes now. Who had to wait long says all of it again. */
const flush = (course: Course, before: Connection): void => {
  const isProgress = course.connection.outgoing.acknowledged > before.outgoing.acknowledged
  if ((before.retry?.failures ?? 0) > 1) {
    course.become({ retry: undefined })
    sayAgain(course)
    return
  }
  deliverNext(course)
  if (isProgress) course.become({ retry: undefined })
  ensureRetry(course)
}

/**
 * Who writes to a key that was rotated away can't be heard. If it is the peer, from a backup, it still believes the
 * DID of that key, which can say who has taken its place.
 */
export const hearStale = (course: Course, keys: readonly KeyId[]): void => {
  const { elders, elderSpoke, phase, issuedAt: before, identity } = course.connection
  const elder = elders.find((one) => keys.includes(agreementKeyId(one)))
  if (!elder || phase.state === 'invited' || course.connection.blocked) return
  if (elderSpoke !== undefined && course.now - elderSpoke < elderEveryMs) return
  const issuedAt = Math.max(before + 1, course.seconds)
  const fromPrior = signFromPrior(
    { ...elder, agreementKey: new Uint8Array() },
    { issuer: elder.did, subject: identity!.did, issuedAt },
  )
  course.become({ issuedAt, elderSpoke: course.now })
  const id = course.makeId()
  const { type, body } = makePing({ id })
  course.send({ type, body }, { id, fromPrior })
}
