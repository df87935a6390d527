/** One step in the making: the connection as it is becoming, what is to be done, and what a message looks like now. */
import { shortDid } from '../didcomm/did.ts'
import { createIdentity, type Identity, identityEntropyBytes } from '../didcomm/identity.ts'
import { idEntropyBytes, type Message, makeId } from '../didcomm/message.ts'
import { resolveDid } from '../didcomm/resolve-did.ts'
import { sealEntropyBytes, sealMessage } from '../didcomm/seal.ts'
import { assert } from '../errors.ts'
import type { Connection } from './connection.ts'
import type { ConnectionEffect, ConnectionRefusal } from './effect.ts'
import { Entropy } from './entropy.ts'
import { acknowledgeType, orderHeaders, type PlaceHeader } from './headers.ts'
import type { Content, Moment } from './input.ts'
import { acknowledgeAfterMs, acknowledgeEvery } from './limits.ts'

/** What a message has beside its content. */
export interface Headers {
  readonly id?: string
  readonly thid?: string
  readonly pthid?: string
  readonly created?: number
  readonly place?: PlaceHeader
  /** By an elder; without it, by the identity that waits for an answer to its successor, if one does. */
  readonly fromPrior?: string
}

export class Course {
  connection: Connection
  readonly effects: ConnectionEffect[] = []
  readonly now: Moment['now']
  readonly entropy: Entropy

  constructor(connection: Connection, { now, seed }: Moment) {
    this.connection = connection
    this.now = now
    this.entropy = new Entropy(seed)
  }

  /** Unix seconds. */
  get seconds(): number {
    return Math.floor(this.now / 1_000)
  }

  become(change: Partial<Connection>): void {
    this.connection = { ...this.connection, ...change }
  }

  emit(effect: ConnectionEffect): void {
    this.effects.push(effect)
  }

  refuse(code: ConnectionRefusal, detail: string): void {
    this.emit({ kind: 'refuse', code, detail })
  }

  makeId(): string {
    return makeId(this.entropy.take(idEntropyBytes))
  }

  /** A fresh one, that is reached where the present one is. */
  makeIdentity(endpoint: string | undefined): Identity {
    return createIdentity(this.entropy.take(identityEntropyBytes), endpoint)
  }

  /** Sends what wants no place in the order. */
  send(content: Content, headers: Headers = {}): void {
    this.emit({ kind: 'send', text: this.seal(content, headers) })
    this.become({ owed: undefined })
  }

  /** One more message of the peer is to be acknowledged, soon. */
  owe(): void {
    const { owed } = this.connection
    const messages = (owed?.messages ?? 0) + 1
    if (messages >= acknowledgeEvery) this.acknowledge()
    else
      this.become({ owed: { messages, at: owed?.at ?? ((this.now + acknowledgeAfterMs) as Moment['now']) } })
  }

  /** Says now what we have, and which keys are ours. */
  acknowledge(): void {
    this.send({ type: acknowledgeType, body: {} })
  }

  seal(content: Content, headers: Headers): string {
    const { identity, peer } = this.connection
    assert(identity && peer, 'only what has keys and a peer can say anything')
    return sealMessage(this.#message(content, headers, identity), identity, {
      recipient: { ...peer.document, did: shortDid(peer.document.did) },
      entropy: this.entropy.take(sealEntropyBytes),
    })
  }

  #message({ type, body, attachments }: Content, headers: Headers, identity: Identity): Message {
    const { peer, prior, incoming, confirmed } = this.connection
    const fromPrior = headers.fromPrior ?? prior?.fromPrior
    return {
      ...orderHeaders(incoming, headers.place),
      id: headers.id ?? this.makeId(),
      type,
      body,
      ...(attachments && { attachments }),
      // The long form until the peer has answered to it: before that it can't look the short one up.
      from: fromPrior === undefined && confirmed ? shortDid(identity.did) : identity.did,
      to: [shortDid(peer!.document.did)],
      created_time: headers.created ?? this.seconds,
      ...(headers.thid !== undefined && { thid: headers.thid }),
      ...(headers.pthid !== undefined && { pthid: headers.pthid }),
      ...(fromPrior !== undefined && { from_prior: fromPrior }),
      ...(endpointOfDid(identity.did) === undefined && { return_route: 'all' }),
    }
  }
}

export const endpointOfDid = (did: string): string | undefined => resolveDid(did)?.endpoint
