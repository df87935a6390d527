/** Proposer-based time: whether a fresh proposal's time is near enough to the clock of who hears it. */
import type { Parameters } from '../objects/parameters.ts'
import type { Round, UnixMs } from '../units.ts'

/**
 * How long a proposal may have been under way.
 *
 * Grows with the round, so that a network slower than its parameters say is never stuck.
 *
 * @returns milliseconds
 */
export const messageDelayMs = (
  round: Round,
  { messageDelayMs: delayMs }: Pick<Parameters, 'messageDelayMs'>,
): number => delayMs * (round + 1)

/**
 * Refusing is always safe, so each validator judges by its own clock. The bound on the future never widens: a
 * clock that is ahead must not drag the ledger's time along.
 *
 * @param heardAt - when the proposal arrived here
 * @see DESIGN.md §5, Time; Tendermint's proposer-based timestamps
 */
export const isTimely = (
  time: UnixMs,
  heardAt: UnixMs,
  round: Round,
  parameters: Pick<Parameters, 'clockPrecisionMs' | 'messageDelayMs'>,
): boolean =>
  time <= heardAt + parameters.clockPrecisionMs &&
  time >= heardAt - parameters.clockPrecisionMs - messageDelayMs(round, parameters)
