/** A connection as its operator sees it: no private key, and nothing that a third could use. */
import { shortDid } from '../didcomm/did.ts'
import { shortCode } from '../didcomm/short-code.ts'
import type { UnixMs } from '../units.ts'
import type { Connection, EndedBy, Lost, Phase } from './connection.ts'

export interface ConnectionView {
  readonly id: string
  readonly label?: string
  readonly goal?: string
  readonly role: Connection['role']
  readonly state: Phase['state']
  readonly endedBy?: EndedBy
  /** Of an invitation, or of an acceptance that nobody has answered. */
  readonly expires?: number
  readonly created: UnixMs
  /** For two people to compare; once both have signed. */
  readonly shortCode?: string
  /** Our DID and the peer's, as they are now. */
  readonly ours?: string
  readonly theirs?: string
  /** Where the peer's messages go; absent: the peer dials. */
  readonly endpoint?: string
  readonly reachable?: boolean
  readonly lastSeen?: UnixMs
  readonly blocked: boolean
  readonly trouble?: { readonly code: string; readonly at: UnixMs }
  /** Messages of ours that the peer hasn't acknowledged. */
  readonly unacknowledged: number
  readonly lost: readonly Lost[]
}

export const viewOf = (connection: Connection): ConnectionView => {
  const { phase, label, terms, identity, peer, record, outgoing } = connection
  const isSigned = record !== undefined && phase.state === 'active'
  const endpoint = endpointOf(connection)
  return {
    id: connection.id,
    ...(label !== undefined && { label }),
    ...(terms.goal !== undefined && { goal: terms.goal }),
    role: connection.role,
    state: phase.state,
    ...(phase.state === 'ended' && { endedBy: phase.by }),
    ...((phase.state === 'invited' || phase.state === 'requested') && { expires: terms.expires }),
    created: connection.created,
    ...(isSigned && { shortCode: shortCode(record.statement.didA, record.statement.didB) }),
    ...(identity && { ours: shortDid(identity.did) }),
    ...(peer && { theirs: shortDid(peer.document.did) }),
    ...(endpoint !== undefined && { endpoint }),
    ...(connection.reachable !== undefined && { reachable: connection.reachable }),
    ...(connection.lastSeen !== undefined && { lastSeen: connection.lastSeen }),
    blocked: connection.blocked,
    ...(connection.trouble && { trouble: connection.trouble }),
    unacknowledged: outgoing.last - outgoing.acknowledged,
    lost: connection.lost,
  }
}

/** Where the peer's messages go; undefined: it dials us. It was chosen by the peer: guard before dialling. */
export const endpointOf = ({ peer }: Connection): string | undefined => peer?.document.endpoint
