/**
 * What proven misbehaviour costs: a share of the stake is burned, and the key never votes again.
 *
 * Judged from the evidence and the state alone, at whatever height it comes; takes effect once for each key.
 * Who has checked the evidence's signatures is somebody else.
 */
import { accusedOf, type Evidence } from '../objects/evidence.ts'
import type { Parameters } from '../objects/parameters.ts'
import type { Verified } from '../objects/verified.ts'
import { type Address, unixMs } from '../units.ts'
import { type Account, holdingsOf } from './account.ts'
import type { Context } from './operations.ts'
import type { WorkingState } from './working-state.ts'

/** The key has stake, if only on its way back, and was not punished before. */
export const isPunishable = ({ stake, unbonding, expelled }: Account): boolean =>
  !expelled && (stake > 0n || unbonding.length > 0)

/** A network needs a validator, so the only one stays until there is another. */
export const isLastValidator = (address: Address, validators: ReadonlyMap<Address, unknown>): boolean =>
  validators.size === 1 && validators.has(address)

/**
 * Burns a share of the stake, of each part of it, and lets the rest of the bonded stake unbond: one part more
 * than `maxUnbondings` at most, since nothing is bonded after it.
 *
 * @returns whether the evidence has taken effect; a block holds none that doesn't
 */
export const punish = (
  state: WorkingState,
  evidence: Verified<Evidence>,
  { parameters, time }: Context,
): boolean => {
  const accused = accusedOf(evidence)
  const account = state.account(accused)
  if (!isPunishable(account) || isLastValidator(accused, state.validators)) return false
  const stake = restOf(account.stake, parameters)
  // A part of which nothing is left keeps its place in the queue.
  const unbonding = account.unbonding.map((part) => ({ ...part, amount: restOf(part.amount, parameters) }))
  state.burn(holdingsOf(account) - holdingsOf({ ...account, stake, unbonding }))
  state.setAccount(accused, { ...account, unbonding, expelled: true })
  state.setStake(accused, 0n)
  if (stake > 0n) state.startUnbonding(accused, stake, unixMs(time + parameters.unbondingPeriodMs))
  return true
}

/** What is burned is rounded up. */
const restOf = (amount: bigint, { slashPercent }: Parameters): bigint =>
  (amount * BigInt(100 - slashPercent)) / 100n
