/** How long each step of a round waits for the others. */
import type { Height, Round } from '../units.ts'

/** The part of a round that a validator is in. */
export type Step = 'propose' | 'prevote' | 'precommit'

export interface Timeout {
  readonly kind: Step
  readonly height: Height
  readonly round: Round
}

/** For a whole block to be built, sent and executed. */
const proposeBaseMs = 1_000
/** For votes that differ to become votes that agree. */
const voteBaseMs = 500
const growthMs = 500
/** A network slower than this one way is not kept alive; a longer cap would be hours of waiting after an outage. */
export const timeoutCapMs = 10_000

/**
 * Time until a step is given up.
 *
 * Grows linearly with the round, so that some round outlasts the network's delay; capped, so that a long
 * outage does not turn into hours of waiting after it.
 *
 * @returns milliseconds, 500 to 10_000
 * @see arXiv:1807.04938, Algorithm 1, lines 21, 35 and 48
 */
export const timeoutMs = (step: Step, round: Round): number => {
  const baseMs = step === 'propose' ? proposeBaseMs : voteBaseMs
  return Math.min(baseMs + growthMs * round, timeoutCapMs)
}
