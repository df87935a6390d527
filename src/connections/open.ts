/** An envelope for one of our keys, opened with what is known of the connection. */
import type { Envelope } from '../didcomm/envelope.ts'
import { agreementKeyId } from '../didcomm/identity.ts'
import { type Correspondent, type End, type Opened, openEnvelope } from '../didcomm/open.ts'
import { isRefused } from '../didcomm/refusal.ts'
import type { UnixMs } from '../units.ts'
import type { Connection } from './connection.ts'
import type { ConnectionRefusal } from './effect.ts'
import { readPlace, readReceived } from './headers.ts'
import { numberOf } from './order.ts'

/** As `Refused` of didcomm, with what only a connection can find wrong. */
export interface NotOpened {
  readonly kind: 'refused'
  readonly code: ConnectionRefusal
  readonly detail: string
}

export type OpenVerdict =
  | Opened
  | End
  | NotOpened
  /** We have let go, or were let go of, as this sealed END says to who knows us by the DID that it has written to. */
  | { readonly kind: 'gone'; readonly farewell?: string }
  /** It is for a key of ours that was rotated away: tell the machine `heard-stale`. */
  | { readonly kind: 'stale-key' }

export const open = (connection: Connection, envelope: Envelope, now: UnixMs): OpenVerdict => {
  const { identity, prior } = connection
  if (!identity) return { kind: 'gone', ...farewellFor(connection, envelope) }
  const ours = [identity, ...(prior ? [prior.identity] : [])].find((one) =>
    envelope.recipients.includes(agreementKeyId(one)),
  )
  if (!ours) return { kind: 'stale-key' }
  const from = correspondentOf(connection)
  const verdict = openEnvelope(envelope, { identity: ours, now: Math.floor(now / 1_000), from })
  if (isRefused(verdict) && verdict.code === 'stranger' && isInvitationKey(connection, ours.did))
    return {
      kind: 'refused',
      code: 'invitation-used',
      detail: 'somebody else has accepted this invitation: ask for another',
    }
  return verdict
}

/** {@link Connection.farewells} are in the order of our keys, newest first. */
const farewellFor = ({ ownKeys, farewells = [] }: Connection, { recipients }: Envelope) => {
  const age = ownKeys.toReversed().findIndex((key) => recipients.includes(key))
  const farewell = farewells[age] ?? farewells[0]
  return farewell === undefined ? {} : { farewell }
}

const correspondentOf = ({ peer, terms }: Connection): Correspondent =>
  peer
    ? { kind: 'peer', peer: peer.document, rotatedAt: peer.rotatedAt }
    : { kind: 'invited', invitationId: terms.id }

const isInvitationKey = ({ role, ownKeys }: Connection, did: string): boolean =>
  role === 'inviter' && ownKeys[0] === agreementKeyId({ did })

/** What the shell looks up for {@link Found}, of a message that was opened. */
export interface Lookups {
  /** Whether a message with this id was taken. */
  readonly id: string
  /** The id of our message with this number. */
  readonly number?: number
  /** Whether a message with this id was taken: it came before the first of a new stream. */
  readonly previous?: string
}

export const lookupsOf = (connection: Connection, { message }: Opened | End): Lookups => {
  const received = readReceived(message)
  const place = readPlace(message)
  return {
    id: message.id,
    ...(received?.stream === connection.outgoing.stream && {
      number: numberOf(connection.outgoing, received),
    }),
    ...(place?.previous !== undefined && { previous: place.previous }),
  }
}
