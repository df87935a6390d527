import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Blame, blame } from '../../src/consensus/blame.ts'
import type { Input } from '../../src/consensus/input.ts'
import { holdsHonest } from '../../src/objects/validators.ts'
import type { Verified } from '../../src/objects/verified.ts'
import type { ConsensusMessage } from '../../src/objects/vote.ts'
import type { Address } from '../../src/units.ts'
import {
  Actor,
  height,
  network,
  only,
  pending,
  precommit,
  prevote,
  proposal,
  proposersIn,
  setOf,
  sign,
  timeout,
  value,
} from '../unit/consensus/actor.ts'
import { type Outcome, simulate } from './consensus-world.ts'

/** Four with equal stakes: three are a quorum. */
const validators = setOf(1, 1, 1, 1)
const all = validators.list.map(({ address }) => address)
const proposers = proposersIn(validators)

const lookInto = (messages: readonly Verified<ConsensusMessage>[]): Blame =>
  blame({ network, height, validators }, messages)
const namedBy = ({ findings }: Blame): readonly Address[] => findings.map(({ validator }) => validator)
const messageOf = (input: Input): Verified<ConsensusMessage> => {
  if (!('message' in input)) throw new Error('only proposals and votes are said')
  return input.message
}

const name = fc.constantFrom('A', 'B', 'C')
const nameOrNil = fc.option(name, { nil: undefined })
const offset = fc.integer({ min: -2, max: 2 })

const since = fc.option(offset, { nil: undefined })
const who = fc.nat(2)
const step = fc.constantFrom('propose' as const, 'prevote' as const, 'precommit' as const)
const kind = <Kind extends string>(of: Kind) => fc.constant(of)

/** What happens next to an honest machine. Rounds are counted from its own. */
const happening = fc.oneof(
  fc.record({ kind: kind('prevote'), who, offset, name: nameOrNil, since: offset }),
  fc.record({ kind: kind('precommit'), who, offset, name: nameOrNil }),
  fc.record({ kind: kind('proposal'), offset, name, since }),
  fc.record({ kind: kind('polka'), offset, name }),
  fc.record({ kind: kind('timeout'), step }),
  fc.record({ kind: kind('value'), name }),
  fc.record({ kind: kind('restart') }),
  // The next round, whole, or with a few that prevote too late.
  { weight: 4, arbitrary: fc.record({ kind: kind('round'), name, since, absent: fc.nat(1) }) },
)
type Happening = typeof happening extends fc.Arbitrary<infer Value> ? Value : never

/** One honest machine, and three others who say whatever the steps want. */
class Stage {
  readonly self: Address
  readonly others: readonly Address[]
  readonly messages: Verified<ConsensusMessage>[] = []
  /** The others never contradict themselves, so that nothing is proven against them. */
  readonly #areQuiet: boolean
  readonly #said = new Set<string>()
  #actor: Actor

  constructor(self: Address, areQuiet: boolean) {
    this.self = self
    this.others = all.filter((address) => address !== self)
    this.#areQuiet = areQuiet
    this.#actor = new Actor({ validators, self })
    this.#give(pending)
  }

  run(step: Happening): void {
    if (step.kind === 'restart') this.#restart()
    else this.#give(...this.#inputsOf(step))
  }

  #inputsOf(step: Exclude<Happening, { kind: 'restart' }>): readonly Input[] {
    const at = (offset: number): number => Math.max(0, this.#actor.machine.round + offset)
    switch (step.kind) {
      case 'prevote':
        return [prevote(this.#other(step.who), at(step.offset), step.name, at(step.since))]
      case 'precommit':
        return [precommit(this.#other(step.who), at(step.offset), this.#areQuiet ? undefined : step.name)]
      case 'proposal':
        return this.#propose(at(step.offset), step.name, step.since && at(step.since))
      case 'polka':
        return this.others.map((from) => prevote(from, at(step.offset), step.name))
      case 'round':
        return [
          ...this.others.slice(1).map((from) => precommit(from, at(1))),
          ...this.#propose(at(1), step.name, step.since && at(step.since)),
          ...this.others.slice(step.absent).map((from) => prevote(from, at(1), step.name)),
        ]
      case 'timeout':
        return [timeout(step.step, at(0))]
      case 'value':
        return [value(at(0), step.name)]
    }
  }

  #other(at: number): Address {
    return this.others[at]!
  }

  #propose(round: number, block: string, polkaRound: number | undefined): readonly Input[] {
    const proposer = proposers[round % 4]!
    if (proposer === this.self) return [value(round, block)]
    return [proposal(proposer, round, block, polkaRound === undefined ? {} : { polkaRound })]
  }

  #restart(): void {
    const { record } = this.#actor
    this.#actor = new Actor({ validators, self: this.self, ...(record && { restored: record }) })
    this.#give(pending)
  }

  #give(...inputs: readonly Input[]): void {
    for (const input of inputs) {
      if ('message' in input && !this.#takes(input.message)) continue
      if ('message' in input) this.messages.push(input.message)
      for (const { message } of only(this.#actor.give(input), 'sign')) this.messages.push(sign(message))
    }
  }

  #takes({ kind, validator, round }: ConsensusMessage): boolean {
    const place = `${validator} ${kind} ${round}`
    const isNew = !this.#said.has(place)
    this.#said.add(place)
    return isNew || !this.#areQuiet
  }
}

/** Times that the validator went from a block that it had precommitted to another. */
const countMoves = (messages: readonly ConsensusMessage[], self: Address): number => {
  const own = messages.filter(({ validator, block }) => validator === self && block !== undefined)
  const locks = own.filter(({ kind }) => kind === 'precommit')
  return own.filter(
    ({ kind, round, block }) =>
      kind === 'prevote' && locks.some((lock) => lock.round < round && lock.block !== block),
  ).length
}

/** Certificates for two blocks, by all but one, in rounds that nobody has come to. */
const forge = (others: readonly Address[]): readonly Verified<ConsensusMessage>[] =>
  others.flatMap((from) => [messageOf(precommit(from, 1_000, 'X')), messageOf(precommit(from, 1_001, 'Y'))])

describe('an honest machine among three others, restarting at any time', () => {
  const steps = fc.array(happening, { minLength: 10, maxLength: 80 })

  test('is never named, whatever they say', () => {
    let moves = 0
    fc.assert(
      fc.property(fc.nat(3), steps, (at, all) => {
        const stage = new Stage(validators.list[at]!.address, false)
        for (const step of all) stage.run(step)
        expect(namedBy(lookInto(stage.messages))).not.toContain(stage.self)
        moves += countMoves(stage.messages, stage.self)
      }),
      { numRuns: 2_000 },
    )
    expect(moves).toBeGreaterThan(100) // otherwise it would have had nothing to forget
  })

  test('can show each polka that it has relied on, when all who took part are asked for theirs', () => {
    let moves = 0
    fc.assert(
      fc.property(fc.nat(3), steps, (at, all) => {
        const stage = new Stage(validators.list[at]!.address, true)
        for (const step of all) stage.run(step)
        const found = lookInto([...stage.messages, ...forge(stage.others)])
        expect(found.provenStake).toBe(0n)
        expect(namedBy(found)).toEqual(stage.others)
        moves += countMoves(stage.messages, stage.self)
      }),
      { numRuns: 2_000 },
    )
    expect(moves).toBeGreaterThan(100)
  })
})

describe('two quorums for two blocks', () => {
  const round = fc.nat(3)
  const someone = fc.constantFrom(...all)
  const said = fc.oneof(
    fc
      .tuple(someone, round, nameOrNil, fc.option(round, { nil: undefined }))
      .map(([who, at, block, since]) => prevote(who, at, block, since)),
    fc.tuple(someone, round, nameOrNil).map(([who, at, block]) => precommit(who, at, block)),
    fc.tuple(round, name).map(([at, block]) => all.map((who) => prevote(who, at, block))),
  )
  const quorum = fc.tuple(round, someone).map(([at, absent]) => ({
    at,
    from: all.filter((who) => who !== absent),
  }))

  test('whatever else was said: more than a third of the stake is named', () => {
    fc.assert(
      fc.property(quorum, quorum, fc.array(said, { maxLength: 40 }), (one, other, rest) => {
        const found = lookInto(
          [
            ...one.from.map((who) => precommit(who, one.at, 'A')),
            ...other.from.map((who) => precommit(who, other.at, 'B')),
            ...rest.flat(),
          ].map(messageOf),
        )
        expect(found.decided.length).toBeGreaterThan(1)
        expect(holdsHonest(found.namedStake, found.totalStake)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('worlds in which liars hold a third of the stake or more', () => {
  const seeds = 300
  let outcomes: readonly (Outcome & { readonly seed: number; readonly found: Blame })[]
  beforeAll(() => {
    outcomes = Array.from({ length: seeds }, (_, seed) => {
      const outcome = simulate(seed, { areMany: true })
      return { seed, ...outcome, found: blame({ network, height, ...outcome }, outcome.messages) }
    })
  }, 120_000)

  test('a fork is explained by proofs against more than a third', () => {
    for (const { seed, isForked, found } of outcomes) {
      if (!isForked) continue
      expect(found.decided.length, `simulate(${seed}, { areMany: true })`).toBe(2)
      expect(holdsHonest(found.provenStake, found.totalStake), `simulate(${seed}, { areMany: true })`).toBe(
        true,
      )
    }
  })

  test('nobody honest is named', () => {
    for (const { seed, found, liars } of outcomes) {
      const innocent = namedBy(found).filter((key) => !liars.has(key))
      expect(innocent, `simulate(${seed}, { areMany: true })`).toEqual([])
    }
  })

  // Without these the other tests could pass in worlds where nothing happens.
  test('the seeds are hard: forks by equivocation, and by amnesia', () => {
    const forked = outcomes.filter(({ isForked }) => isForked)
    const by = (kind: string) =>
      forked.filter(({ found }) => found.findings.every(({ charge }) => charge.kind === kind))
    expect(by('equivocation').length).toBeGreaterThan(5)
    expect(by('amnesia').length).toBeGreaterThan(2)
  })
})
