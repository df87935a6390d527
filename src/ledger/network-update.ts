/**
 * What validators decide about the network itself: to take out a member that never comes back.
 *
 * Each validator stands behind one update at a time, so there are never more open ones than validators; voting
 * again replaces its vote. Votes are counted once, when the block before `fromHeight` has been executed, by the
 * stake that is bonded then: bonding, unbonding and slashing until then count. More than two thirds of all stake
 * must stand behind the very same update; otherwise it lapses. Counting on the parent's side lets block
 * `fromHeight` be the first that the new validators decide, on every node.
 */
import { isQuorum } from '../objects/validators.ts'
import { type Address, type Height, type UnixMs, unixMs } from '../units.ts'
import type { Context } from './operations.ts'
import { isLastValidator } from './slashing.ts'
import type { UpdateVote, WorkingState } from './working-state.ts'

/** How many blocks ahead an update may name its height: it is decided or has lapsed by then. */
export const maxNoticeBlocks = 100_000

/** Whom open updates would take out after a block: their accounts are read before it is executed. */
export const removalsDueAfter = (votes: readonly UpdateVote[], height: Height): readonly Address[] =>
  votes
    .filter(({ fromHeight }) => isDueAfter(fromHeight, height))
    .map(({ removeValidator }) => removeValidator)

/** Counts the votes on what is due after this block, and forgets them. */
export const applyDueUpdates = (state: WorkingState, { parameters, time, height }: Context): void => {
  const votes = state.updateVotes
  const due = new Set(removalsDueAfter(votes, height))
  if (due.size === 0) return
  // Two different updates can't both have more than two thirds, since each validator stands behind one.
  const decided = [...due].find((address) => isDecided(state, address, height))
  if (decided) remove(state, decided, unixMs(time + parameters.unbondingPeriodMs))
  state.setUpdateVotes(votes.filter(({ fromHeight }) => !isDueAfter(fromHeight, height)))
}

const isDueAfter = (fromHeight: Height, height: Height): boolean => fromHeight === height + 1

const isDecided = (state: WorkingState, removed: Address, height: Height): boolean => {
  let total = 0n
  for (const stake of state.validators.values()) total += stake
  let signed = 0n
  for (const { validator, removeValidator, fromHeight } of state.updateVotes)
    if (removeValidator === removed && isDueAfter(fromHeight, height))
      signed += state.validators.get(validator) ?? 0n
  return isQuorum(signed, total)
}

/** Nothing is burned: the stake is on its way back, slashable for as long as any other. */
const remove = (state: WorkingState, address: Address, returnsAt: UnixMs): void => {
  const stake = state.validators.get(address)
  if (stake === undefined || isLastValidator(address, state.validators)) return
  state.setStake(address, 0n)
  state.startUnbonding(address, stake, returnsAt)
}
