/**
 * What an end of a connection wants done. The new {@link Connection}, and what is taken and added and erased, are
 * made durable together, and only then is anything sent or answered.
 */
import type { Message, RefusalCode } from '../didcomm/didcomm.ts'
import type { Lost, Place } from './connection.ts'
import type { Outbound } from './input.ts'

export type ConnectionEffect =
  /** A message of the peer takes effect, now and never again. Its id is remembered with it. */
  | { readonly kind: 'take'; readonly message: Message; readonly place: Place }
  /** The peer has no more of these: they will never come. */
  | { readonly kind: 'lose'; readonly lost: Lost }
  /** Into the outbox. */
  | { readonly kind: 'add'; readonly outbound: Outbound }
  /** Out of the outbox: all before this number. */
  | { readonly kind: 'drop'; readonly before: number }
  /** What waited to be sent before this step needn't be any more: all that is still true is said again now. */
  | { readonly kind: 'unsend' }
  /** Send this text to {@link endpointOf} the peer. */
  | { readonly kind: 'send'; readonly text: string }
  /** Send these numbers of the outbox in order, each sealed now by {@link sealOutbound}: first to last, both included. */
  | { readonly kind: 'deliver'; readonly first: number; readonly last: number }
  /** The private keys and all that is unsent are to be gone from the disk. */
  | { readonly kind: 'erase' }
  /** For the operator's events. */
  | {
      readonly kind: 'report'
      readonly what: 'requested' | 'active' | 'ended' | 'rotated' | 'ponged' | 'acknowledged'
    }
  /** What was heard is refused, changes nothing, and is held against its sender. */
  | { readonly kind: 'refuse'; readonly code: ConnectionRefusal; readonly detail: string }

export type ConnectionRefusal = RefusalCode | 'invitation-used' | 'not-active' | 'malformed-place'
