/** How many seeds are run where. What continuous integration runs is what mutants have to be killed by. */
import { type Kind, kinds } from './scenario.ts'

export type Sizes = Readonly<Record<Kind, number>>

export interface Seed {
  readonly kind: Kind
  readonly seed: number
}

export const ciSizes: Sizes = { short: 5_000, long: 100 }
export const soakSizes: Sizes = { short: 200_000, long: 2_000 }

/** @param environment - `SHORT_SEEDS` and `LONG_SEEDS` say how many instead */
export const sizesFrom = (environment: NodeJS.ProcessEnv, usual: Sizes): Sizes => ({
  short: Number(environment.SHORT_SEEDS ?? usual.short),
  long: Number(environment.LONG_SEEDS ?? usual.long),
})

/** The long ones first, since they are what the end would wait for. */
export const seedsOf = ({ short, long }: Sizes): readonly Seed[] => [
  ...range('long', 0, long),
  ...range('short', 0, short),
]

/**
 * @param words - such as `short:5000..6000`: from the first on, without the last
 * @throws Error for what is no range
 */
export const seedsIn = (words: readonly string[]): readonly Seed[] =>
  words.flatMap((word) => {
    const [, name, from, to] = /^(\w+):(\d+)\.\.(\d+)$/.exec(word) ?? []
    const kind = kinds.find((known) => known === name)
    if (!kind) throw new Error(`${word} is no range of seeds: expected one like short:5000..6000`)
    return range(kind, Number(from), Number(to))
  })

const range = (kind: Kind, from: number, to: number): readonly Seed[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, at) => ({ kind, seed: from + at }))
