/** The machine: one input, the connection as it is after it, and what is to be done. Same input, same outcome. */
import { assert } from '../errors.ts'
import { takeNewIdentity } from './beginning.ts'
import type { Connection } from './connection.ts'
import { Course } from './course.ts'
import type { ConnectionEffect } from './effect.ts'
import { end, letGo, toldGone } from './ending.ts'
import { hear, hearStale } from './hearing.ts'
import type { ConnectionInput, Content, Moment, Outbound } from './input.ts'
import { maxUnacknowledged } from './limits.ts'
import { placeOf } from './order.ts'
import { deliverNext, ensureRetry, expiresAt, sayAgain, sendPing, waitAnew } from './repeating.ts'

export interface Stepped {
  readonly connection: Connection
  readonly effects: readonly ConnectionEffect[]
}

export const step = (connection: Connection, input: ConnectionInput, moment: Moment): Stepped => {
  const course = new Course(connection, moment)
  take(course, input)
  const refusal = course.effects.find(({ kind }) => kind === 'refuse')
  return refusal
    ? { connection, effects: [refusal] }
    : { connection: course.connection, effects: course.effects }
}

const take = (course: Course, input: ConnectionInput): void => {
  switch (input.kind) {
    case 'heard':
      hear(course, input.opened, input.found)
      break
    case 'heard-stale':
      hearStale(course, input.keys)
      break
    case 'say':
      say(course, input.content)
      break
    case 'ping':
      ping(course)
      break
    case 'rotate':
      rotate(course, input.endpoint)
      break
    case 'let-go':
      letGo(course, input.notify)
      break
    case 'block':
      course.become({ blocked: true, retry: undefined, owed: undefined })
      break
    case 'unblock':
      course.become({ blocked: false })
      resume(course)
      break
    case 'label':
      course.become({ label: input.label })
      break
    case 'resume':
      resume(course)
      break
    case 'imported':
      takeUpImported(course, input.endpoint)
      break
    case 'delivered':
      noteDelivered(course)
      break
    case 'undelivered':
      noteUndelivered(course, input.code)
      break
    case 'told-gone':
      toldGone(course, input.envelope)
      break
    case 'tick':
      tick(course)
      break
  }
}

/** Why nothing can be said now; undefined: it can. */
export const whyNot = ({ phase, outgoing }: Connection): 'not-active' | 'outbox-full' | undefined => {
  if (phase.state === 'ending' || phase.state === 'ended') return 'not-active'
  return outgoing.last - outgoing.acknowledged >= maxUnacknowledged ? 'outbox-full' : undefined
}

/** Into the outbox; it goes out when both have signed. */
const say = (course: Course, content: Content): void => {
  assert(whyNot(course.connection) === undefined, 'whoever says something has asked whether it can be said')
  const { outgoing } = course.connection
  const id = course.makeId()
  const number = outgoing.last + 1
  const previous = outgoing.lastId
  course.emit({
    kind: 'add',
    outbound: {
      ...content,
      number,
      id,
      ...(previous !== undefined && { previous }),
      created: course.seconds,
    },
  })
  course.become({ outgoing: { ...outgoing, last: number, lastId: id } })
  // A peer that isn't there is tried when its time comes, not at each word.
  if (course.connection.reachable !== false) deliverNext(course)
  ensureRetry(course)
}

const ping = (course: Course): void => {
  const { phase } = course.connection
  if (phase.state !== 'active') {
    course.refuse('not-active', 'both ends have to sign the record of this connection first')
    return
  }
  const id = course.makeId()
  course.become({ ping: { id, at: course.now } })
  sendPing(course, id)
  ensureRetry(course)
}

const rotate = (course: Course, endpoint: string | undefined): void => {
  const { phase, prior, confirmed } = course.connection
  if (phase.state !== 'active' || !confirmed) {
    course.refuse('not-active', 'both ends have to know that both have signed first')
    return
  }
  if (prior) {
    course.refuse('not-active', "the other end hasn't answered to the last rotation yet: wait for that")
    return
  }
  takeNewIdentity(course, endpoint)
  ping(course)
}

/** Asks the peer for a word, which also tells up to where each has come: this end may have been restored from a backup. */
const resume = (course: Course): void => {
  const { phase, blocked } = course.connection
  if (blocked || phase.state === 'ended' || phase.state === 'invited') return
  if (phase.state === 'active') course.become({ ping: { id: course.makeId(), at: course.now } })
  course.become({ retry: undefined })
  sayAgain(course)
}

const takeUpImported = (course: Course, endpoint: string | undefined): void => {
  const { phase, prior, confirmed } = course.connection
  if (phase.state === 'active' && confirmed && !prior) takeNewIdentity(course, endpoint)
  resume(course)
}

const noteDelivered = (course: Course): void => {
  const { phase, reachable } = course.connection
  if (phase.state === 'ending') end(course, 'us')
  else if (phase.state !== 'ended') {
    if (!reachable) course.become({ reachable: true })
    waitAnew(course)
  }
}

/** Everything is sent again when its time comes. */
const noteUndelivered = (course: Course, code: string | undefined): void => {
  const { phase, outgoing } = course.connection
  if (phase.state === 'ended') return
  course.become({
    reachable: code !== undefined,
    outgoing: { ...outgoing, sent: outgoing.acknowledged },
    ...(code !== undefined && { trouble: { code, at: course.now } }),
  })
}

const tick = (course: Course): void => {
  const { connection, now } = course
  if (now >= (expiresAt(connection) ?? Infinity)) {
    end(course, connection.phase.state === 'ending' ? 'us' : 'expired')
    return
  }
  const { retry, owed } = connection
  if (retry && now >= retry.at) sayAgain(course)
  else if (owed && now >= owed.at) course.acknowledge()
}

/** The envelope of a message in the outbox, sealed for the peer as it is known now. */
export const sealOutbound = (connection: Connection, outbound: Outbound, moment: Moment): string => {
  const { type, body, attachments, id, created } = outbound
  return new Course(connection, moment).seal(
    { type, body, ...(attachments && { attachments }) },
    { id, created, place: placeOf(connection.outgoing, outbound) },
  )
}
