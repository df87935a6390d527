/**
 * One end: the machine over a disk that is written at once or not at all, a queue of what is to be sent, and a
 * process that can end between any two of these.
 */
import {
  type Connection,
  type ConnectionEffect,
  type ConnectionInput,
  decodeConnection,
  encodeConnection,
  endpointOf,
  lookupsOf,
  type Outbound,
  open,
  sealOutbound,
  step,
  wakeAt,
  whyNot,
} from '../../../src/connections/connections.ts'
import { isRefused, readEnvelope } from '../../../src/didcomm/didcomm.ts'
import { unixMs } from '../../../src/units.ts'
import { beginning } from '../virtual-time.ts'
import type { World } from './world.ts'

/** What is on the disk: a value that is replaced and never changed, so that a backup is the value itself. */
export interface Memory {
  readonly connection: Connection
  readonly outbox: ReadonlyMap<number, Outbound>
  /** Ids, in the order in which they took effect. */
  readonly taken: ReadonlySet<string>
  /** Messages that the other end has lost, by its own word. */
  readonly lost: ReadonlySet<string>
  /** Id of what was said last. */
  readonly said?: string | undefined
}

/** What a text came to, for its sender. */
export type Answer =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'undelivered'; readonly code?: string }
  | { readonly kind: 'gone'; readonly body: string }

type Letter = (connection: Connection) => string | undefined

export class End {
  readonly name: string
  readonly #world: World
  #disk: Memory | undefined
  #isUp = true
  /** Of the process; what an earlier one has set going concerns nobody any more. */
  #life = 0
  #queue: Letter[] = []
  #isSending = false
  /** Its time came while something was on its way: it is told when nothing is. */
  #isTickDue = false
  #cancelTimer: () => void = () => undefined
  readonly backups: Memory[] = []
  skewMs = 0
  /** It has let go, or given up, in some lifetime of its state. */
  hasLeft = false
  /** It was restored to a time before one of its own rotations: what is written to its newest keys is lost on it. */
  isFenced = false
  wasRestored = false
  #newestKey: string | undefined
  /** All private keys that it ever had, as they stand in a record. */
  readonly secrets = new Set<string>()

  constructor(name: string, world: World) {
    this.name = name
    this.#world = world
  }

  get endpoint(): string {
    return `https://${this.name}.example/v1/didcomm`
  }

  get memory(): Memory | undefined {
    return this.#disk
  }

  get isUp(): boolean {
    return this.#isUp
  }

  moment() {
    return { now: unixMs(beginning + this.#world.nowMs + this.skewMs), seed: this.#world.seed() }
  }

  begin(connection: Connection, effects: readonly ConnectionEffect[]): void {
    this.#commit({ connection, outbox: new Map(), taken: new Set(), lost: new Set() })
    this.#schedule()
    this.#send(effects)
  }

  say(): void {
    const { connection } = this.#disk ?? {}
    if (!this.#isUp || !connection || whyNot(connection)) return
    this.#world.count('said')
    this.step({ kind: 'say', content: { type: 'urn:tautline:content/1.0/json', body: { value: 0 } } })
  }

  /** One step, durable before anything is sent. @returns undefined when its process has ended before it was durable */
  step(input: ConnectionInput, heard?: string): readonly ConnectionEffect[] | undefined {
    const before = this.#disk
    if (!this.#isUp || !before) return undefined
    const { connection, effects } = step(before.connection, input, this.moment())
    if (effects.some(({ kind }) => kind === 'refuse')) {
      this.#world.note(this, `${input.kind}: ${JSON.stringify(effects[0])}`)
      return effects
    }
    this.#world.note(this, this.#describe(input, before.connection, connection, effects))
    const crash = this.#world.drawCrash()
    if (crash === 'before') {
      this.stop(this.#world.drawDownMs(), 'before it was durable')
      return undefined
    }
    this.#commit(this.#after(before, connection, effects, heard))
    if (input.kind === 'let-go' || (connection.phase.state === 'ended' && connection.phase.by === 'expired'))
      this.hasLeft = true
    this.#world.checkStep(this, before, effects)
    if (crash === 'after') {
      this.stop(this.#world.drawDownMs(), 'when it was durable')
      return undefined
    }
    this.#schedule()
    this.#send(effects)
    return effects
  }

  /** @returns what its node answers, if it comes to that */
  receive(text: string): Answer | undefined {
    if (!this.#isUp) return { kind: 'undelivered' }
    const envelope = readEnvelope(text)
    if (isRefused(envelope)) return { kind: 'undelivered', code: envelope.code }
    const { connection, outbox, taken } = this.#disk ?? {}
    if (!connection || !envelope.recipients.some((key) => connection.ownKeys.includes(key)))
      return { kind: 'undelivered', code: 'unknown-key' }
    if (connection.blocked) return { kind: 'undelivered', code: 'blocked' }
    const opened = open(connection, envelope, this.moment().now)
    switch (opened.kind) {
      case 'refused':
        this.#world.note(this, `refuses ${opened.code}`)
        this.#world.count('refused')
        return { kind: 'undelivered', code: opened.code }
      case 'gone':
        return { kind: 'gone', body: opened.farewell ?? '' }
      case 'stale-key':
        this.step({ kind: 'heard-stale', keys: envelope.recipients })
        return { kind: 'undelivered', code: 'stale-key' }
    }
    const { id, number, previous } = lookupsOf(connection, opened)
    const acknowledgedId = number === undefined ? undefined : outbox!.get(number)?.id
    const found = {
      isTaken: taken!.has(id),
      isPreviousTaken: taken!.has(previous ?? ''),
      ...(acknowledgedId !== undefined && { acknowledgedId }),
    }
    const effects = this.step({ kind: 'heard', opened, found }, id)
    if (!effects) return undefined
    const refusal = effects.find((effect) => effect.kind === 'refuse')
    if (refusal) this.#world.count('refused')
    return refusal ? { kind: 'undelivered', code: refusal.code } : { kind: 'delivered' }
  }

  /** Its process ends, and begins again after a while. */
  stop(downMs: number, why: string): void {
    if (!this.#isUp) return
    this.#world.count('crashes')
    this.#world.note(this, `stops ${why}, for ${downMs} ms`)
    this.#isUp = false
    this.#forget()
    this.#world.after(downMs, () => this.start())
  }

  start(): void {
    if (this.#isUp) return
    this.#isUp = true
    this.#world.note(this, 'starts')
    this.#takeUp({ kind: 'resume' })
  }

  backUp(): void {
    if (this.#disk) this.backups.push(this.#disk)
  }

  /** From the folder as it was copied once, or from an export, in which only what was unsent is. */
  restore(memory: Memory, how: 'resume' | 'imported'): void {
    const isEnded = memory.connection.identity === undefined
    if (how === 'imported' && isEnded) return
    this.#world.count('restores')
    this.#world.note(this, `is restored (${how})`)
    this.#isUp = true
    this.#forget()
    this.wasRestored = true
    this.#disk = how === 'imported' ? exported(memory) : memory
    if (memory.connection.ownKeys.at(-1) !== this.#newestKey) this.isFenced = true
    this.#takeUp(how === 'imported' ? { kind: 'imported', endpoint: this.endpoint } : { kind: 'resume' })
  }

  #takeUp(input: ConnectionInput): void {
    const memory = this.#disk
    if (!memory) return
    const record = JSON.parse(JSON.stringify(encodeConnection(memory.connection)))
    this.#disk = { ...memory, connection: decodeConnection(record) }
    this.#schedule()
    this.step(input)
  }

  /** What only the process knew. */
  #forget(): void {
    this.#life++
    this.#queue = []
    this.#isSending = false
    this.#isTickDue = false
    this.#cancelTimer()
  }

  #commit(memory: Memory): void {
    this.#disk = memory
    this.#newestKey = memory.connection.ownKeys.at(-1)
    const { identity } = memory.connection
    if (identity)
      for (const key of [identity.signingKey, identity.agreementKey])
        this.secrets.add(Buffer.from(key).toString('base64url'))
  }

  #after(
    before: Memory,
    connection: Connection,
    effects: readonly ConnectionEffect[],
    heard: string | undefined,
  ): Memory {
    const outbox = new Map(before.outbox)
    let { taken, lost, said } = before
    for (const effect of effects) {
      switch (effect.kind) {
        case 'take':
          this.#world.checkTaking(this, { ...before, taken, lost }, effect.message.id)
          taken = new Set([...taken, effect.message.id])
          break
        case 'lose':
          this.#world.checkLoss(this, heard)
          lost = new Set([...lost, ...this.#world.parentOf(heard)])
          break
        case 'add':
          this.#world.noteSaid(this, effect.outbound.id, said)
          said = effect.outbound.id
          outbox.set(effect.outbound.number, effect.outbound)
          break
        case 'drop':
          for (const number of outbox.keys()) if (number < effect.before) outbox.delete(number)
          break
        case 'erase':
          outbox.clear()
      }
    }
    return { connection, outbox, taken, lost, said }
  }

  #schedule(): void {
    this.#cancelTimer()
    const at = wakeAt(this.#disk!.connection)
    if (at === undefined) return
    const life = this.#life
    const delayMs = Math.max(1, at - this.moment().now)
    this.#cancelTimer = this.#world.after(delayMs, () => {
      if (life === this.#life) this.#tick()
    })
  }

  #tick(): void {
    this.#isTickDue = this.#isSending
    if (!this.#isSending) this.step({ kind: 'tick' })
  }

  #send(effects: readonly ConnectionEffect[]): void {
    if (effects.some(({ kind }) => kind === 'unsend')) this.#queue.splice(0)
    for (const effect of effects) {
      if (effect.kind === 'send') this.#queue.push(() => effect.text)
      else if (effect.kind === 'deliver')
        for (let number = effect.first; number <= effect.last; number++)
          this.#queue.push((connection) => this.#seal(connection, number))
    }
    this.#sendNext()
  }

  #seal(connection: Connection, number: number): string | undefined {
    if (!connection.identity || connection.prior || connection.blocked) return undefined
    const outbound = this.#disk!.outbox.get(number)
    return outbound && sealOutbound(connection, outbound, this.moment())
  }

  #sendNext(): void {
    while (!this.#isSending && this.#isUp) {
      const letter = this.#queue.shift()
      if (!letter) {
        if (this.#isTickDue) this.#tick()
        return
      }
      const { connection } = this.#disk!
      const text = letter(connection)
      const endpoint = endpointOf(connection)
      if (text === undefined || endpoint === undefined) continue
      this.#isSending = true
      const life = this.#life
      this.#world.post(this, endpoint, text, (answer) => {
        if (life === this.#life) this.#hearAnswer(answer)
      })
    }
  }

  #hearAnswer(answer: Answer): void {
    this.#isSending = false
    if (answer.kind !== 'delivered') this.#queue = []
    if (answer.kind === 'gone') {
      const envelope = readEnvelope(answer.body)
      this.step({ kind: 'told-gone', ...(!isRefused(envelope) && { envelope }) })
    } else this.step(answer)
    this.#sendNext()
  }

  #describe(
    input: ConnectionInput,
    before: Connection,
    { phase, outgoing, incoming, ownKeys }: Connection,
    effects: readonly ConnectionEffect[],
  ): string {
    const what =
      input.kind === 'heard'
        ? `hears ${input.opened.message.type.split('/').slice(-2).join('/')} ${input.opened.message.id.slice(0, 4)}`
        : `${input.kind} ${'code' in input ? input.code : ''}`
    const state = before.phase.state === phase.state ? phase.state : `${before.phase.state} → ${phase.state}`
    const place = `out ${outgoing.stream}:${outgoing.acknowledged}/${outgoing.sent}/${outgoing.last} in ${incoming.stream}:${incoming.sequence} keys ${ownKeys.length}`
    const done = effects.map((effect) =>
      effect.kind === 'deliver'
        ? `deliver ${effect.first}..${effect.last}`
        : effect.kind === 'take'
          ? `take ${effect.message.id.slice(0, 4)}`
          : effect.kind === 'lose'
            ? `lose ${effect.lost.from}..${effect.lost.to}`
            : effect.kind,
    )
    return `${what}: ${state}, ${place}; ${done.join(', ')}`
  }
}

/** What an export holds of it: what was acknowledged isn't kept. */
const exported = (memory: Memory): Memory => {
  const { outgoing } = memory.connection
  const outbox = new Map([...memory.outbox].filter(([number]) => number > outgoing.acknowledged))
  const connection = { ...memory.connection, outgoing: { ...outgoing, oldest: outgoing.acknowledged + 1 } }
  return { ...memory, outbox, connection }
}
