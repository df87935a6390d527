/**
 * Two ends of a connection on virtual time, all from one seed: what is between them delays, loses, doubles, reorders
 * and forges, their processes end at any point, and their disks are replaced by old ones.
 *
 * Checked at each step: no message takes effect twice in a lifetime of a disk, none before the one that was said
 * before it unless that is reported as lost, none that its peer hasn't said; only an end that was left by the other
 * is ended by it; and an end that is over holds no keys. When all faults have stopped, both views agree: both active
 * with everything delivered, or both ended. The one exception is an end that was restored to before a rotation of its
 * own: nobody can write to it then, and both have to show that.
 */
import {
  accept,
  type ConnectionEffect,
  encodeConnection,
  invite,
} from '../../../src/connections/connections.ts'
import { isRefused, readInvitation, shortDid } from '../../../src/didcomm/didcomm.ts'
import { createHeap } from '../../../src/mempool/heap.ts'
import type { Chance } from '../chance.ts'
import { Trace } from '../trace.ts'
import { beginning } from '../virtual-time.ts'
import { type Answer, End, type Memory } from './end.ts'
import { Forger } from './forger.ts'
import { type Act, drawAct, type Scenario } from './scenario.ts'

export interface EndsFigures {
  readonly said: number
  readonly taken: number
  readonly lost: number
  readonly texts: number
  readonly refused: number
  readonly crashes: number
  readonly restores: number
  readonly rotations: number
  /** Seeds whose ends are both active in the end, both ended, or apart by a restored backup. */
  readonly active: number
  readonly ended: number
  readonly apart: number
  readonly simulatedMs: number
}

export interface EndsOutcome {
  readonly seed: number
  readonly faults: readonly string[]
  readonly digest: string
  readonly figures: EndsFigures
  readonly trace: string
}

export const noFigures: EndsFigures = {
  said: 0,
  taken: 0,
  lost: 0,
  texts: 0,
  refused: 0,
  crashes: 0,
  restores: 0,
  rotations: 0,
  active: 0,
  ended: 0,
  apart: 0,
  simulatedMs: 0,
}

interface Event {
  readonly atMs: number
  readonly order: number
  action: (() => void) | undefined
}

const hourMs = 3_600_000
const postTimeoutMs = 10_000
/** What a word may take, when nothing is in its way any more: the longest wait, and some rotations on the way. */
const healingHours = 30
/** Until whatever nobody has confirmed is given up. */
const givingUpHours = 2 * 24
/** Of events in one seed: more than that and they never stop talking. */
const maxEvents = 8_000

export const simulateEnds = (scenario: Scenario, keepsTrace = false): EndsOutcome =>
  new World(scenario, keepsTrace).run()

export class World {
  readonly #scenario: Scenario
  readonly #chance: Chance
  readonly #weather: Chance
  readonly #trace: Trace
  readonly #forger: Forger
  readonly #events = createHeap<Event>((one, other) =>
    one.atMs === other.atMs ? one.order < other.order : one.atMs < other.atMs,
  )
  readonly #ends: readonly End[]
  readonly #inviter: End
  /** Who said it, and what was said before it on the same disk. */
  readonly #said = new Map<string, { readonly by: End; readonly parent?: string | undefined }>()
  readonly #owners = new Map<string, End>()
  readonly #cuts = new Set<string>()
  readonly #faults: string[] = []
  readonly #figures: Record<keyof EndsFigures, number> = { ...noFigures }
  #nowMs = 0
  #made = 0
  #seeds = 0
  /** When all have accepted the invitation. */
  #acceptedMs = 0
  #isHealing = false

  constructor(scenario: Scenario, keepsTrace: boolean) {
    this.#scenario = scenario
    this.#chance = scenario.chance.fork('acts')
    this.#weather = scenario.chance.fork('weather')
    this.#trace = new Trace(keepsTrace)
    this.#forger = new Forger(scenario.chance.fork('forger'))
    this.#inviter = new End('ann', this)
    const acceptors = scenario.hasRival ? ['bob', 'eve'] : ['bob']
    this.#ends = [this.#inviter, ...acceptors.map((name) => new End(name, this))]
  }

  get nowMs(): number {
    return this.#nowMs
  }

  run(): EndsOutcome {
    try {
      this.#live()
      this.#heal()
    } catch (error) {
      this.#fault(`it throws: ${error instanceof Error ? error.stack : String(error)}`)
    }
    const figures = { ...this.#figures, simulatedMs: this.#nowMs }
    const trace = this.#trace.text()
    return {
      seed: this.#scenario.seed,
      faults: this.#faults,
      digest: this.#trace.digest(),
      figures,
      trace,
    }
  }

  // What ends ask of it.

  seed(): Uint8Array {
    const bytes = new Uint8Array(32)
    const view = new DataView(bytes.buffer)
    view.setUint32(0, this.#scenario.seed)
    view.setUint32(4, this.#seeds++)
    return bytes
  }

  after(delayMs: number, action: () => void): () => void {
    const event: Event = { atMs: this.#nowMs + delayMs, order: this.#made++, action }
    this.#events.push(event)
    return () => {
      event.action = undefined
    }
  }

  note(end: End, what: string): void {
    this.#trace.note(this.#nowMs, `${end.name} ${what}`)
  }

  count(what: keyof EndsFigures): void {
    this.#figures[what]++
  }

  drawCrash(): 'before' | 'after' | undefined {
    if (this.#isHealing || !this.#weather.percent(this.#scenario.crashes)) return undefined
    return this.#weather.pick(['before', 'after'])
  }

  drawDownMs(): number {
    return this.#weather.between(this.#scenario.downMs)
  }

  /** Brings it to the end that is reached there, and its answer back, if the weather lets both through. */
  post(from: End, endpoint: string, text: string, answer: (answer: Answer) => void): void {
    this.count('texts')
    const to = this.#ends.find((end) => end.endpoint === endpoint)
    if (!to) {
      this.#fault(`${from.name} writes to ${endpoint}, where nobody is`)
      return
    }
    this.#forger.overhear(to, text)
    const { delayMs, doubled, forged } = this.#scenario
    const timeout = () => this.after(postTimeoutMs, () => answer({ kind: 'undelivered' }))
    if (this.#happens(forged)) {
      const seconds = Math.floor((beginning + this.#nowMs) / 1_000)
      const forgery = this.#forger.answer(from.memory!.connection, seconds)
      this.note(from, `is answered by a forger: ${forgery.kind}`)
      this.after(this.#weather.between(delayMs), () => answer(forgery))
      return
    }
    if (this.#isCut(from, to) || this.#happens(this.#scenario.lost)) {
      timeout()
      return
    }
    if (this.#happens(doubled))
      this.after(this.#weather.between(delayMs) * this.#weather.pick([1, 3, 50]), () => to.receive(text))
    this.after(this.#weather.between(delayMs), () => {
      const reply = to.receive(text)
      if (!reply || this.#isCut(to, from) || this.#happens(this.#scenario.lost)) timeout()
      else this.after(this.#weather.between(delayMs), () => answer(reply))
    })
  }

  noteSaid(by: End, id: string, parent: string | undefined): void {
    if (this.#said.has(id)) this.#fault(`${by.name} gives an id twice: ${id}`)
    this.#said.set(id, { by, parent })
  }

  parentOf(id: string | undefined): readonly string[] {
    const parent = this.#said.get(id ?? '')?.parent
    return parent === undefined ? [] : [parent]
  }

  /** What is reported as lost is gone: who was never restored still knows. */
  checkLoss(end: End, heard: string | undefined): void {
    const by = this.#said.get(heard ?? '')?.by
    const [parent] = this.parentOf(heard)
    const isThere = [...(by?.memory?.outbox.values() ?? [])].some(({ id }) => id === parent)
    if (isThere && !by?.wasRestored) this.#fault(`${end.name} reports as lost what is still there: ${parent}`)
  }

  checkTaking(end: End, { taken, lost }: Memory, id: string): void {
    this.count('taken')
    const said = this.#said.get(id)
    if (!said || said.by === end) {
      this.#fault(`${end.name} takes what nobody has said to it: ${id}`)
      return
    }
    if (taken.has(id)) this.#fault(`${end.name} takes a message twice: ${id}`)
    const { parent } = said
    if (parent !== undefined && !taken.has(parent) && !lost.has(parent))
      this.#fault(`${end.name} takes ${id} and neither had ${parent} before it nor reports that as lost`)
  }

  checkStep(end: End, before: Memory, effects: readonly ConnectionEffect[]): void {
    const { connection, outbox } = end.memory!
    const { phase, identity, prior, elders, peer } = connection
    if (identity) this.#owners.set(shortDid(identity.did), end)
    for (const effect of effects) {
      if (effect.kind === 'lose') this.count('lost')
      if (effect.kind === 'report' && effect.what === 'rotated') this.count('rotations')
    }
    const owner = peer && this.#owners.get(shortDid(peer.document.did))
    if (peer && !owner) this.#fault(`${end.name} is connected to somebody who is none of the ends`)
    const wasOver = before.connection.identity === undefined
    if (phase.state !== 'ending' && phase.state !== 'ended') {
      if (wasOver) this.#fault(`${end.name} was over and is ${phase.state} again`)
      return
    }
    if (phase.state === 'ended' && phase.by === 'them' && !wasOver && !owner?.hasLeft)
      this.#fault(`${end.name} is ended by an end that has never let go`)
    end.hasLeft = true
    if (identity || prior || elders.length > 0 || outbox.size > 0)
      this.#fault(`${end.name} is over and still has keys or unsent messages`)
    if (!wasOver && holdsSecret(end)) this.#fault(`${end.name} is over, and a private key is on its disk`)
  }

  // What becomes of them.

  #live(): void {
    const { skewMs, acts, paceMs, weights } = this.#scenario
    for (const end of this.#ends) end.skewMs = this.#weather.between([-skewMs, skewMs])
    const url = this.#invite()
    for (const end of this.#ends.slice(1)) {
      const atMs = this.#chance.below(this.#chance.pick([100, 100, 60_000, 20 * hourMs]))
      this.#acceptedMs = Math.max(this.#acceptedMs, atMs)
      this.after(atMs, () => this.#accept(end, url))
    }
    let atMs = this.#chance.between(paceMs)
    for (let made = 0; made < acts; made++) {
      this.#runUntil(atMs)
      this.#act(drawAct(this.#chance, weights))
      atMs = this.#nowMs + this.#chance.between(paceMs)
      if (this.#happens(this.#scenario.repeated)) this.#repeat()
      if (this.#happens(this.#scenario.forged)) this.#forge()
    }
    this.#runUntil(atMs)
  }

  #invite(): string {
    const { connection, url } = invite(
      { id: 'ann', endpoint: this.#inviter.endpoint, at: 'https://ann.example/' },
      this.#inviter.moment(),
    )
    this.#inviter.begin(connection, [])
    this.#owners.set(shortDid(connection.identity!.did), this.#inviter)
    return url
  }

  #accept(end: End, url: string): void {
    if (end.memory) return
    if (!end.isUp) end.start()
    const moment = end.moment()
    const invitation = readInvitation(url, Math.floor(moment.now / 1_000))
    if (isRefused(invitation)) {
      this.note(end, `can't accept: ${invitation.code}`)
      return
    }
    const { connection, effects } = accept({ id: end.name, invitation, endpoint: end.endpoint }, moment)
    this.note(end, 'accepts')
    this.#owners.set(shortDid(connection.identity!.did), end)
    end.begin(connection, effects)
  }

  #act(act: Act): void {
    const end = this.#chance.pick(this.#ends)
    const { memory } = end
    this.#trace.note(this.#nowMs, `— ${act} (${end.name})`)
    switch (act) {
      case 'say':
        end.say()
        break
      case 'burst':
        for (let words = 0; words < 8; words++) end.say()
        break
      case 'ping':
        end.step({ kind: 'ping' })
        break
      case 'rotate':
        end.step({ kind: 'rotate', endpoint: end.endpoint })
        break
      case 'both rotate':
        for (const each of this.#ends) each.step({ kind: 'rotate', endpoint: each.endpoint })
        break
      case 'let go':
        end.step({ kind: 'let-go', notify: true })
        break
      case 'let go silently':
        end.step({ kind: 'let-go', notify: false })
        break
      case 'both let go':
        for (const each of this.#ends) each.step({ kind: 'let-go', notify: true })
        break
      case 'block':
        end.step({ kind: 'block' })
        break
      case 'unblock':
        if (memory?.connection.blocked) end.step({ kind: 'unblock' })
        break
      case 'back up':
        end.backUp()
        break
      case 'restore':
        if (end.backups.length > 0) end.restore(this.#chance.pick(end.backups), 'resume')
        break
      case 'import':
        if (end.backups.length > 0) end.restore(this.#chance.pick(end.backups), 'imported')
        break
      case 'stop':
        end.stop(this.drawDownMs(), 'by chance')
        break
      case 'part':
        this.#part()
        break
      case 'set clock':
        end.skewMs = this.#chance.between([-this.#scenario.skewMs, this.#scenario.skewMs])
    }
  }

  /** One way or both. */
  #part(): void {
    const cuts = this.#chance.draw(
      this.#chance.between([1, 2]),
      this.#ends.slice(1).flatMap(({ name }) => [`ann ${name}`, `${name} ann`]),
    )
    for (const cut of cuts) this.#cuts.add(cut)
    this.after(this.drawDownMs(), () => {
      for (const cut of cuts) this.#cuts.delete(cut)
    })
  }

  #repeat(): void {
    const repeated = this.#forger.repeat()
    if (!repeated) return
    this.note(repeated.to, 'is sent something old again')
    repeated.to.receive(repeated.text)
  }

  #forge(): void {
    const victim = this.#chance.pick(this.#ends)
    const seconds = Math.floor((beginning + this.#nowMs) / 1_000)
    const forged = victim.memory && this.#forger.forge(victim.memory.connection, seconds)
    if (!forged) return
    const answer = victim.receive(forged)
    if (answer?.kind === 'delivered') this.#fault(`${victim.name} believes a forger`)
  }

  /** Nothing goes wrong any more, and everybody has something to say now and then. */
  #heal(): void {
    this.#isHealing = true
    this.#cuts.clear()
    this.#trace.note(this.#nowMs, '— all faults stop')
    for (const end of this.#ends) {
      end.start()
      if (end.memory?.connection.blocked) end.step({ kind: 'unblock' })
    }
    this.#runUntil(Math.max(this.#nowMs, this.#acceptedMs))
    let hours = 0
    while (this.#disagreements().length > 0 && hours++ < this.#patience()) this.#passHour()
    for (let quiet = 0; quiet < 3; quiet++) this.#passHour()
    this.#judge()
  }

  #passHour(): void {
    this.#runUntil(this.#nowMs + hourMs)
    for (const end of this.#ends)
      if (end.memory?.connection.phase.state === 'active') end.step({ kind: 'ping' })
    this.#runUntil(this.#nowMs + 1_000)
  }

  #patience(): number {
    const isUnsure = this.#ends.some(({ memory }) =>
      ['invited', 'requested'].includes(memory?.connection.phase.state ?? ''),
    )
    return isUnsure ? givingUpHours : healingHours
  }

  #judge(): void {
    const disagreements = this.#disagreements()
    if (disagreements.length === 0) {
      this.count(stateOf(this.#inviter) === 'active' ? 'active' : 'ended')
    } else if (this.#ends.some(({ isFenced }) => isFenced)) {
      this.count('apart')
      for (const end of this.#ends)
        if (!isOver(end) && !showsTrouble(end)) this.#fault(`apart, and ${end.name} shows no trouble`)
    } else for (const disagreement of disagreements) this.#fault(disagreement)
    for (const end of this.#ends)
      if (isOver(end) && holdsSecret(end))
        this.#fault(`${end.name} has ended, and a private key is on its disk`)
  }

  /** In what the views contradict each other. */
  #disagreements(): readonly string[] {
    const ann = this.#inviter
    const { peer } = ann.memory!.connection
    const partner = peer && this.#owners.get(shortDid(peer.document.did))
    const found: string[] = []
    for (const end of this.#ends.slice(1)) {
      if (end === partner) continue
      if (end.memory && !isOver(end)) found.push(`${end.name} is ${stateOf(end)} with nobody`)
    }
    const [one, other] = [stateOf(ann), partner ? stateOf(partner) : 'ended']
    if (one === 'ended' && other === 'ended') return found
    if (one !== 'active' || other !== 'active') return [...found, `ann is ${one}, the other end ${other}`]
    return [...found, ...this.#undelivered(ann, partner!), ...this.#undelivered(partner!, ann)]
  }

  #undelivered(from: End, to: End): readonly string[] {
    const { connection, said } = from.memory!
    const { taken, lost } = to.memory!
    const { last, acknowledged } = connection.outgoing
    if (acknowledged !== last)
      return [`${from.name} has said ${last}, of which ${acknowledged} are acknowledged`]
    let isLost = false
    for (let id = said; id !== undefined; id = this.#said.get(id)!.parent) {
      if (taken.has(id)) isLost = false
      else if (lost.has(id)) isLost = true
      else if (!isLost) return [`${to.name} has neither taken ${id} nor reports it as lost`]
    }
    return []
  }

  #runUntil(endMs: number): void {
    for (;;) {
      const next = this.#events.items[0]
      if (next === undefined || next.atMs > endMs) break
      this.#events.removeAt(0)
      if (!next.action) continue
      this.#nowMs = next.atMs
      if (this.#made > maxEvents) throw new Error('they never stop talking')
      next.action()
    }
    this.#nowMs = Math.max(this.#nowMs, endMs)
  }

  #isCut(from: End, to: End): boolean {
    return this.#cuts.has(`${from.name} ${to.name}`)
  }

  #happens(percent: number): boolean {
    return !this.#isHealing && percent > 0 && this.#weather.percent(percent)
  }

  #fault(what: string): void {
    this.#faults.push(what)
    this.#trace.note(this.#nowMs, `FAULT ${what}`)
  }
}

const stateOf = (end: End): string => end.memory?.connection.phase.state ?? 'ended'

const isOver = (end: End): boolean => end.memory?.connection.identity === undefined

const showsTrouble = ({ memory }: End): boolean => {
  const { trouble, reachable, phase } = memory!.connection
  return trouble !== undefined || reachable === false || phase.state === 'invited'
}

const holdsSecret = ({ memory, secrets }: End): boolean => {
  const { connection, outbox } = memory ?? {}
  if (!connection) return false
  const disk = JSON.stringify([encodeConnection(connection), ...(outbox ?? [])])
  return [...secrets].some((secret) => disk.includes(secret))
}
