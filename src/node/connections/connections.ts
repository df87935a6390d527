/**
 * The connections of a node: the machines of `src/connections` over a store, a clock and the mail.
 *
 * In: what the operator wants, and envelopes that other ends' nodes bring. Each is one step of one connection, made
 * durable before anything is answered or sent. Out: envelopes, straight to the other end's URL.
 */
import { encodeHex } from '../../codec/bytes.ts'
import {
  accept,
  type Connection,
  type ConnectionEffect,
  type ConnectionInput,
  type ConnectionView,
  type Content,
  endpointOf,
  invite,
  lookupsOf,
  type Moment,
  makeJson,
  makeText,
  type NotOpened,
  open,
  sealOutbound,
  step,
  viewOf,
  wakeAt,
} from '../../connections/connections.ts'
import { type Envelope, isRefused, readEnvelope } from '../../didcomm/didcomm.ts'
import { TautlineError } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { Random } from '../../ports/random.ts'
import type { Courier, Reach } from '../../ports/transport.ts'
import type { Hash } from '../../units.ts'
import { Bell } from '../bell.ts'
import { additionsOf } from './additions.ts'
import { type Additions, type ConnectionStore, nothingAdded } from './connection-store.ts'
import { Doorkeeper } from './doorkeeper.ts'
import { openExport, sealExport } from './export.ts'
import { maxConnections, maxEnded, maxInvitations, maxPage, resumeEveryMs } from './limits.ts'
import { type Letter, Mail, type Outcome } from './mail.ts'
import { PrivatePayloads, type PrivatePayloadsParts } from './private-payloads.ts'
import { readAcceptable, refusedEnvelope, requireFits, requireSayable } from './refusals.ts'
import type { ConnectionEvent, ConnectionsService, Reception, Reveal, Said, Saying } from './service.ts'

export interface ConnectionsParts {
  readonly store: ConnectionStore
  /** Commitments go to its ledger, and are looked up there. */
  readonly node: PrivatePayloadsParts['node']
  /** The URL under which other ends reach this node. */
  readonly url: () => string
  readonly courier: Courier
  /** Where other ends may have themselves be written to. */
  readonly reach: Reach
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Where envelopes are posted, below a node's URL. */
export const wirePath = '/v1/didcomm'

/** Whom an envelope is for that no connection is found for. */
const nobody = 'none'

export class Connections implements ConnectionsService {
  readonly #parts: ConnectionsParts
  readonly #mail: Mail
  readonly #doorkeeper: Doorkeeper
  readonly #payloads: PrivatePayloads
  readonly #happened = new Bell()
  readonly #closing = new AbortController()
  /** Which connection an envelope is for. */
  readonly #byKey = new Map<string, string>()
  readonly #timers = new Map<string, () => void>()
  /** Steps take turns: the store takes one commit at a time. */
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(parts: ConnectionsParts) {
    const { courier, reach, clock, log } = parts
    this.#parts = parts
    this.#doorkeeper = new Doorkeeper(clock, log)
    this.#mail = new Mail({
      courier,
      reach,
      onOutcome: (id, outcome) => this.#hearOutcome(id, outcome),
      onError: (error) => this.#report(error),
    })
    this.#payloads = new PrivatePayloads({
      ...parts,
      inTurn: (act) => this.#inTurn(act),
      say: (id, content) => this.#say(id, content),
      later: (name, delayMs, act) => this.#later(name, delayMs, act),
    })
  }

  /** Takes up all connections again, one after the other: what waits is sent. */
  static start(parts: ConnectionsParts): Connections {
    const connections = new Connections(parts)
    let delayMs = 0
    for (const { connection } of parts.store.entries.values()) {
      connections.#index(connection)
      connections.#schedule(connection)
      if (connection.phase.state === 'ended') continue
      delayMs += resumeEveryMs
      connections.#later(`resume ${connection.id}`, delayMs, () =>
        connections.#step(connection.id, { kind: 'resume' }),
      )
    }
    return connections
  }

  async invite({ label, goal, seconds }: { label?: string; goal?: string; seconds?: number }) {
    this.#requireRoom()
    if (this.#count('invited') >= maxInvitations)
      throw new TautlineError(
        'too-many-connections',
        `${maxInvitations} invitations are open already: end some of them first`,
      )
    const { connection, url } = invite(
      {
        id: this.#makeId(),
        endpoint: this.#endpoint(),
        at: `${this.#parts.url()}/`,
        ...(label !== undefined && { label }),
        ...(goal !== undefined && { goal }),
        ...(seconds !== undefined && { seconds }),
      },
      this.#moment(),
    )
    await this.#add(connection, [])
    return { id: connection.id, url, expires: connection.terms.expires }
  }

  async accept(url: string, label?: string): Promise<ConnectionView> {
    const invitation = readAcceptable(url, this.#seconds, this.#parts.reach)
    const again = this.#connections().find(
      ({ role, terms, phase }) =>
        role === 'acceptor' && terms.id === invitation.message.id && phase.state !== 'ended',
    )
    if (again) return viewOf(again)
    this.#requireRoom()
    const { connection, effects } = accept(
      {
        id: this.#makeId(),
        invitation,
        endpoint: this.#endpoint(),
        ...(label !== undefined && { label }),
      },
      this.#moment(),
    )
    await this.#add(connection, effects)
    return viewOf(connection)
  }

  list(): readonly ConnectionView[] {
    return this.#connections().map(viewOf)
  }

  get(id: string): ConnectionView {
    return viewOf(this.#require(id))
  }

  async say(id: string, saying: Saying): Promise<Said> {
    requireSayable(this.#require(id))
    if (saying.kind === 'payload') return this.#payloads.say(id, saying.payload, saying.mediaType)
    const content = saying.kind === 'text' ? makeText(saying.text) : makeJson(saying.value)
    requireFits(content)
    return this.#inTurn(() => this.#say(id, content))
  }

  async messages(id: string, from: number, limit: number) {
    this.#require(id)
    const found = await this.#parts.store.inbox(id, from, Math.min(limit, maxPage))
    const messages = await Promise.all(found.map((message) => this.#payloads.standingNow(id, message)))
    return { messages, next: (messages.at(-1)?.position ?? from - 1) + 1 }
  }

  async ping(id: string): Promise<ConnectionView> {
    return this.#act(id, { kind: 'ping' })
  }

  async rotate(id: string): Promise<ConnectionView> {
    return this.#act(id, { kind: 'rotate', endpoint: this.#endpoint() })
  }

  async letGo(id: string, { notify }: { notify: boolean }): Promise<ConnectionView> {
    return this.#act(id, { kind: 'let-go', notify })
  }

  async block(id: string, blocked: boolean): Promise<ConnectionView> {
    return this.#act(id, { kind: blocked ? 'block' : 'unblock' })
  }

  async export(passphrase: string): Promise<string> {
    return this.#inTurn(() => sealExport(this.#parts, passphrase))
  }

  async import(text: string, passphrase: string) {
    const imported: string[] = []
    const skipped: string[] = []
    for (const { connection, outbound, takenIds } of openExport(text, passphrase)) {
      if (this.#parts.store.entries.has(connection.id)) {
        skipped.push(connection.id)
        continue
      }
      this.#requireRoom()
      await this.#inTurn(() =>
        this.#parts.store.add(
          connection,
          { ...nothingAdded, outbound },
          { inbox: { oldest: 1, next: 1 }, takenIds },
        ),
      )
      this.#index(connection)
      await this.#step(connection.id, { kind: 'imported', endpoint: this.#endpoint() })
      imported.push(connection.id)
    }
    return { imported, skipped }
  }

  reveal(c: Hash): Promise<Reveal> {
    return this.#payloads.reveal(c)
  }

  /** Position of the event that comes next. */
  get nextEvent(): number {
    return this.#parts.store.nextEvent
  }

  async *events(from: number | undefined, signal: AbortSignal): AsyncGenerator<ConnectionEvent> {
    const ended = AbortSignal.any([signal, this.#closing.signal])
    let position = from ?? this.nextEvent
    while (!ended.aborted) {
      const rings = this.#happened.rings(ended)
      const events = await this.#parts.store.events(position, maxPage)
      for (const event of events) {
        if (ended.aborted) return
        yield event
        position = event.position + 1
      }
      if (events.length === 0) await rings
    }
  }

  async receive(text: string): Promise<Reception> {
    const envelope = readEnvelope(text)
    if (isRefused(envelope)) throw this.#refuse(nobody, envelope)
    const id = envelope.recipients.map((key) => this.#byKey.get(key)).find((found) => found !== undefined)
    if (id === undefined)
      throw this.#refuse(nobody, {
        kind: 'refused',
        code: 'unknown-key',
        detail: 'no key of this node is among the recipients',
      })
    this.#doorkeeper.admit(id)
    if (this.#require(id).blocked)
      throw new TautlineError('envelope-refused', 'this connection is blocked at this end', {
        reason: 'blocked',
      })
    return this.#inTurn(() => this.#hear(id, envelope))
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.#happened.ring()
    for (const cancel of this.#timers.values()) cancel()
    this.#timers.clear()
    this.#mail.close()
    await this.#turn
    await this.#parts.store.close()
  }

  // From here on: one step at a time.

  async #hear(id: string, envelope: Envelope): Promise<Reception> {
    const connection = this.#require(id)
    const opened = open(connection, envelope, this.#parts.clock.now())
    switch (opened.kind) {
      case 'refused':
        throw this.#refuse(id, opened)
      case 'gone':
        return opened
      case 'stale-key':
        await this.#take(id, { kind: 'heard-stale', keys: envelope.recipients })
        throw new TautlineError(
          'envelope-refused',
          'this key was rotated away: the copy of the connection that it was sealed by is an old one',
          { reason: 'stale-key' },
        )
    }
    const { store } = this.#parts
    const { id: messageId, number, previous } = lookupsOf(connection, opened)
    const acknowledgedId = number === undefined ? undefined : (await store.outbound(id, number))?.id
    const found = {
      isTaken: await store.isTaken(id, messageId),
      ...(acknowledgedId !== undefined && { acknowledgedId }),
      isPreviousTaken: previous !== undefined && (await store.isTaken(id, previous)),
    }
    const effects = await this.#take(id, { kind: 'heard', opened, found })
    const refusal = effects.find((effect) => effect.kind === 'refuse')
    if (refusal) throw this.#refuse(id, { ...refusal, kind: 'refused' })
    this.#doorkeeper.heard(id)
    return { kind: 'accepted' }
  }

  #refuse(id: string, refusal: NotOpened): TautlineError {
    this.#doorkeeper.refused(id, refusal)
    return refusedEnvelope(refusal)
  }

  #step(id: string, input: ConnectionInput): Promise<readonly ConnectionEffect[]> {
    return this.#inTurn(() =>
      this.#parts.store.entries.has(id) ? this.#take(id, input) : Promise.resolve([]),
    )
  }

  async #take(id: string, input: ConnectionInput): Promise<readonly ConnectionEffect[]> {
    const before = this.#require(id)
    const { connection, effects } = step(before, input, this.#moment())
    if (connection === before && effects.length === 0) return effects
    if (effects.some(({ kind }) => kind === 'refuse')) return effects
    const additions = this.#additionsOf(before, effects)
    if (input.kind === 'delivered' && effects.length === 0) this.#parts.store.remember(connection)
    else await this.#parts.store.update(connection, additions)
    this.#index(connection)
    this.#schedule(connection)
    this.#send(connection, effects)
    if (additions.events.length > 0) this.#happened.ring()
    for (const { c } of additions.payloads) this.#payloads.expect(id, c)
    if (connection.phase.state === 'ended') await this.#forgetOldest()
    return effects
  }

  async #add(connection: Connection, effects: readonly ConnectionEffect[]): Promise<void> {
    await this.#inTurn(() => this.#parts.store.add(connection, this.#additionsOf(connection, effects)))
    this.#index(connection)
    this.#schedule(connection)
    this.#send(connection, effects)
  }

  #additionsOf(connection: Connection, effects: readonly ConnectionEffect[]): Additions {
    const next = this.#parts.store.entries.get(connection.id)?.inbox.next ?? 1
    return additionsOf(connection, effects, { now: this.#parts.clock.now(), next })
  }

  #send(connection: Connection, effects: readonly ConnectionEffect[]): void {
    const letters: Letter[] = []
    if (effects.some(({ kind }) => kind === 'unsend')) this.#mail.unsend(connection.id)
    for (const effect of effects) {
      if (effect.kind === 'send') letters.push({ write: () => this.#address(connection, effect.text) })
      else if (effect.kind === 'deliver')
        for (let number = effect.first; number <= effect.last; number++)
          letters.push({ write: () => this.#writeOutbound(connection.id, number) })
    }
    this.#mail.send(connection.id, letters)
  }

  async #address(connection: Connection, text: string) {
    const endpoint = endpointOf(connection)
    return endpoint === undefined ? undefined : { endpoint, text }
  }

  async #writeOutbound(id: string, number: number) {
    const connection = this.#parts.store.entries.get(id)?.connection
    // Under a new identity the other end is told of that first.
    if (!connection?.identity || connection.prior || connection.blocked) return undefined
    const outbound = await this.#parts.store.outbound(id, number)
    return outbound && this.#address(connection, sealOutbound(connection, outbound, this.#moment()))
  }

  async #hearOutcome(id: string, outcome: Outcome): Promise<void> {
    switch (outcome.kind) {
      case 'delivered':
        await this.#step(id, { kind: 'delivered' })
        break
      case 'undelivered':
        this.#doorkeeper.undelivered(id, outcome.reason)
        await this.#step(id, {
          kind: 'undelivered',
          ...(outcome.code !== undefined && { code: outcome.code }),
        })
        break
      case 'gone': {
        const envelope = readEnvelope(outcome.body)
        await this.#step(id, { kind: 'told-gone', ...(!isRefused(envelope) && { envelope }) })
      }
    }
  }

  async #say(id: string, content: Content): Promise<Said> {
    requireSayable(this.#require(id))
    const effects = await this.#take(id, { kind: 'say', content })
    const { outbound } = effects.find((effect) => effect.kind === 'add')!
    return { id: outbound.id, number: outbound.number }
  }

  async #act(id: string, input: ConnectionInput): Promise<ConnectionView> {
    this.#require(id)
    const effects = await this.#step(id, input)
    const refusal = effects.find((effect) => effect.kind === 'refuse')
    if (refusal) throw new TautlineError('connection-inactive', refusal.detail)
    return this.get(id)
  }

  /** Those that have ended longest ago are forgotten, when there are too many. */
  async #forgetOldest(): Promise<void> {
    const ended = this.#connections()
      .flatMap(({ id, ownKeys, phase }) => (phase.state === 'ended' ? [{ id, ownKeys, at: phase.at }] : []))
      .sort((one, other) => one.at - other.at)
    for (const { id, ownKeys } of ended.slice(0, Math.max(0, ended.length - maxEnded))) {
      await this.#parts.store.remove(id)
      for (const key of ownKeys) this.#byKey.delete(key)
      this.#doorkeeper.forget(id)
    }
  }

  #index({ id, ownKeys }: Connection): void {
    for (const key of ownKeys) this.#byKey.set(key, id)
  }

  #schedule({ id }: Connection): void {
    const at = wakeAt(this.#require(id))
    this.#timers.get(id)?.()
    this.#timers.delete(id)
    if (at !== undefined)
      this.#later(id, Math.max(0, at - this.#parts.clock.now()), async () => {
        const { retry } = this.#require(id)
        if (retry && retry.at <= this.#parts.clock.now()) await this.#mail.drained(id)
        await this.#step(id, { kind: 'tick' })
      })
  }

  #later(name: string, delayMs: number, act: () => Promise<unknown>): void {
    if (this.#closing.signal.aborted) return
    this.#timers.set(
      name,
      this.#parts.clock.schedule(delayMs, () => {
        this.#timers.delete(name)
        act().catch((error: unknown) => this.#report(error))
      }),
    )
  }

  #inTurn<Value>(act: () => Promise<Value>): Promise<Value> {
    if (this.#closing.signal.aborted)
      return Promise.reject(new TautlineError('shutting-down', 'this node is shutting down'))
    const turn = this.#turn.then(act)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  #report(error: unknown): void {
    if (!this.#closing.signal.aborted)
      this.#parts.log.error('a connection could not go on', { error: String(error) })
  }

  #connections(): readonly Connection[] {
    return [...this.#parts.store.entries.values()].map(({ connection }) => connection)
  }

  #count(state: Connection['phase']['state']): number {
    return this.#connections().filter(({ phase }) => phase.state === state).length
  }

  #requireRoom(): void {
    if (this.#parts.store.entries.size - this.#count('ended') >= maxConnections)
      throw new TautlineError(
        'too-many-connections',
        `this node holds ${maxConnections} connections, and no more: end some of them first`,
      )
  }

  #require(id: string): Connection {
    const entry = this.#parts.store.entries.get(id)
    if (!entry)
      throw new TautlineError(
        'not-found',
        `there is no connection ${id}: /v1/connections lists those that are`,
      )
    return entry.connection
  }

  #makeId(): string {
    return encodeHex(this.#parts.random.bytes(16))
  }

  #endpoint(): string {
    return `${this.#parts.url()}${wirePath}`
  }

  #moment(): Moment {
    return { now: this.#parts.clock.now(), seed: this.#parts.random.bytes(32) }
  }

  get #seconds(): number {
    return Math.floor(this.#parts.clock.now() / 1_000)
  }
}
