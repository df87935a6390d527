/** What is refused before any connection takes a step, in words for whoever asked. */
import { utf8Bytes } from '../../codec/bytes.ts'
import { type Connection, type Content, type NotOpened, whyNot } from '../../connections/connections.ts'
import { type Invitation, isRefused, maxEndpointChars, readInvitation } from '../../didcomm/didcomm.ts'
import { refuseSuppliedUrl } from '../../discovery/public-address.ts'
import { TautlineError } from '../../errors.ts'
import type { Reach } from '../../ports/transport.ts'
import { maxContentBytes } from './limits.ts'

/**
 * An invitation whose sender can be written to.
 *
 * @param now - Unix seconds
 * @throws TautlineError `invitation-refused`
 */
export const readAcceptable = (url: string, now: number, reach: Reach): Invitation => {
  const invitation = readInvitation(url, now)
  if (isRefused(invitation))
    throw new TautlineError('invitation-refused', invitation.detail, { reason: invitation.code })
  const { endpoint } = invitation.inviter
  if (endpoint === undefined)
    throw new TautlineError(
      'invitation-refused',
      'the invitation says no URL that its sender can be reached at: ask for another',
      { reason: 'no-endpoint' },
    )
  const refusal = reach === 'public' ? refuseSuppliedUrl(endpoint) : undefined
  if (refusal !== undefined)
    throw new TautlineError(
      'invitation-refused',
      `the invitation leads to ${endpoint.slice(0, maxEndpointChars)}, which isn't dialled: ${refusal}; start with --allow-private if that is what you want`,
      { reason: 'private-endpoint' },
    )
  return invitation
}

/** @throws TautlineError `request-too-large` */
export const requireFits = (content: Content): void => {
  if (utf8Bytes(JSON.stringify(content)) > maxContentBytes)
    throw new TautlineError(
      'request-too-large',
      `a message holds at most ${maxContentBytes} bytes as JSON, in which bytes that are no text take a third more: say less at a time`,
      { limitBytes: maxContentBytes },
    )
}

/** @throws TautlineError `connection-inactive`, `outbox-full` */
export const requireSayable = (connection: Connection): void => {
  const why = whyNot(connection)
  if (why === 'not-active')
    throw new TautlineError(
      'connection-inactive',
      'this connection has ended: nothing can be said over it any more',
    )
  if (why === 'outbox-full')
    throw new TautlineError(
      'outbox-full',
      'too many messages wait for the other end already: wait until it is reachable again',
    )
}

export const refusedEnvelope = ({ code, detail }: NotOpened): TautlineError =>
  code === 'too-large'
    ? new TautlineError('request-too-large', detail, { reason: code })
    : new TautlineError('envelope-refused', detail, { reason: code })
