/** One end of a connection: all that is remembered of it, but for the messages themselves. Plain values, written to disk as they are. */
import type { ConnectionRecord, DidDocument, Identity, Jws, KeyId } from '../didcomm/didcomm.ts'
import type { UnixMs } from '../units.ts'

/** Why a connection has ended: we let go, the other end did, or nobody came in time. */
export type EndedBy = 'us' | 'them' | 'expired'

/**
 * `invited`: an invitation of ours that nobody has accepted. `requested`: one end has accepted, and not both have
 * signed. `active`: both have signed. `ending`: we let go, the keys are gone, and the other end may not know yet.
 */
export type Phase =
  | { readonly state: 'invited' | 'requested' | 'active' }
  | { readonly state: 'ending'; readonly since: UnixMs }
  | { readonly state: 'ended'; readonly by: EndedBy; readonly at: UnixMs }

export interface Terms {
  /** 128 bits, of the inviter. */
  readonly id: string
  /** Unix seconds. */
  readonly expires: number
  readonly goal?: string
}

/** A place in the order of what one end says: all that comes later in the same stream has a greater sequence. */
export interface Place {
  /** Grows when the sender has forgotten what it said, being restored from a backup. From 1. */
  readonly stream: number
  /** From 1 in each stream. */
  readonly sequence: number
}

/** What one end has taken from the other, up to and with this message; sequence 0 and no id: nothing of this stream. */
export interface Received extends Place {
  readonly id?: string
}

/** What we say. Each message has a number of ours that grows by one and never changes; its sequence is that less `base`. */
export interface Outgoing {
  readonly stream: number
  /** Number of the last message before this stream. */
  readonly base: number
  /** Number of the newest message. */
  readonly last: number
  readonly lastId?: string
  /** The peer has taken all up to this number. */
  readonly acknowledged: number
  /** Number of the oldest that is still here. */
  readonly oldest: number
  /** Sent since the last timeout, up to this number. */
  readonly sent: number
}

/** A range of messages that the sender has no more; 0 to 0: what it said before this stream. */
export interface Lost {
  readonly stream: number
  readonly from: number
  readonly to: number
}

/** The identity before the present one, until the peer has written to the present one. */
export interface Prior {
  readonly identity: Identity
  /** `from_prior`, said in each message until then. */
  readonly fromPrior: string
}

/** A DID of ours that another has taken the place of: it can still say which one, to a peer that was restored from a backup. */
export interface Elder {
  readonly did: string
  /** Secret. Ed25519, 32 bytes. What was sealed for this DID can't be opened any more. */
  readonly signingKey: Uint8Array
}

export interface Peer {
  /** With its long DID. Its endpoint was chosen by the peer. */
  readonly document: DidDocument
  /** `iat` of its last rotation, Unix seconds. */
  readonly rotatedAt?: number
}

export interface SignedRecord {
  readonly statement: ConnectionRecord
  readonly ours: Jws
  readonly theirs?: Jws
  /** Who is to sign it, for the inviter: the peer as it was then. */
  readonly signer?: DidDocument
}

export interface Connection {
  /** Ours alone: says nothing to anybody. */
  readonly id: string
  readonly role: 'inviter' | 'acceptor'
  readonly phase: Phase
  readonly terms: Terms
  /** What the operator calls it. */
  readonly label?: string | undefined
  readonly created: UnixMs
  /** Absent once it is ending or ended: the keys are gone. */
  readonly identity?: Identity | undefined
  readonly prior?: Prior | undefined
  /** Newest last. */
  readonly elders: readonly Elder[]
  /** When an elder spoke last. */
  readonly elderSpoke?: UnixMs | undefined
  /** All that envelopes for this connection can name as recipients, newest last; known beyond the end. */
  readonly ownKeys: readonly KeyId[]
  /** `iat` of the last `from_prior` that we signed, Unix seconds; 0: none. */
  readonly issuedAt: number
  /** Absent while invited. The inviter's identity in its invitation, for who accepts. */
  readonly peer?: Peer | undefined
  /** What both sign. `theirs` is absent until it has come. */
  readonly record?: SignedRecord | undefined
  /** For who accepted: the inviter has said something since it can know that both have signed. Nothing is sent in order before that. */
  readonly confirmed: boolean
  readonly outgoing: Outgoing
  readonly incoming: Received
  readonly lost: readonly Lost[]
  /** Messages taken that weren't acknowledged yet, and when they will be. */
  readonly owed?: { readonly messages: number; readonly at: UnixMs } | undefined
  /** Something was said that wants an answer: when it is said again, and how often it was. */
  readonly retry?: { readonly at: UnixMs; readonly failures: number } | undefined
  /** A ping of ours that wasn't answered. */
  readonly ping?: { readonly id: string; readonly at: UnixMs } | undefined
  readonly blocked: boolean
  /** When a message of the peer came last. */
  readonly lastSeen?: UnixMs | undefined
  /** Whether the last attempt to get through did; absent: none was made. Unreachable is never ended. */
  readonly reachable?: boolean | undefined
  /** Why the other end doesn't take our messages: what its node answered, which nobody has signed, or what it reported. Ends nothing. */
  readonly trouble?: { readonly code: string; readonly at: UnixMs } | undefined
  /** Sealed ENDs, one for each DID that the peer may know; sent while ending, and given to whoever writes after it. */
  readonly farewells?: readonly string[]
}
