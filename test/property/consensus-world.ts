/**
 * A small world for consensus machines: one height, a few nodes, virtual time, everything drawn from one seed.
 *
 * First comes a bad time. Each round's proposals, prevotes and precommits have a partition of their own, since
 * what breaks a protocol is that some see a step completed and others don't; delays and losses change by the
 * second; nodes crash before or after their record is written; liars (one key on two machines, forgetting their
 * record when they crash) take part. Then the world heals, and all honest nodes have to decide. Safety is
 * checked at every step.
 *
 * Liars hold less than a third of the stake. Where they hold more (`areMany`), two sides may hear nothing of one
 * another all the bad time, with a machine of each liar on either; or each liar is one machine that forgets
 * its lock as soon as it has one, and nothing else. A fork ends that world.
 */
import { canonicalize, parseCanonical } from '../../src/codec/json.ts'
import { Consensus } from '../../src/consensus/consensus.ts'
import type { Effect } from '../../src/consensus/effect.ts'
import type { Input } from '../../src/consensus/input.ts'
import { type ProposerOf, proposersOf } from '../../src/consensus/proposer.ts'
import type { SignState } from '../../src/consensus/sign-state.ts'
import { hashObject } from '../../src/crypto/hash.ts'
import { isQuorum, type ValidatorSet } from '../../src/objects/validators.ts'
import { type Verified, verified } from '../../src/objects/verified.ts'
import {
  type Certificate,
  type ConsensusMessage,
  messageSigningText,
  precommitsOf,
} from '../../src/objects/vote.ts'
import { type Address, round as asRound, type BlockHash, type Round } from '../../src/units.ts'
import { brief, hear, height, network, setOf, sign, signatureOf } from '../unit/consensus/actor.ts'

const phases = 8
const phaseMs = 2_000
const healedAtMs = phases * phaseMs
/** Rounds that fail are at their timeout's cap, and the only node with something to propose may be the last. */
const endMs = healedAtMs + 400_000
const repeatMs = 800

export interface Outcome {
  /** What went wrong, first thing first; empty when all is well. */
  readonly faults: readonly string[]
  /** Hash over all that happened. */
  readonly digest: string
  readonly trace: readonly string[]
  /** Highest round that was begun. */
  readonly rounds: number
  readonly accused: ReadonlySet<Address>
  readonly liars: ReadonlySet<Address>
  readonly crashes: number
  readonly validators: ValidatorSet
  /** All that was said, by whomever, with what is in certificates. */
  readonly messages: readonly Verified<ConsensusMessage>[]
  /** Honest nodes have decided two blocks. */
  readonly isForked: boolean
}

type Random = (limit: number) => number

/** Mulberry32: 32 bits of state, enough to tell seeds apart. */
const randomFrom = (seed: number): Random => {
  let state = seed
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

interface Node {
  readonly name: string
  readonly key: Address
  readonly isLiar: boolean
  readonly observes: boolean
  readonly hasPending: boolean
  machine: Consensus | undefined
  record: SignState | undefined
  /** Counts restarts and cancelled timers: what was scheduled before doesn't happen. */
  life: number
  timers: number
  decided: Certificate | undefined
  /** When each other node was last answered. */
  readonly answeredMs: Map<Node, number>
}

interface Weather {
  readonly delayMs: number
  readonly lossPercent: number
  readonly repeatPercent: number
  readonly crashPercent: number
  readonly latePercent: number
}

/** Whether a link carries nothing in this direction. */
type Cut = (from: Node, to: Node) => boolean
/** The links that are cut for each kind of message of one round. */
type Plan = Readonly<Record<ConsensusMessage['kind'], Cut>>

const never: Cut = () => false

const calm: Weather = {
  delayMs: 40,
  lossPercent: 0,
  repeatPercent: 0,
  crashPercent: 0,
  latePercent: 0,
}

export const simulate = (seed: number, { areMany = false } = {}): Outcome => new World(seed, areMany).run()

class World {
  readonly #random: Random
  readonly #validators: ValidatorSet
  readonly #proposerOf: ProposerOf
  readonly #nodes: readonly Node[]
  readonly #agenda = new Map<number, (() => void)[]>()
  readonly #liars: ReadonlySet<Address>
  readonly #accused = new Set<Address>()
  /** What each honest key has said in each place. */
  readonly #honest = new Map<string, string>()
  readonly #faults: string[] = []
  readonly #trace: string[] = []
  readonly #plans = new Map<Round, Plan>()
  readonly #areDecisionsHidden: boolean
  /** Only partitions trouble this world. */
  readonly #isGentle: boolean
  /** Liars hold a third or more. */
  readonly #areMany: boolean
  /** Liars are single machines that lose their locks. */
  readonly #areForgetful: boolean
  /** One of two sides that are cut off from one another in every round; empty where there are none. */
  readonly #side: ReadonlySet<Node>
  readonly #messages: Verified<ConsensusMessage>[] = []
  #isForked = false
  #weather = calm
  #nowMs = 0
  #rounds = 0
  #crashes = 0
  #agreed: BlockHash | undefined

  constructor(seed: number, areMany: boolean) {
    this.#random = randomFrom(seed)
    this.#areMany = areMany
    this.#areForgetful = areMany && this.#chance(50)
    const count = [4, 4, 4, 5, 6, 7][this.#random(6)]!
    this.#areDecisionsHidden = this.#random(4) > 0
    this.#isGentle = this.#random(3) === 0
    const isEven = this.#random(3) > 0
    this.#validators = setOf(...Array.from({ length: count }, () => (isEven ? 1 : 1 + this.#random(6))))
    this.#proposerOf = proposersOf(network, height, this.#validators)
    this.#liars = this.#chooseLiars()
    this.#nodes = this.#populate()
    this.#side = areMany && !this.#areForgetful && this.#chance(60) ? this.#drawSide() : new Set()
  }

  run(): Outcome {
    for (const node of this.#nodes) this.#start(node)
    for (let phase = 0; phase < phases; phase++) this.#at(phase * phaseMs, () => this.#change())
    this.#at(healedAtMs, () => {
      this.#weather = calm
    })
    for (; this.#nowMs < endMs && !this.#isOver(); this.#nowMs++) this.#passMoment()
    for (const node of this.#nodes) {
      if (!node.isLiar && node.decided === undefined) this.#faults.push(`${node.name} does not decide`)
    }
    return {
      faults: this.#faults,
      digest: hashObject('evidence', this.#trace),
      trace: this.#trace,
      rounds: this.#rounds,
      accused: this.#accused,
      liars: this.#liars,
      crashes: this.#crashes,
      validators: this.#validators,
      messages: this.#messages,
      isForked: this.#isForked,
    }
  }

  // The cast.

  #chooseLiars(): ReadonlySet<Address> {
    return this.#areMany ? this.#chooseManyLiars() : this.#chooseFewLiars()
  }

  /** A third of the stake or more, but not all of it. */
  #chooseManyLiars(): ReadonlySet<Address> {
    const liars = new Set<Address>()
    const { list, stakes, total } = this.#validators
    let stake = 0n
    while (stake * 3n < total && liars.size < list.length - 2) {
      const { address } = this.#pick(list)
      if (!liars.has(address)) stake += stakes.get(address)!
      liars.add(address)
    }
    return liars
  }

  /** Less than a third of the stake. */
  #chooseFewLiars(): ReadonlySet<Address> {
    const liars = new Set<Address>()
    let stake = 0n
    if (this.#random(4) === 0) return liars
    for (const { address } of this.#validators.list) {
      const more = stake + this.#validators.stakes.get(address)!
      if (this.#random(2) === 0 || more * 3n >= this.#validators.total) continue
      stake = more
      liars.add(address)
    }
    return liars
  }

  #populate(): readonly Node[] {
    const keys = this.#validators.list.map(({ address }) => address)
    const twins = keys.filter((key) => this.#liars.has(key) && !this.#areForgetful)
    const honest = keys.filter((key) => !this.#liars.has(key))
    const chosen = honest[this.#random(honest.length)]
    const isScarce = this.#random(8) === 0
    const node = (key: Address, name: string, observes = false): Node => ({
      name,
      key,
      isLiar: this.#liars.has(key),
      observes,
      hasPending: key === chosen || (!isScarce && this.#random(4) > 0),
      machine: undefined,
      record: undefined,
      life: 0,
      timers: 0,
      decided: undefined,
      answeredMs: new Map(),
    })
    return [
      ...keys.map((key) => node(key, `v${keys.indexOf(key)}`)),
      ...twins.map((key) => node(key, `v${keys.indexOf(key)}'`)),
      ...(this.#random(3) === 0 ? [node(honest[0]!, 'observer', true)] : []),
    ]
  }

  /** One machine of each liar, and about half of the others. */
  #drawSide(): ReadonlySet<Node> {
    const side = this.#nodes.filter(({ isLiar, name }) => (isLiar ? name.endsWith("'") : this.#chance(50)))
    return new Set(side)
  }

  // Time and weather.

  #at(timeMs: number, action: () => void): void {
    const actions = this.#agenda.get(timeMs)
    if (actions) actions.push(action)
    else this.#agenda.set(timeMs, [action])
  }

  #passMoment(): void {
    for (const action of this.#agenda.get(this.#nowMs) ?? []) action()
    this.#agenda.delete(this.#nowMs)
  }

  #isOver(): boolean {
    return (
      this.#faults.length > 0 || this.#nodes.every(({ isLiar, decided }) => isLiar || decided !== undefined)
    )
  }

  #change(): void {
    if (this.#isGentle) return
    this.#weather = {
      delayMs: this.#pick([20, 20, 20, 20, 300, 1_500]),
      lossPercent: this.#pick([0, 0, 0, 0, 10, 40]),
      repeatPercent: this.#pick([0, 30]),
      crashPercent: this.#pick([0, 0, 3, 20]),
      latePercent: this.#pick([0, 0, 10, 30]),
    }
  }

  #isCut(from: Node, to: Node, input: Input): boolean {
    if (this.#nowMs >= healedAtMs) return false
    if (this.#side.size > 0) return this.#side.has(from) !== this.#side.has(to)
    if (!('message' in input)) return this.#areDecisionsHidden
    const { kind, round, validator } = input.message
    const plan = this.#plans.get(round) ?? this.#drawPlan(round)
    this.#plans.set(round, plan)
    // What doesn't arrive from its author doesn't arrive through others either.
    return plan[kind](from, to) || plan[kind](this.#nodes.find(({ key }) => key === validator)!, to)
  }

  #drawPlan(round: Round): Plan {
    if (this.#areForgetful && round === 0) return this.#planHiddenDecision(round)
    const style = this.#random(10)
    if (style < 3) return { proposal: never, prevote: never, precommit: never }
    if (style < 8) return this.#planHiddenDecision(round)
    return { proposal: this.#drawCut(), prevote: this.#drawCut(), precommit: this.#drawCut() }
  }

  /**
   * All but a few agree, and one of them may learn that they did. The few, among them who proposes next, hear
   * enough to go on, and not enough to know.
   */
  #planHiddenDecision(round: Round): Plan {
    const few = Math.floor((this.#validators.list.length - 1) / 3)
    const next = this.#nodes.find(({ key }) => key === this.#proposerOf(asRound(round + 1)))!
    const loners = new Set([next, ...this.#draw(few - 1, this.#nodes)])
    const others = this.#nodes.filter((node) => !loners.has(node))
    const honest = others.filter(({ isLiar }) => !isLiar)
    const one = this.#pick(this.#areForgetful && honest.length > 0 ? honest : others)
    const missed = new Map(
      this.#nodes.map((node) => [
        node,
        this.#draw(
          few,
          others.filter((other) => other !== node),
        ),
      ]),
    )
    return {
      proposal: (_, to) => loners.has(to),
      prevote: (from, to) => loners.has(to) && missed.get(to)!.has(from),
      precommit: (from, to) => to !== one && missed.get(to)!.has(from),
    }
  }

  #drawCut(): Cut {
    const one = this.#pick(this.#nodes)
    const group = new Set(this.#nodes.filter(() => this.#chance(50)))
    const unheard = new Map(this.#nodes.map((node) => [node, this.#pick(this.#nodes)]))
    return this.#pick<Cut>([
      never,
      (from, to) => group.has(from) !== group.has(to),
      (_, to) => group.has(to),
      (_, to) => to === one,
      (_, to) => to !== one,
      (from, to) => unheard.get(to) === from,
    ])
  }

  /** So many of them, each once. */
  #draw<Choice>(count: number, choices: readonly Choice[]): ReadonlySet<Choice> {
    const drawn = new Set<Choice>()
    while (drawn.size < Math.min(count, choices.length)) drawn.add(this.#pick(choices))
    return drawn
  }

  #pick<Choice>(choices: readonly Choice[]): Choice {
    return choices[this.#random(choices.length)]!
  }

  #chance(percent: number): boolean {
    return this.#random(100) < percent
  }

  // A node's life.

  #start(node: Node): void {
    const restored = node.record && (parseCanonical(canonicalize(node.record)) as unknown as SignState)
    node.machine = new Consensus({
      network,
      height,
      validators: this.#validators,
      ...(!node.observes && { self: node.key }),
      ...(restored && { restored }),
    })
    this.#note(`${node.name} starts${restored ? ` from round ${restored.round}, ${restored.step}` : ''}`)
    this.#give(node, { kind: 'pending', has: node.hasPending })
    this.#repeatLater(node)
  }

  #crash(node: Node): void {
    this.#crashes++
    this.#note(`${node.name} crashes`)
    node.machine = undefined
    node.life++
    if (node.isLiar && this.#areForgetful) node.record = node.record && withoutLock(node.record)
    else if (node.isLiar && this.#chance(50)) node.record = undefined
    this.#at(this.#nowMs + 1 + this.#random(700), () => this.#start(node))
  }

  #repeatLater(node: Node): void {
    this.#whileAlive(node, repeatMs / 2 + this.#random(repeatMs), (machine) => {
      if (node.decided !== undefined)
        this.#broadcast(node, { kind: 'certificate', certificate: verified(node.decided) })
      else if (machine.active) for (const message of machine.recent()) this.#broadcast(node, hear(message))
      this.#repeatLater(node)
    })
  }

  #whileAlive(node: Node, delayMs: number, action: (machine: Consensus) => void): void {
    const { life } = node
    this.#at(this.#nowMs + Math.max(1, delayMs), () => {
      if (node.life === life && node.machine !== undefined) action(node.machine)
    })
  }

  /** One chain of steps, then one write, then the messages leave: a crash fits in between. */
  #give(node: Node, input: Input): void {
    const machine = node.machine
    if (machine === undefined || node.decided !== undefined) return
    const messages: Verified<ConsensusMessage>[] = []
    const inputs = [input]
    let record = node.record
    for (let next = inputs.shift(); next !== undefined; next = inputs.shift()) {
      for (const effect of machine.step(next)) {
        if (effect.kind === 'sign') {
          const message = sign(effect.message)
          record = effect.state
          messages.push(message)
          inputs.push(hear(message))
        } else this.#follow(node, effect)
      }
    }
    if (messages.length === 0) return
    if (this.#chance(this.#weather.crashPercent)) {
      this.#crash(node)
      return
    }
    node.record = record
    // What is forgotten in a crash matters most right after a lock.
    const isLocking = messages.some(({ kind, block }) => kind === 'precommit' && block !== undefined)
    const isForgetting = this.#areForgetful && node.isLiar && record?.locked !== undefined
    const isLast = isForgetting || this.#chance(this.#weather.crashPercent * (isLocking ? 4 : 1))
    const isCutShort = isLast && this.#chance(50)
    const leaving = isCutShort ? messages.slice(0, this.#random(messages.length)) : messages
    for (const message of leaving) this.#publish(node, message)
    if (isLast) this.#crash(node)
  }

  #follow(node: Node, effect: Exclude<Effect, { kind: 'sign' }>): void {
    switch (effect.kind) {
      case 'round':
        this.#rounds = Math.max(this.#rounds, effect.round)
        break
      case 'propose': {
        const block = hashObject('block', `${node.name} ${effect.round} ${node.life}`) as BlockHash
        if (!node.hasPending) break
        this.#whileAlive(node, this.#random(30), () =>
          this.#give(node, { kind: 'value', round: effect.round, block }),
        )
        break
      }
      case 'schedule': {
        const { timers } = node
        this.#whileAlive(node, effect.delayMs, () => {
          if (node.timers === timers) this.#give(node, { kind: 'timeout', timeout: effect.timeout })
        })
        break
      }
      case 'cancel-timers':
        node.timers++
        break
      case 'decide':
        this.#decide(node, effect.certificate)
        break
      case 'accuse':
        this.#accused.add(effect.conflict[0].validator)
        break
      case 'foreign-signature':
        this.#faults.push(`${node.name} does not know its own ${brief(effect.message)}`)
    }
  }

  // The network.

  #publish(node: Node, message: Verified<ConsensusMessage>): void {
    this.#note(`${node.name} says ${brief(message)}`)
    this.#messages.push(message)
    if (!node.isLiar) this.#checkHonest(message)
    this.#broadcast(node, hear(message))
  }

  #broadcast(from: Node, input: Input): void {
    for (const to of this.#nodes) this.#send(from, to, input)
  }

  #send(from: Node, to: Node, input: Input): void {
    const { lossPercent, repeatPercent, delayMs } = this.#weather
    if (from === to || to.decided !== undefined || this.#isCut(from, to, input)) return
    // A liar's two machines don't talk: each takes itself for the only one.
    if (
      (input.kind === 'vote' || input.kind === 'proposal') &&
      to.isLiar &&
      input.message.validator === to.key
    )
      return
    for (let copies = this.#chance(repeatPercent) ? 2 : 1; copies > 0; copies--) {
      if (this.#chance(lossPercent)) continue
      this.#at(this.#nowMs + 1 + this.#random(delayMs), () => this.#arrive(from, to, input))
    }
  }

  #arrive(from: Node, to: Node, input: Input): void {
    if (to.machine === undefined) return
    const isBehind = 'message' in input && input.message.round < to.machine.round
    if (input.kind === 'proposal' && this.#chance(this.#weather.latePercent)) {
      this.#give(to, { ...input, timely: input.message.validator === to.key })
    } else this.#give(to, input)
    if (isBehind) this.#answer(to, from)
  }

  /** To one that is behind, what is worth repeating; not more often than on a timer. */
  #answer(node: Node, to: Node): void {
    if (node.machine === undefined || this.#nowMs < (node.answeredMs.get(to) ?? 0) + repeatMs) return
    node.answeredMs.set(to, this.#nowMs)
    for (const message of node.machine.recent()) this.#send(node, to, hear(message))
  }

  // What must hold.

  #checkHonest(message: ConsensusMessage): void {
    const place = `${message.validator} ${message.kind} ${message.round}`
    const text = messageSigningText(message)
    if ((this.#honest.get(place) ?? text) !== text)
      this.#faults.push(`an honest key contradicts itself: ${brief(message)}`)
    this.#honest.set(place, text)
  }

  #decide(node: Node, certificate: Certificate): void {
    this.#note(`${node.name} decides ${certificate.block.slice(0, 8)} of round ${certificate.round}`)
    node.decided = certificate
    this.#messages.push(...precommitsOf(network, certificate).map(verified))
    if (!this.#isProof(certificate)) this.#faults.push(`${node.name} decides without proof`)
    if (node.isLiar) return
    if (this.#agreed !== undefined && this.#agreed !== certificate.block) {
      this.#isForked = true
      this.#faults.push('two blocks are decided')
    }
    this.#agreed ??= certificate.block
  }

  #isProof({ round, block, precommits }: Certificate): boolean {
    const signers = precommits.map(({ validator }) => validator)
    const stake = signers.reduce((sum, key) => sum + this.#validators.stakes.get(key)!, 0n)
    const isSorted = signers.every((key, at) => at === 0 || signers[at - 1]! < key)
    const areSigned = precommits.every(
      ({ validator, signature }) =>
        signature === signatureOf({ kind: 'precommit', network, height, round, block, validator }),
    )
    return isSorted && areSigned && isQuorum(stake, this.#validators.total)
  }

  #note(event: string): void {
    this.#trace.push(`${this.#nowMs} ${event}`)
  }
}

const withoutLock = ({ locked: _locked, valid: _valid, ...rest }: SignState): SignState => rest
