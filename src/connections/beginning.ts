/** How a connection begins: an invitation, and its acceptance. */
import { shortDid } from '../didcomm/did.ts'
import { signFromPrior } from '../didcomm/from-prior.ts'
import { agreementKeyId } from '../didcomm/identity.ts'
import { type Invitation, invitationUrl, makeInvitation } from '../didcomm/invitation.ts'
import type { Opened } from '../didcomm/open.ts'
import { isRefused } from '../didcomm/refusal.ts'
import type { ConnectionRecord } from '../didcomm/statement.ts'
import { isSameRecord, readStatement, signStatement } from '../didcomm/statement.ts'
import type { Connection } from './connection.ts'
import { Course, endpointOfDid } from './course.ts'
import type { ConnectionEffect } from './effect.ts'
import type { Moment } from './input.ts'
import { invitationSeconds, maxInvitationSeconds } from './limits.ts'
import { nothingReceived, nothingSaid } from './order.ts'
import { scheduleRetry, sendAccept, sendConfirm, sendRequest } from './repeating.ts'

export interface Inviting {
  /** Ours alone. */
  readonly id: string
  /** Where messages reach us; absent: we only dial. */
  readonly endpoint?: string
  /** The invitation is appended to this URL. */
  readonly at: string
  readonly goal?: string
  readonly label?: string
  /** How long it holds, up to {@link maxInvitationSeconds}. */
  readonly seconds?: number
}

export interface Invited {
  readonly connection: Connection
  readonly url: string
}

export const invite = (inviting: Inviting, moment: Moment): Invited => {
  const { id, label, goal, at, seconds = invitationSeconds } = inviting
  const course = new Course(unborn(id, 'inviter', label, moment), moment)
  const identity = course.makeIdentity(inviting.endpoint)
  const terms = {
    id: course.makeId(),
    expires: course.seconds + Math.min(seconds, maxInvitationSeconds),
    ...(goal !== undefined && { goal }),
  }
  course.become({ phase: { state: 'invited' }, terms, identity, ownKeys: [agreementKeyId(identity)] })
  const invitation = makeInvitation({
    id: terms.id,
    from: identity.did,
    ...(goal !== undefined && { goal }),
    createdTime: course.seconds,
    expiresTime: terms.expires,
  })
  return { connection: course.connection, url: invitationUrl(at, invitation) }
}

export interface Accepting {
  /** Ours alone. */
  readonly id: string
  readonly invitation: Invitation
  /** Where messages reach us; absent: we only dial. */
  readonly endpoint?: string
  readonly label?: string
}

export interface Accepted {
  readonly connection: Connection
  readonly effects: readonly ConnectionEffect[]
}

export const accept = ({ id, invitation, endpoint, label }: Accepting, moment: Moment): Accepted => {
  const { message, inviter } = invitation
  const course = new Course(unborn(id, 'acceptor', label, moment), moment)
  const identity = course.makeIdentity(endpoint)
  const { goal } = message.body
  course.become({
    phase: { state: 'requested' },
    terms: {
      id: message.id,
      expires: message.expires_time ?? course.seconds + invitationSeconds,
      ...(typeof goal === 'string' && { goal }),
    },
    identity,
    ownKeys: [agreementKeyId(identity)],
    peer: { document: inviter },
  })
  sendRequest(course)
  scheduleRetry(course)
  return { connection: course.connection, effects: course.effects }
}

const unborn = (
  id: string,
  role: Connection['role'],
  label: string | undefined,
  { now }: Moment,
): Connection => ({
  id,
  role,
  phase: { state: 'invited' },
  terms: { id: '', expires: 0 },
  ...(label !== undefined && { label }),
  created: now,
  elders: [],
  ownKeys: [],
  issuedAt: 0,
  confirmed: role === 'inviter',
  outgoing: nothingSaid,
  incoming: nothingReceived,
  lost: [],
  blocked: false,
})

/** The first who accepts: from now on the connection is with that DID alone. The same one again is answered again. */
export const takeRequest = (course: Course, { sender }: Opened): void => {
  const { phase, role, terms, identity } = course.connection
  if (role !== 'inviter') {
    course.refuse('not-active', 'this connection was accepted by this end: only an inviter is asked for one')
    return
  }
  if (phase.state === 'invited') {
    takeNewIdentity(course, endpointOfDid(identity!.did))
    const statement: ConnectionRecord = {
      version: 1,
      didA: shortDid(course.connection.identity!.did),
      didB: shortDid(sender.did),
      invitationId: terms.id,
      created: course.seconds,
    }
    const ours = signStatement('connection', statement, signerOf(course))
    course.become({
      phase: { state: 'requested' },
      peer: { document: sender },
      record: { statement, ours, signer: sender },
    })
    course.emit({ kind: 'report', what: 'requested' })
  }
  sendAccept(course)
}

/** The inviter has signed: so do we. */
export const takeAccept = (course: Course, { message, sender }: Opened): void => {
  const { identity, role, record, terms } = course.connection
  const read = readStatement('connection', message.attachments?.[0]?.data.json, sender)
  if (isRefused(read)) {
    course.refuse(read.code, read.detail)
    return
  }
  const { statement } = read
  const isOurs =
    role === 'acceptor' &&
    statement.didA === shortDid(sender.did) &&
    statement.didB === course.connection.ownKeys[0]?.split('#')[0] &&
    statement.invitationId === terms.id
  if (!isOurs || (record && !isSameRecord(record.statement, statement))) {
    course.refuse('wrong-statement', expectedRecord)
    return
  }
  if (!record) {
    const ours = signStatement('connection', statement, { identity: identity!, did: shortDid(identity!.did) })
    course.become({ phase: { state: 'active' }, record: { statement, ours, theirs: read.jws } })
    course.emit({ kind: 'report', what: 'active' })
  }
  sendConfirm(course)
}

/** The acceptor has signed too. */
export const takeConfirm = (course: Course, { message, sender }: Opened): void => {
  const { role, record, phase } = course.connection
  if (role !== 'inviter' || !record) {
    course.refuse('wrong-statement', expectedRecord)
    return
  }
  if (!record.theirs) {
    const read = readStatement('connection', message.attachments?.[0]?.data.json, record.signer ?? sender)
    if (isRefused(read) || !isSameRecord(read.statement, record.statement)) {
      course.refuse('wrong-statement', expectedRecord)
      return
    }
    course.become({ record: { ...record, theirs: read.jws } })
    if (phase.state === 'requested') {
      course.become({ phase: { state: 'active' } })
      course.emit({ kind: 'report', what: 'active' })
    }
  }
  course.acknowledge()
}

const expectedRecord =
  'expected the record of this connection, signed by the other end, with both DIDs and the invitation'

const signerOf = ({ connection }: Course) => ({
  identity: connection.identity!,
  did: shortDid(connection.identity!.did),
})

/** Fresh keys, which the peer is told of until it has written to them. */
export const takeNewIdentity = (course: Course, endpoint: string | undefined): void => {
  const { identity: old, ownKeys, issuedAt: before } = course.connection
  const identity = course.makeIdentity(endpoint)
  const issuedAt = Math.max(before + 1, course.seconds)
  const fromPrior = signFromPrior(old!, { issuer: old!.did, subject: identity.did, issuedAt })
  course.become({
    identity,
    prior: { identity: old!, fromPrior },
    ownKeys: [...ownKeys, agreementKeyId(identity)],
    issuedAt,
  })
}
