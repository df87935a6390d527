/** How many seeds are run where. What continuous integration runs is what mutants have to be killed by. */
import type { Kind } from './scenario.ts'

export type Sizes = Readonly<Record<Kind, number>>

export const ciSizes: Sizes = { short: 5_000, long: 100 }
export const soakSizes: Sizes = { short: 200_000, long: 2_000 }

/** @param environment - `SHORT_SEEDS` and `LONG_SEEDS` say how many instead */
export const sizesFrom = (environment: NodeJS.ProcessEnv, usual: Sizes): Sizes => ({
  short: Number(environment.SHORT_SEEDS ?? usual.short),
  long: Number(environment.LONG_SEEDS ?? usual.long),
})
