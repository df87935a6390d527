/** What kind of a simulation a seed stands for: who takes part, who lies, for how long things go wrong. */
import type { Durability } from '../../src/ports/object-store.ts'
import { Chance } from './chance.ts'
import { type Lie, lies } from './liar.ts'

/**
 * - `short`: a few heights in which everything goes wrong at once, and then the healing.
 * - `long`: a hundred heights with changing weather, joins, leaves and changes of stake.
 */
export const kinds = ['short', 'long'] as const
export type Kind = (typeof kinds)[number]

/**
 * - `twin`: its key is on a second machine, with a record of its own.
 * - `forgetful`: it has no record of what it signed whenever it starts.
 * - `skewed`: honest, but its clock is seconds to days off, and jumps.
 */
export type Role = 'honest' | 'twin' | 'forgetful' | 'skewed' | Lie
const faultyRoles: readonly Role[] = [
  ...(['twin', 'twin', 'twin', 'forgetful', 'skewed'] as const),
  ...(['reproposer', 'reproposer', 'reproposer'] as const),
  ...lies,
]

export interface Part {
  readonly name: string
  readonly stake: number
  readonly role: Role
  readonly hasBatches: boolean
  readonly durability: Durability
}

export interface Scenario {
  readonly kind: Kind
  readonly seed: number
  /** Validators of the genesis. */
  readonly parts: readonly Part[]
  /** Machines that hold accounts but no stake, and may bond some later. */
  readonly joiners: readonly Part[]
  /** The weather changes after it. */
  readonly phaseMs: number
  readonly phases: number
  /** Chance that nothing goes wrong for a phase, which then ends after a few heights. */
  readonly calmPercent: number
  /** The bad time ends before its phases are over when this height is final. */
  readonly goal: number
  /** Whether rounds have partitions of their own. */
  readonly hasPlans: boolean
  /** Nothing but partitions troubles this one. */
  readonly isGentle: boolean
  /** Chance that who is the first to see a decision dies of it, before it can tell of it. */
  readonly lostWitnessPercent: number
  /** Those who lied are gone for good when the world heals. */
  readonly losesLiars: boolean
  /** Who proposes in a round of the first height; absent where the network's id decides. */
  readonly opening?: { readonly name: string; readonly round: number }
  /** Machines that hear nothing of the others until the healing; absent where weather and plans decide. */
  readonly side?: readonly string[]
  /** Accounts that pay each other. */
  readonly clients: number
  /** Validators bond more and less, come and go. */
  readonly changesStake: boolean
  /** Unbonding and heartbeats take seconds, not days. */
  readonly hasShortPeriods: boolean
}

export const drawScenario = (kind: Kind, seed: number): Scenario => {
  const chance = new Chance(`${kind} ${seed}`).fork('scenario')
  const count = chance.pick(kind === 'short' ? [1, 4, 4, 4, 4, 4, 4, 5, 6, 7] : [4, 4, 4, 5, 7])
  const isEven = chance.percent(66)
  const stakes = Array.from({ length: count }, () => (isEven ? 10 : chance.between([5, 30])))
  const roles = drawRoles(chance, stakes)
  // A scheme takes rounds that fail, its author as a later proposer, and not much else that goes wrong.
  const schemer = kind === 'short' && chance.percent(80) ? roles.indexOf('reproposer') : -1
  const isScheme = schemer >= 0
  const hasPlans = isScheme || chance.percent(kind === 'short' ? 85 : 30)
  return {
    kind,
    seed,
    parts: stakes.map((stake, at) => drawPart(chance, `v${at}`, stake, roles[at]!)),
    joiners: Array.from({ length: kind === 'long' ? chance.below(3) : Number(chance.percent(10)) }, (_, at) =>
      drawPart(chance, `j${at}`, 0, 'honest'),
    ),
    phaseMs: kind === 'short' ? 2_000 : 4_000,
    phases: isScheme ? 5 : kind === 'short' ? 4 : 400,
    calmPercent: kind === 'short' ? 0 : 50,
    goal: kind === 'short' ? Number.POSITIVE_INFINITY : 100,
    hasPlans,
    isGentle: kind === 'short' && chance.percent(isScheme ? 70 : 30),
    clients: kind === 'short' ? 2 : 3,
    changesStake: chance.percent(kind === 'short' ? 20 : 60),
    hasShortPeriods: chance.percent(30),
    lostWitnessPercent: isScheme ? 90 : chance.pick(kind === 'short' ? [0, 50, 90] : [0, 0, 10]),
    ...(isScheme && { opening: { name: `v${schemer}`, round: chance.pick([1, 2, 2]) } }),
    losesLiars: chance.percent(50),
  }
}

const drawPart = (chance: Chance, name: string, stake: number, role: Role): Part => ({
  name,
  stake,
  role,
  hasBatches: chance.percent(70),
  durability: chance.percent(80) ? 'power-loss' : 'process-crash',
})

/** Less than a third of the stake is faulty. */
const drawRoles = (chance: Chance, stakes: readonly number[]): readonly Role[] => {
  const total = stakes.reduce((sum, stake) => sum + stake, 0)
  const isHarmless = chance.percent(20)
  let faulty = 0
  return stakes.map((stake) => {
    if (isHarmless || (faulty + stake) * 3 >= total || chance.percent(40)) return 'honest'
    faulty += stake
    return chance.pick(faultyRoles)
  })
}
