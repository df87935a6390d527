/** What an end of a connection is told. */
import type { Attachment, End, Envelope, KeyId, Message, Opened } from '../didcomm/didcomm.ts'
import type { UnixMs } from '../units.ts'

/** When something happens, and what unpredictable bytes it may use up. */
export interface Moment {
  readonly now: UnixMs
  /** 32 unpredictable bytes, of which all others that are needed are made. */
  readonly seed: Uint8Array
}

/** What is to be said, without its headers. */
export interface Content {
  readonly type: string
  readonly body: Message['body']
  readonly attachments?: readonly Attachment[]
}

/** A message of ours in the outbox, as it is kept until the peer has taken it, and a while beyond. */
export interface Outbound extends Content {
  readonly number: number
  readonly id: string
  /** Id of the message with the number before. */
  readonly previous?: string
  /** Unix seconds. */
  readonly created: number
}

/** What the shell has looked up about a message that was opened: see {@link lookupsOf}. */
export interface Found {
  /** A message with this id was taken from this peer before. */
  readonly isTaken: boolean
  /** Id of our message with the number that {@link lookupsOf} names; undefined: it isn't here. */
  readonly acknowledgedId?: string
  /** The message before it was taken, when {@link lookupsOf} names one. */
  readonly isPreviousTaken?: boolean
}

export type ConnectionInput =
  /** An envelope for one of our keys was opened: {@link open}. */
  | { readonly kind: 'heard'; readonly opened: Opened | End; readonly found: Found }
  /** An envelope came for a key of ours that was rotated away: perhaps the other end was restored from a backup. */
  | { readonly kind: 'heard-stale'; readonly keys: readonly KeyId[] }
  /** The operator wants this said. */
  | { readonly kind: 'say'; readonly content: Content }
  | { readonly kind: 'ping' }
  /** @param endpoint - where this end is reached from now on; absent: it only dials */
  | { readonly kind: 'rotate'; readonly endpoint?: string | undefined }
  /** @param notify - whether the other end is told; else it hears when it writes */
  | { readonly kind: 'let-go'; readonly notify: boolean }
  | { readonly kind: 'block' }
  | { readonly kind: 'unblock' }
  | { readonly kind: 'label'; readonly label: string | undefined }
  /** The node has started, or the peer's node was seen: what waits needn't wait longer. */
  | { readonly kind: 'resume' }
  /** It was just read from an export: the other end is pinged, and the keys are new ones. */
  | { readonly kind: 'imported'; readonly endpoint?: string | undefined }
  /** What was sent was accepted by the peer's node; which only its owner's word can prove. */
  | { readonly kind: 'delivered' }
  /** What was sent reached nobody, or was refused with this code. */
  | { readonly kind: 'undelivered'; readonly code?: string }
  /** The peer's node says that there is no such connection any more, and gives an envelope that may prove it. */
  | { readonly kind: 'told-gone'; readonly envelope?: Envelope }
  /** The time that {@link wakeAt} names has come. */
  | { readonly kind: 'tick' }
