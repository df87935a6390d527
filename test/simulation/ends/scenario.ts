/** What a seed's ends go through: drawn once, before anything happens. */
import { Chance, type Span } from '../chance.ts'

export interface Scenario {
  readonly seed: number
  readonly chance: Chance
  /** What operators do, one after the other. */
  readonly acts: number
  /** Between two acts. */
  readonly paceMs: Span
  /** How long a text is on its way. */
  readonly delayMs: Span
  /** In a hundred texts, or answers. */
  readonly lost: number
  readonly doubled: number
  readonly repeated: number
  readonly forged: number
  /** In a hundred steps of an end. */
  readonly crashes: number
  readonly downMs: Span
  readonly weights: Readonly<Record<Act, number>>
  /** How far an end's clock may be off. */
  readonly skewMs: number
  /** Another end accepts the same invitation. */
  readonly hasRival: boolean
}

export const acts = [
  'say',
  'burst',
  'ping',
  'rotate',
  'both rotate',
  'let go',
  'let go silently',
  'both let go',
  'block',
  'unblock',
  'back up',
  'restore',
  'import',
  'stop',
  'part',
  'set clock',
] as const
export type Act = (typeof acts)[number]

const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

export const drawScenario = (seed: number): Scenario => {
  const chance = new Chance(`ends ${seed}`)
  const often = (percent: number, weight: number): number => (chance.percent(percent) ? weight : 0)
  const pace = chance.pick([100, 2 * second, 10 * second, 10 * minute, 6 * hour])
  const restores = often(50, 1)
  return {
    seed,
    chance,
    acts: chance.between([8, 40]),
    paceMs: [0, 2 * pace],
    delayMs: chance.pick([
      [1, 20],
      [5, 300],
      [10, 4 * second],
    ]),
    lost: chance.pick([0, 0, 5, 30]),
    doubled: chance.pick([0, 5, 20]),
    repeated: chance.pick([0, 5, 20]),
    forged: chance.pick([0, 0, 5, 15]),
    crashes: chance.pick([0, 0, 1, 4]),
    downMs: chance.pick([
      [0, second],
      [second, 10 * minute],
      [hour, 5 * day],
    ]),
    weights: {
      say: 30,
      burst: often(50, 6),
      ping: 3,
      rotate: often(50, 8),
      'both rotate': often(30, 3),
      'let go': often(30, 3),
      'let go silently': often(10, 2),
      'both let go': often(10, 2),
      block: often(20, 3),
      unblock: often(20, 4),
      'back up': restores * 6,
      restore: restores * chance.pick([1, 4]),
      import: restores * chance.pick([0, 2]),
      stop: often(60, 3),
      part: often(40, 4),
      'set clock': often(30, 2),
    },
    skewMs: chance.pick([0, 2 * second, 5 * minute]),
    hasRival: chance.percent(15),
  }
}

/** One of them, as often as it weighs. */
export const drawAct = (chance: Chance, weights: Scenario['weights']): Act => {
  const total = acts.reduce((sum, act) => sum + weights[act], 0)
  let left = chance.below(total)
  for (const act of acts) {
    if (left < weights[act]) return act
    left -= weights[act]
  }
  throw new Error('acts weigh nothing')
}
