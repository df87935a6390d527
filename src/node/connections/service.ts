/** What a node does about its connections, for those at its doors: the operator, and other ends' nodes. */
import type { Json } from '../../codec/json.ts'
import type { ConnectionView } from '../../connections/connections.ts'
import type { Jws } from '../../didcomm/didcomm.ts'
import type { Hash, TransactionId, UnixMs } from '../../units.ts'

/** Of a private payload: what the own ledger says about its commitment. */
export type Standing = 'verified' | 'not-on-ledger' | 'mismatch'

/** What the other end has said. */
export interface InboxMessage {
  /** In the order in which it was taken, from 1. */
  readonly position: number
  readonly id: string
  readonly received: UnixMs
  /** Unix seconds, as the other end says. */
  readonly sent?: number
  readonly type: string
  readonly text?: string
  readonly json?: Json
  readonly payload?: {
    readonly mediaType: string
    readonly base64: string
    readonly c: Hash
    readonly transaction: TransactionId
    readonly standing: Standing
  }
  /** The other end has signed that it has this payload. */
  readonly receipt?: {
    readonly c: Hash
    readonly transaction: TransactionId
    /** As it was signed, to be shown to others. */
    readonly jws: Jws
  }
}

/** A payload whose commitment is on the ledger, as whoever has it can show it to others. */
export interface KeptPayload {
  readonly c: Hash
  readonly transaction: TransactionId
  /** 64 hex digits. */
  readonly salt: string
  readonly mediaType: string
  readonly base64: string
  /** By this end, which has received it and found the commitment on its ledger. */
  readonly receipt?: Jws
}

/** What somebody else needs to check a payload: see `client/verify-reveal.ts`. */
export interface Reveal extends KeptPayload {
  readonly kind: 'reveal'
  /** The text of the transaction with its proof, as the node answers it. */
  readonly proof: string
}

export interface ConnectionEvent {
  readonly position: number
  readonly connection: string
  readonly at: UnixMs
  readonly type: 'requested' | 'active' | 'ended' | 'rotated' | 'ponged' | 'acknowledged' | 'message' | 'lost'
  /** Position in the inbox, of a message. */
  readonly message?: number
}

export interface Said {
  readonly id: string
  readonly number: number
  /** Of a payload: what the ledger holds, and where. */
  readonly c?: Hash
  readonly transaction?: TransactionId
}

export type Saying =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'json'; readonly value: Json }
  /** With its commitment on the ledger. */
  | { readonly kind: 'payload'; readonly payload: Uint8Array; readonly mediaType: string }

/** What the other end's node is answered. */
export type Reception =
  | { readonly kind: 'accepted' }
  /** The sealed END is the answer's body, when there is one. */
  | { readonly kind: 'gone'; readonly farewell?: string }

export interface ConnectionsService {
  /** @throws TautlineError `too-many-connections` */
  invite(terms: {
    label?: string
    goal?: string
    seconds?: number
  }): Promise<{ id: string; url: string; expires: number }>
  /** @throws TautlineError `invitation-refused`, `too-many-connections` */
  accept(url: string, label?: string): Promise<ConnectionView>
  list(): readonly ConnectionView[]
  /** @throws TautlineError `not-found`, as all that name a connection */
  get(id: string): ConnectionView
  /** @throws TautlineError `connection-inactive`, `outbox-full`, `request-too-large` */
  say(id: string, saying: Saying): Promise<Said>
  messages(
    id: string,
    from: number,
    limit: number,
  ): Promise<{ messages: readonly InboxMessage[]; next: number }>
  /** @throws TautlineError `connection-inactive` */
  ping(id: string): Promise<ConnectionView>
  /** @throws TautlineError `connection-inactive` */
  rotate(id: string): Promise<ConnectionView>
  letGo(id: string, options: { notify: boolean }): Promise<ConnectionView>
  block(id: string, blocked: boolean): Promise<ConnectionView>
  /** Sealed by the passphrase: all that has not ended, without what was received. */
  export(passphrase: string): Promise<string>
  /** @throws TautlineError `export-refused` */
  import(
    text: string,
    passphrase: string,
  ): Promise<{ imported: readonly string[]; skipped: readonly string[] }>
  /** @throws TautlineError `not-found` */
  reveal(c: Hash): Promise<Reveal>
  /** From a position on, then as they come, until the signal aborts. */
  events(from: number | undefined, signal: AbortSignal): AsyncIterable<ConnectionEvent>
  /** An envelope that somebody has brought. @throws TautlineError `envelope-refused`, `too-many-requests` */
  receive(text: string): Promise<Reception>
  close(): Promise<void>
}
