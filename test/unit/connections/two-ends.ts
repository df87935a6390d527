/** Two ends with memories of their own, and between them what was sent and not yet heard. Nothing is lost unless a test says so. */
import { expect } from 'vitest'
import {
  accept,
  type Connection,
  type ConnectionEffect,
  type ConnectionInput,
  invite,
  lookupsOf,
  type Outbound,
  open,
  sealOutbound,
  step,
  wakeAt,
} from '../../../src/connections/connections.ts'
import {
  type Envelope,
  isRefused,
  type Message,
  readEnvelope,
  readInvitation,
} from '../../../src/didcomm/didcomm.ts'
import { unixMs } from '../../../src/units.ts'

export class End {
  readonly name: string
  connection!: Connection
  now = 1_800_000_000_000
  outbox = new Map<number, Outbound>()
  /** By their ids. */
  taken = new Map<string, Message>()
  /** In their order. */
  heard: string[] = []
  readonly reports: string[] = []
  sent: string[] = []
  #seed = 0

  constructor(name: string) {
    this.name = name
  }

  moment() {
    const seed = new Uint8Array(32)
    seed.set(new TextEncoder().encode(`${this.name} ${this.#seed++}`))
    return { now: unixMs(this.now), seed }
  }

  step(input: ConnectionInput): readonly ConnectionEffect[] {
    const { connection, effects } = step(this.connection, input, this.moment())
    this.connection = connection
    this.apply(effects)
    return effects
  }

  apply(effects: readonly ConnectionEffect[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'take':
          this.taken.set(effect.message.id, effect.message)
          this.heard.push(String(effect.message.body.value))
          break
        case 'add':
          this.outbox.set(effect.outbound.number, effect.outbound)
          break
        case 'drop':
          for (const number of this.outbox.keys()) if (number < effect.before) this.outbox.delete(number)
          break
        case 'erase':
          this.outbox.clear()
          break
        case 'send':
          this.sent.push(effect.text)
          break
        case 'report':
          this.reports.push(effect.what)
          break
        case 'deliver':
          for (let number = effect.first; number <= effect.last; number++)
            this.sent.push(sealOutbound(this.connection, this.outbox.get(number)!, this.moment()))
      }
    }
  }

  say(value: string): void {
    this.step({ kind: 'say', content: { type: 'urn:test/1.0/value', body: { value } } })
  }

  /** @returns what its node would answer, and the effects */
  hear(text: string) {
    const envelope = readEnvelope(text) as Envelope
    const opened = open(this.connection, envelope, unixMs(this.now))
    if (opened.kind === 'stale-key') this.step({ kind: 'heard-stale', keys: envelope.recipients })
    if (opened.kind !== 'message' && opened.kind !== 'end') return opened
    const { id, number, previous } = lookupsOf(this.connection, opened)
    const acknowledgedId = number === undefined ? undefined : this.outbox.get(number)?.id
    const found = {
      isTaken: this.taken.has(id),
      isPreviousTaken: this.taken.has(previous ?? ''),
      ...(acknowledgedId !== undefined && { acknowledgedId }),
    }
    const effects = this.step({ kind: 'heard', opened, found })
    return effects.find((effect) => effect.kind === 'refuse') ?? opened
  }

  /** All that it remembers. */
  backup(): () => void {
    const { connection, outbox, taken, heard } = structuredClone({
      connection: this.connection,
      outbox: this.outbox,
      taken: this.taken,
      heard: this.heard,
    })
    return () => Object.assign(this, { connection, outbox, taken, heard, sent: [] })
  }

  /** To the next time that something is due. */
  wait(): void {
    this.now = Math.max(this.now, wakeAt(this.connection) ?? this.now)
    this.step({ kind: 'tick' })
  }
}

/** Everything that was sent is heard, until nobody says anything any more. */
export const settle = (...ends: readonly [End, End]): void => {
  for (let rounds = 0; rounds < 200; rounds++) {
    let quiet = true
    for (const [from, to] of [ends, [ends[1], ends[0]] as const]) {
      for (const text of from.sent.splice(0)) {
        quiet = false
        const answer = to.hear(text)
        if (answer.kind === 'gone') {
          const { farewell } = answer
          const envelope = farewell === undefined ? undefined : (readEnvelope(farewell) as Envelope)
          from.step({ kind: 'told-gone', ...(envelope && { envelope }) })
        } else if (answer.kind === 'message' || answer.kind === 'end') from.step({ kind: 'delivered' })
        else from.step({ kind: 'undelivered', code: 'code' in answer ? answer.code : answer.kind })
      }
    }
    if (quiet) {
      const owing = ends.filter(({ connection }) => connection.owed !== undefined)
      if (owing.length === 0) return
      for (const end of owing) end.wait()
    }
  }
  expect.fail('they never stop talking')
}

export const makeInvited = (name = 'inviter') => {
  const inviter = new End(name)
  const { connection, url } = invite(
    { id: name, endpoint: 'https://a.example/v1/didcomm', at: 'https://a.example/' },
    inviter.moment(),
  )
  inviter.connection = connection
  return { inviter, url }
}

export const makeAcceptor = (
  url: string,
  name = 'acceptor',
  endpoint = 'https://b.example/v1/didcomm',
  now?: number,
): End => {
  const acceptor = new End(name)
  if (now !== undefined) acceptor.now = now
  const invitation = readInvitation(url, Math.floor(acceptor.now / 1_000))
  if (isRefused(invitation)) throw new Error(invitation.detail)
  const { connection, effects } = accept({ id: name, invitation, endpoint }, acceptor.moment())
  acceptor.connection = connection
  acceptor.apply(effects)
  return acceptor
}

export const makeConnected = (): { readonly a: End; readonly b: End } => {
  const { inviter: a, url } = makeInvited()
  const b = makeAcceptor(url)
  settle(a, b)
  return { a, b }
}
