/**
 * A world: machines with whole nodes on them, on virtual time, with everything drawn from one seed.
 *
 * First comes a bad time, in phases of changing weather; then the world heals, and everybody honest has to make
 * new blocks within a bounded number of rounds. Safety is watched all along.
 */
import { proposersOf } from '../../src/consensus/proposer.ts'
import { networkOf } from '../../src/ledger/genesis.ts'
import type { PeerMessage } from '../../src/messages/peer-message.ts'
import type { Chain } from '../../src/node/chain.ts'
import type { Node } from '../../src/node/node.ts'
import type { Genesis } from '../../src/objects/genesis.ts'
import type { Operation } from '../../src/objects/operation.ts'
import { defaultParameters } from '../../src/objects/parameters.ts'
import { validatorSet } from '../../src/objects/validators.ts'
import type { ConsensusMessage } from '../../src/objects/vote.ts'
import {
  type Address,
  type Amount,
  amount,
  height as asHeight,
  round as asRound,
  type BlockHash,
  type Height,
  type UnixMs,
  unixMs,
} from '../../src/units.ts'
import { type Fault, faultKinds } from '../faults/faulty-driver.ts'
import { Chance, type Span } from './chance.ts'
import { Client } from './client.ts'
import { Interference, isConsensus, said } from './interference.ts'
import type { Keyring } from './keys.ts'
import { forgeryMs, Liar, type Lie, lies } from './liar.ts'
import { Machine, urlOf, type Watch } from './machine.ts'
import { type Host, SimulatedNetwork } from './network.ts'
import { PartitionPlans } from './partition-plans.ts'
import type { Part, Scenario } from './scenario.ts'
import { short, Trace } from './trace.ts'
import { beginning, VirtualTime } from './virtual-time.ts'
import { Watchdog } from './watchdog.ts'
import { honestErrorMs, Weather } from './weather.ts'

const second = 1_000
const day = 86_400 * second
/** Blocks that everybody honest has to have made after the healing. */
const freshBlocks = 2
/**
 * Rounds that a height may take beyond those that it has had when the world heals, in walks of its proposers.
 *
 * In the first one whoever proposes honestly learns of every lock, since a polka is repeated on ticks until all have
 * it; in the second one an honest proposer's block suits every lock, whatever the liars among the proposers withhold.
 */
const recoveryWalks = 2
/** Without a word no rounds pass, so time is bounded as well: two walks with most timeouts at their cap. */
const recoveryMs = 400 * second
/** A long seed that doesn't come to its goal within this, after its phases, is stuck. */
const staleMs = 400 * second
/** So that unbonded stake is released, and blocks without transactions are made. */
const shortPeriods = {
  trustingPeriodMs: 30 * second,
  unbondingPeriodMs: 31 * second,
  heartbeatMs: 10 * second,
}
/** Blocks after which a calm phase ends. */
const calmBlocks = 4
/** Writes of a machine's life among which one may be its last. */
const maxFatalWrite = 60
/** Names that are tried for a network whose proposers come in a certain order. */
const maxNames = 20
const unit = 10n ** 9n

export interface Outcome {
  readonly seed: number
  readonly kind: Scenario['kind']
  /** What went wrong, first thing first; empty when all is well. */
  readonly faults: readonly string[]
  /** Hash over all that happened. */
  readonly digest: string
  /** What it was like, for those who judge whether seeds are hard. */
  readonly figures: Figures
  /** To read: the end of it, or all. */
  readonly trace: string
}

export interface Figures {
  readonly heights: number
  /** Highest round that was reached. */
  readonly rounds: number
  readonly crashes: number
  readonly liars: number
  readonly transactions: number
  readonly frames: number
  readonly simulatedMs: number
}

/** @param onSaid - told each proposal and vote that leaves a machine, whoever has signed it */
export const simulate = (
  scenario: Scenario,
  keyring: Keyring,
  keepsTrace = false,
  onSaid: (message: ConsensusMessage) => void = () => undefined,
): Promise<Outcome> => new World(scenario, keyring, keepsTrace, onSaid).run()

class World {
  readonly #scenario: Scenario
  readonly #keyring: Keyring
  readonly #onSaid: (message: ConsensusMessage) => void
  readonly #chance: Chance
  readonly #trace: Trace
  readonly #time = new VirtualTime()
  readonly #watchdog = new Watchdog()
  readonly #network: SimulatedNetwork
  readonly #interference: Interference
  readonly #plans: PartitionPlans
  readonly #genesis: Genesis
  readonly #machines: readonly Machine[]
  readonly #weather: Weather
  readonly #liars = new Map<string, Liar>()
  readonly #clients: readonly Client[]
  /** What honest validators have bonded in the genesis and not wanted back since. */
  readonly #sureStakes: Map<string, number>
  #isHealed = false
  #isCalm = false
  #crashes = 0
  #transactions = 0

  constructor(
    scenario: Scenario,
    keyring: Keyring,
    keepsTrace: boolean,
    onSaid: (message: ConsensusMessage) => void,
  ) {
    this.#onSaid = onSaid
    this.#scenario = scenario
    this.#keyring = keyring
    this.#chance = new Chance(`${scenario.kind} ${scenario.seed}`)
    this.#trace = new Trace(keepsTrace)
    this.#interference = new Interference({
      chance: this.#chance.fork('losses'),
      onLeaving: (from, _, messages) => this.#onLeaving(from, messages),
      lie: (from, to, messages) => this.#lie(from, to, messages),
      isCut: (from, to, message) => this.#isCut(from, to, message),
      note: (what) => this.#note(what),
    })
    this.#network = new SimulatedNetwork(
      this.#time,
      this.#chance.fork('network'),
      this.#interference.interfere,
    )
    this.#genesis = this.#makeGenesis()
    this.#machines = this.#makeMachines()
    this.#plans = new PartitionPlans(this.#time, this.#chance.fork('plans'), this.#cast())
    this.#weather = new Weather({
      time: this.#time,
      chance: this.#chance.fork('weather'),
      network: this.#network,
      interference: this.#interference,
      machines: this.#machines,
      phaseMs: scenario.phaseMs,
      note: (what) => this.#note(what),
    })
    this.#sureStakes = new Map(
      scenario.parts.flatMap(({ name, role, stake }) => (role === 'honest' ? [[name, stake]] : [])),
    )
    this.#clients = this.#makeClients()
  }

  async run(): Promise<Outcome> {
    try {
      await this.#suffer()
      await this.#recover()
      if (this.#watchdog.faults.length === 0) await this.#checkLedgers()
    } catch (error) {
      this.#watchdog.blame(describeError(error))
    }
    const { kind, seed } = this.#scenario
    return {
      kind,
      seed,
      faults: this.#watchdog.faults,
      digest: this.#trace.digest(),
      figures: this.#figures(),
      trace: this.#trace.text(),
    }
  }

  // The course of it.

  async #suffer(): Promise<void> {
    const { phases, goal, side } = this.#scenario
    if (side) this.#weather.split(new Set(side))
    for (const machine of this.#machines) machine.start(this.#drawFault())
    for (const client of this.#clients) this.#keepRunning(client)
    for (let phase = 0; phase < phases && !this.#isOver(goal); phase++) await this.#pass(goal)
    if (!Number.isFinite(goal)) return
    const isReached = await this.#time.runUntil(() => this.#isOver(goal), this.#time.nowMs + staleMs)
    if (!isReached) this.#watchdog.blame(`no more than ${this.#watchdog.highest} heights of ${goal} are made`)
  }

  /** A phase. */
  async #pass(goal: number): Promise<void> {
    const { phaseMs, isGentle, calmPercent } = this.#scenario
    const isCalm = this.#chance.percent(calmPercent)
    this.#isCalm = isCalm
    if (isCalm) this.#weather.clear()
    else if (!isGentle) this.#weather.change()
    const enough = isCalm ? Math.min(goal, this.#watchdog.highest + calmBlocks) : goal
    await this.#time.runUntil(() => this.#isOver(enough), this.#time.nowMs + phaseMs)
  }

  async #recover(): Promise<void> {
    this.#note('the world heals')
    this.#isHealed = true
    this.#weather.clear()
    const { parts, joiners } = this.#scenario
    this.#watchdog.limitRounds(recoveryWalks * (parts.length + joiners.length))
    if (this.#scenario.losesLiars) this.#loseLiars()
    for (const machine of this.#machines) if (!machine.isRunning && !this.#isLost(machine)) machine.start()
    const from = this.#watchdog.highest
    const goal = asHeight(from + freshBlocks)
    const endMs = this.#time.nowMs + recoveryMs
    const lives = await this.#time.runUntil(() => this.#hasFault() || this.#allReach(goal), endMs)
    if (!lives) this.#blameSlow(goal)
  }

  /** Those who lied are never heard of again: what the honest have must be enough to go on. */
  #loseLiars(): void {
    for (const machine of this.#machines) if (this.#isLost(machine)) machine.crash()
  }

  #isLost({ parts }: Machine): boolean {
    return this.#isHealed && this.#scenario.losesLiars && parts.isLiar
  }

  #isOver(goal: number): boolean {
    return this.#hasFault() || this.#watchdog.highest >= goal
  }

  #hasFault(): boolean {
    return this.#watchdog.faults.length > 0
  }

  #allReach(goal: Height): boolean {
    return this.#honest().every(({ chain }) => chain !== undefined && chain.head.height >= goal)
  }

  #blameSlow(goal: Height): void {
    for (const { name, chain } of this.#honest()) {
      if (chain === undefined) this.#watchdog.blame(`${name} does not start again`)
      else if (chain.head.height < goal)
        this.#watchdog.blame(`${name} is at height ${chain.head.height} and not at ${goal} after the healing`)
    }
  }

  async #checkLedgers(): Promise<void> {
    const chains = this.#honest().flatMap(({ chain }) => chain ?? [])
    const longest = chains.reduce((one, other) => (other.head.height > one.head.height ? other : one))
    for (const { head } of chains)
      if (this.#watchdog.agreedAt(head.height) !== head.hash)
        this.#watchdog.blame('a head is not what was agreed on')
    const liars = new Set(
      this.#machines.filter(({ parts }) => parts.isLiar).map(({ parts }) => parts.signer.address),
    )
    await this.#watchdog.checkLedger(longest, chains, this.#keyring.verifier, liars)
  }

  // The cast.

  #makeGenesis(): Genesis {
    const { parts, joiners, clients } = this.#scenario
    const validators = parts
      .map(({ name, stake }) => ({ address: this.#addressOf(name), stake: amount(BigInt(stake) * unit) }))
      .sort(byAddress)
    const holders = [...parts, ...joiners].map(({ name }) => name)
    const names = [...holders, ...Array.from({ length: clients }, (_, at) => `client ${at}`)]
    const accounts = names
      .map((name) => ({ address: this.#addressOf(name), balance: amount(1_000n * unit) }))
      .sort(byAddress)
    const time = unixMs(beginning - day)
    const parameters = this.#scenario.hasShortPeriods
      ? { ...defaultParameters, ...shortPeriods }
      : defaultParameters
    return this.#named({ name: 'simulated', time, parameters, accounts, validators })
  }

  /** The name is a part of the network's id, which the order of the proposers hangs on. */
  #named(genesis: Genesis): Genesis {
    const { opening } = this.#scenario
    if (!opening) return genesis
    const set = validatorSet(genesis.validators)
    const meant = this.#addressOf(opening.name)
    for (let attempt = 0; attempt < maxNames; attempt++) {
      const named = { ...genesis, name: `simulated ${attempt}` }
      const proposerOf = proposersOf(networkOf(named), asHeight(1), set)
      if (proposerOf(asRound(opening.round)) === meant) return named
    }
    return genesis
  }

  #makeMachines(): readonly Machine[] {
    const { parts, joiners } = this.#scenario
    const all = [...parts, ...joiners]
    const twins = parts.filter(({ role }) => role === 'twin').map((part) => ({ part, name: `${part.name}'` }))
    const urls = [...all.map(({ name }) => name), ...twins.map(({ name }) => name)].map(urlOf)
    return [
      ...all.map((part) => this.#makeMachine(part, part.name, urls)),
      ...twins.map(({ part, name }) => this.#makeMachine(part, name, urls)),
    ]
  }

  #makeMachine(part: Part, name: string, urls: readonly string[]): Machine {
    const signer = this.#keyring.signer(part.name)
    const isSkewed = part.role === 'skewed'
    const machine = new Machine({
      name,
      signer,
      verifier: this.#keyring.verifier,
      genesis: this.#genesis,
      peers: urls.filter((url) => url !== urlOf(name)),
      isLiar: part.role !== 'honest' && !isSkewed,
      isSkewed,
      isForgetful: part.role === 'forgetful',
      hasBatches: part.hasBatches,
      durability: part.durability,
      time: this.#time,
      network: this.#network,
      chance: this.#chance.fork(name),
      watch: this.#watch(),
      retell: (request, answer) => this.#liars.get(name)?.retell(request, answer) ?? answer,
    })
    if (isLie(part.role)) {
      const chance = this.#chance.fork(`lies of ${name}`)
      const onInvalid = (block: BlockHash): void => this.#watchdog.forbid(block)
      const isQuorum = (height: number, voters: ReadonlySet<Address>) => this.#isQuorum(height, voters)
      this.#liars.set(name, new Liar({ lie: part.role, signer, chance, onInvalid, isQuorum }))
    }
    return machine
  }

  #cast() {
    const voters = this.#machines.filter(({ name }) => !name.startsWith('j'))
    const names = new Map<Address, string[]>()
    for (const { name, parts } of this.#machines) {
      const { address } = parts.signer
      names.set(address, [...(names.get(address) ?? []), name])
    }
    const machinesOf = (key: Address): readonly string[] => names.get(key) ?? []
    return {
      voters: voters.map(({ name }) => name),
      machinesOf,
      proposersOf: (height: number, round: number) => {
        const chain = this.#chainBefore(height)
        if (!chain) return []
        return machinesOf(proposersOf(chain.network, asHeight(height), chain.head.validators)(asRound(round)))
      },
    }
  }

  /** Of somebody who decides on this height now. */
  #chainBefore(height: number): Chain | undefined {
    return this.#machines.find(({ chain }) => chain?.head.height === height - 1)?.chain
  }

  #isQuorum(height: number, voters: ReadonlySet<Address>): boolean {
    const validators = this.#chainBefore(height)?.head.validators
    if (!validators) return false
    const stake = [...voters].reduce((sum, voter) => sum + (validators.stakes.get(voter) ?? 0n), 0n)
    return 3n * stake > 2n * validators.total
  }

  #honest(): readonly Machine[] {
    return this.#machines.filter(({ parts }) => !parts.isLiar)
  }

  #addressOf(name: string): Address {
    return this.#keyring.signer(name).address
  }

  // Clients.

  #makeClients(): readonly Client[] {
    const { clients, parts, joiners, changesStake } = this.#scenario
    const payers = Array.from({ length: clients }, (_, at) => this.#makeClient(`client ${at}`, [0, 1_200]))
    if (!changesStake) return payers
    const stakers = [...parts, ...joiners].filter(({ role }) => role === 'honest')
    return [...payers, ...stakers.map((part) => this.#makeClient(part.name, [1_000, 15_000], part))]
  }

  /** @param staker - whose stake it changes; without, it pays */
  #makeClient(name: string, pauseMs: Span, staker?: Part): Client {
    const chance = this.#chance.fork(`operations of ${name}`)
    return new Client({
      signer: this.#keyring.signer(name),
      time: this.#time,
      chance,
      pauseMs,
      findNode: () => this.#findNode(chance),
      nextOperations: () => (staker ? this.#drawStakeChange(chance, staker) : this.#drawPayment(chance)),
      onFinal: (final) => {
        this.#transactions++
        this.#watchdog.acknowledged(final)
      },
    })
  }

  #keepRunning(client: Client): void {
    client.run().catch((error: unknown) => this.#watchdog.blame(`a client fails: ${describeError(error)}`))
  }

  #findNode(chance: Chance): Node | undefined {
    const running = this.#honest().flatMap(({ node }) => node ?? [])
    return running.length > 0 ? chance.pick(running) : undefined
  }

  #drawPayment(chance: Chance): readonly Operation[] {
    const to = this.#addressOf(`client ${chance.below(5)}`)
    const transfer: Operation = { type: 'transfer', to, amount: String(1 + chance.below(1_000)) as Amount }
    return chance.percent(10) ? [{ type: 'anchor', data: 'a receipt' }, transfer] : [transfer]
  }

  #drawStakeChange(chance: Chance, { name }: Part): readonly Operation[] {
    const stake = this.#sureStakes.get(name) ?? 0
    const taken = chance.percent(40) ? stake : Math.floor(stake / 2)
    if (stake === 0 || chance.percent(50) || !this.#canSpare(taken))
      return [{ type: 'stake.bond', amount: amount(BigInt(chance.between([1, 10])) * unit) }]
    this.#sureStakes.set(name, stake - taken)
    return [{ type: 'stake.unbond', amount: amount(BigInt(taken) * unit) }]
  }

  /** Without it still less than a third of the stake is faulty, even if nothing that was bonded counts. */
  #canSpare(taken: number): boolean {
    const { parts } = this.#scenario
    const faulty = parts.reduce((sum, { role, stake }) => (role === 'honest' ? sum : sum + stake), 0)
    const honest = [...this.#sureStakes.values()].reduce((sum, stake) => sum + stake, 0)
    return taken > 0 && faulty * 3 < honest - taken + faulty
  }

  // What happens to machines.

  #watch(): Watch {
    return {
      note: (machine, what) => this.#note(`${machine.name} ${what}`),
      onHead: (machine, height, hash) => this.#onHead(machine, height, hash),
      onHalt: (machine, error) => {
        this.#note(`${machine.name} halts: ${describeError(error)}`)
        if (!machine.parts.isLiar) this.#watchdog.blame(`${machine.name} halts: ${describeError(error)}`)
      },
      onCrash: (machine) => {
        this.#crashes++
        const downMs = this.#isHealed ? 1 : this.#chance.between([50, 2_500])
        this.#time.after(downMs, () => {
          if (!machine.isRunning && !this.#isLost(machine)) machine.start(this.#drawFault())
        })
      },
    }
  }

  #drawFault(): Fault | undefined {
    if (!this.#chance.percent(this.#weather.faultPercent)) return undefined
    return { kind: this.#chance.pick(faultKinds), atWrite: 1 + this.#chance.below(maxFatalWrite) }
  }

  #onHead(machine: Machine, height: Height, hash: BlockHash): void {
    this.#note(`${machine.name} has block ${height} ${short(hash)}`)
    if (machine.parts.isLiar || height === 0) return
    const isFirst = height > this.#watchdog.highest
    this.#watchdog.committed(machine.name, height, hash)
    if (isFirst) this.#loseWitness(machine)
  }

  /** Who was the first to see a decision is gone before it can tell of it. */
  #loseWitness(machine: Machine): void {
    if (this.#isHealed || this.#isCalm || !this.#chance.percent(this.#scenario.lostWitnessPercent)) return
    this.#note(`${machine.name} alone knows of it, and dies`)
    this.#time.after(0, () => machine.crash())
  }

  /** @returns whether the machine lives to send it */
  #onLeaving(from: Host, messages: readonly PeerMessage[]): boolean {
    const machine = this.#machines.find(({ name }) => name === from.name)!
    const own = messages
      .filter(isConsensus)
      .map(said)
      .filter(({ validator }) => validator === machine.parts.signer.address)
    if (own.length === 0) return true
    for (const message of messages)
      if (message.kind === 'proposal')
        this.#watchdog.proposed(message.proposal.block, message.block.header.time)
    if (!machine.parts.isLiar)
      for (const message of own) this.#watchdog.said(message, timelyAt(machine, message))
    const isLocking = own.some(({ kind, block }) => kind === 'precommit' && block !== undefined)
    if (!this.#chance.percent(this.#weather.crashPercent * (isLocking ? 4 : 1))) return true
    const isSent = this.#chance.percent(50)
    this.#note(`${from.name} dies ${isSent ? 'after' : 'before'} this`)
    if (isSent) this.#time.after(0, () => machine.crash())
    else machine.crash()
    return isSent
  }

  #lie(from: Host, to: Host, messages: readonly PeerMessage[]): readonly PeerMessage[] {
    const listener = this.#liars.get(to.name)
    if (listener) for (const message of messages) listener.hear(message)
    const spoken = this.#liars.get(from.name)?.speak(to.name, messages) ?? messages
    for (const message of spoken.filter(isConsensus)) this.#onSaid(said(message))
    return spoken.filter((message) => !this.#isOwnEcho(to, message))
  }

  /** A faulty node doesn't mind what its own key has said elsewhere: by its code it would fall silent. */
  #isOwnEcho(to: Host, message: PeerMessage): boolean {
    const { parts } = this.#machines.find(({ name }) => name === to.name)!
    return parts.isLiar && isConsensus(message) && said(message).validator === parts.signer.address
  }

  #isCut(from: Host, to: Host, message: ConsensusMessage): boolean {
    const isQuiet = this.#isHealed || this.#isCalm
    return this.#scenario.hasPlans && !isQuiet && this.#plans.isCut(from.name, to.name, message)
  }

  #note(what: string): void {
    this.#trace.note(this.#time.nowMs, what)
  }

  #figures(): Figures {
    return {
      heights: this.#watchdog.highest,
      rounds: Math.max(0, ...this.#watchdog.rounds.values()),
      crashes: this.#crashes,
      liars: this.#machines.filter(({ parts }) => parts.isLiar).length,
      transactions: this.#transactions,
      frames: this.#network.frames,
      simulatedMs: this.#time.nowMs,
    }
  }
}

const isLie = (role: string): role is Lie => (lies as readonly string[]).includes(role)

const byAddress = (one: { address: Address }, other: { address: Address }): number =>
  one.address < other.address ? -1 : 1

/** With an hour to spare for what came late or lay on a slow disk; ahead of the clock nothing is ever in time. */
const timelyAt =
  ({ clock, parts }: Machine, { round }: ConsensusMessage) =>
  (time: UnixMs): boolean => {
    const { clockPrecisionMs, messageDelayMs } = parts.genesis.parameters
    const nowMs = beginning + parts.time.nowMs + clock.offsetMs
    const patienceMs = clockPrecisionMs + messageDelayMs * (round + 1) + forgeryMs / 2
    return (
      parts.isSkewed || (time <= nowMs + clockPrecisionMs + 2 * honestErrorMs && time >= nowMs - patienceMs)
    )
  }

const describeError = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error)
