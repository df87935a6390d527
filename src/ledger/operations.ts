/** The effect of each operation on the state. A new kind of operation is a new row here and in `objects/operation.ts`. */
import type { Operation, OperationOf } from '../objects/operation.ts'
import type { Parameters } from '../objects/parameters.ts'
import { type Address, type Height, type UnixMs, unixMs } from '../units.ts'
import { maxNoticeBlocks } from './network-update.ts'
import type { WorkingState } from './working-state.ts'

/** Most parts of one account's stake that are on their way back at a time. */
export const maxUnbondings = 16

export interface Context {
  readonly parameters: Parameters
  /** Of the block. */
  readonly time: UnixMs
  /** Of the block. */
  readonly height: Height
}

export type FailureCode =
  | 'insufficient-funds'
  | 'insufficient-stake'
  | 'stake-below-minimum'
  | 'too-many-validators'
  | 'too-many-unbondings'
  | 'last-validator'
  | 'expelled'
  | 'not-a-validator'
  | 'height-passed'
  | 'height-too-far'

export interface Failure {
  readonly code: FailureCode
  readonly detail: string
}

type Apply<Type extends Operation['type']> = (
  state: WorkingState,
  from: Address,
  operation: OperationOf<Type>,
  context: Context,
) => Failure | undefined

const transfer: Apply<'transfer'> = (state, from, { to, amount }) => {
  const value = BigInt(amount)
  const sender = state.account(from)
  if (sender.balance < value) return insufficientFunds(sender.balance, value)
  state.setAccount(from, { ...sender, balance: sender.balance - value })
  const receiver = state.account(to)
  state.setAccount(to, { ...receiver, balance: receiver.balance + value })
  return undefined
}

/** The block keeps the data; the state has nothing to do with it. */
const anchor: Apply<'anchor'> = () => undefined

const bond: Apply<'stake.bond'> = (state, from, { amount }, { parameters }) => {
  const value = BigInt(amount)
  const account = state.account(from)
  if (account.balance < value) return insufficientFunds(account.balance, value)
  if (account.expelled) {
    return {
      code: 'expelled',
      detail: 'this key has contradicted itself as a validator and can never be one again: bond with another',
    }
  }
  const stake = account.stake + value
  if (stake < BigInt(parameters.minStake)) {
    return {
      code: 'stake-below-minimum',
      detail: `the stake would be ${stake}, and the least is ${parameters.minStake}: bond more`,
    }
  }
  if (account.stake === 0n && state.validators.size >= parameters.maxValidators) {
    return {
      code: 'too-many-validators',
      detail: `all ${parameters.maxValidators} places for validators are taken`,
    }
  }
  state.setAccount(from, { ...account, balance: account.balance - value })
  state.setStake(from, stake)
  return undefined
}

const unbond: Apply<'stake.unbond'> = (state, from, { amount }, { parameters, time }) => {
  const value = BigInt(amount)
  const account = state.account(from)
  const stake = account.stake - value
  if (stake < 0n)
    return {
      code: 'insufficient-stake',
      detail: `the stake is ${account.stake}, and ${value} is to be unbonded`,
    }
  if (stake > 0n && stake < BigInt(parameters.minStake)) {
    return {
      code: 'stake-below-minimum',
      detail: `a stake of ${stake} would remain, and the least is ${parameters.minStake}: unbond all of it, or less`,
    }
  }
  if (stake === 0n && state.validators.size === 1) {
    return {
      code: 'last-validator',
      detail: 'this is the only validator, and a network needs one: bond another first',
    }
  }
  if (account.unbonding.length >= maxUnbondings) {
    return {
      code: 'too-many-unbondings',
      detail: `${maxUnbondings} parts of the stake are on their way already: wait for one of them`,
    }
  }
  state.setStake(from, stake)
  state.startUnbonding(from, value, unixMs(time + parameters.unbondingPeriodMs))
  return undefined
}

/** A vote: what comes of it is decided when the block before `fromHeight` has been executed. */
const updateNetwork: Apply<'network.update'> = (state, from, { removeValidator, fromHeight }, { height }) => {
  const stranger = [from, removeValidator].find((address) => !state.validators.has(address))
  if (stranger !== undefined) {
    return {
      code: 'not-a-validator',
      detail: `${stranger} has no stake: only validators vote on the network, and only they can be taken out`,
    }
  }
  if (state.validators.size === 1) {
    return {
      code: 'last-validator',
      detail: 'this is the only validator, and a network needs one: bond another first',
    }
  }
  if (fromHeight <= height) {
    return {
      code: 'height-passed',
      detail: `block ${fromHeight} is not after this one, ${height}: choose a height that leaves the others time to vote`,
    }
  }
  if (fromHeight > height + maxNoticeBlocks) {
    return {
      code: 'height-too-far',
      detail: `block ${fromHeight} is more than ${maxNoticeBlocks} after this one, ${height}: choose an earlier one`,
    }
  }
  // Votes of those who hold no stake any more count for nothing: without them there are never more than validators.
  const others = state.updateVotes.filter(
    ({ validator }) => validator !== from && state.validators.has(validator),
  )
  state.setUpdateVotes([...others, { validator: from, removeValidator, fromHeight }])
  return undefined
}

const insufficientFunds = (balance: bigint, needed: bigint): Failure => ({
  code: 'insufficient-funds',
  detail: `the balance is ${balance}, and ${needed} is needed`,
})

const applyByType: { readonly [Type in Operation['type']]: Apply<Type> } = {
  transfer,
  anchor,
  'stake.bond': bond,
  'stake.unbond': unbond,
  'network.update': updateNetwork,
}

/** @returns why the operation fails, or undefined when it has taken effect */
export const applyOperation = (
  state: WorkingState,
  from: Address,
  operation: Operation,
  context: Context,
): Failure | undefined =>
  (applyByType[operation.type] as Apply<Operation['type']>)(state, from, operation, context)

/** Accounts other than the sender that a transaction names. */
export const accountsNamedIn = (operations: readonly Operation[]): readonly Address[] =>
  operations.flatMap((operation) => {
    if (operation.type === 'transfer') return [operation.to]
    return operation.type === 'network.update' ? [operation.removeValidator] : []
  })
