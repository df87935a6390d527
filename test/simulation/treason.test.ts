/**
 * More than a third of the stake lies: the ledger forks, as it must, and whoever did it is named by what was said.
 *
 * The traitors' keys are on two machines each, and their network has two sides that hear nothing of one another,
 * with one of the two machines, and honest ones, on either. Each side holds a quorum.
 */
import { beforeAll, describe, expect, it } from 'vitest'
import { type Blame, blame } from '../../src/consensus/blame.ts'
import { holdsHonest, validatorSet } from '../../src/objects/validators.ts'
import { type Verified, verified } from '../../src/objects/verified.ts'
import { type ConsensusMessage, messageSigningText } from '../../src/objects/vote.ts'
import { type Address, amount } from '../../src/units.ts'
import { Chance } from './chance.ts'
import { hashKeys } from './keys.ts'
import { drawScenario, type Scenario } from './scenario.ts'
import { type Outcome, simulate } from './world.ts'

const seeds = 40

/** Traitors, and how many are honest on either side. */
const casts = [
  [2, 1, 1],
  [3, 1, 1],
  [3, 2, 2],
  [4, 1, 1],
] as const

const drawTreason = (seed: number): Scenario => {
  const { opening: _, ...usual } = drawScenario('short', seed)
  const [traitors, left, right] = new Chance(`treason ${seed}`).pick(casts)
  const model = { ...usual.parts[0]!, stake: 10 }
  const parts = Array.from({ length: traitors + left + right }, (_, at) => ({
    ...model,
    name: `v${at}`,
    role: at < traitors ? ('twin' as const) : ('honest' as const),
  }))
  const twins = parts.slice(0, traitors).map(({ name }) => `${name}'`)
  const side = [...twins, ...parts.slice(traitors, traitors + left).map(({ name }) => name)]
  return {
    ...usual,
    parts,
    joiners: [],
    side,
    hasPlans: false,
    isGentle: true,
    changesStake: false,
    lostWitnessPercent: 0,
    losesLiars: false,
  }
}

interface Inquest {
  readonly seed: number
  readonly outcome: Outcome
  readonly traitors: ReadonlySet<Address>
  /** Of each height that was spoken of. */
  readonly found: readonly Blame[]
}

const hold = async (seed: number): Promise<Inquest> => {
  const scenario = drawTreason(seed)
  const collected = new Map<string, Verified<ConsensusMessage>>()
  const outcome = await simulate(scenario, hashKeys, false, (message) => {
    const claim = `${message.signature} ${message.validator} ${messageSigningText(message)}`
    collected.set(claim, verified(message))
  })
  const voters = scenario.parts
    .map(({ name, stake, role }) => ({
      address: hashKeys.signer(name).address,
      stake: amount(BigInt(stake)),
      role,
    }))
    .sort((one, other) => (one.address < other.address ? -1 : 1))
  const messages = [...collected.values()]
  const validators = validatorSet(voters.map(({ address, stake }) => ({ address, stake })))
  const { network } = messages[0]!
  const heights = new Set(messages.map(({ height }) => height))
  return {
    seed,
    outcome,
    traitors: new Set(voters.filter(({ role }) => role === 'twin').map(({ address }) => address)),
    found: [...heights].map((height) => blame({ network, height, validators }, messages)),
  }
}

describe('traitors with more than a third of the stake, on both sides of a split network', () => {
  const inquests: Inquest[] = []
  beforeAll(async () => {
    for (let seed = 0; seed < seeds; seed++) inquests.push(await hold(seed))
  }, 300_000)

  it('fork the ledger, which is seen', () => {
    for (const { seed, outcome, found } of inquests) {
      expect(outcome.faults[0], `treason ${seed}`).toMatch(/commits .* where .* is final/)
      expect(found.filter(isFork), `treason ${seed}`).toHaveLength(1)
    }
  })

  it('are proven guilty by what was said, with more than a third of the stake', () => {
    for (const { seed, found } of inquests) {
      const { provenStake, totalStake } = found.find(isFork)!
      expect(holdsHonest(provenStake, totalStake), `treason ${seed}`).toBe(true)
    }
  })

  it('alone are named', () => {
    for (const { seed, found, traitors } of inquests) {
      const named = found.flatMap(({ findings }) => findings.map(({ validator }) => validator))
      expect(
        named.filter((validator) => !traitors.has(validator)),
        `treason ${seed}`,
      ).toEqual([])
    }
  })
})

const isFork = ({ decided }: Blame): boolean => decided.length > 1
