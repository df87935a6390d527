/** A validator set: who may vote on a block, and with how much stake. */
import * as z from 'zod'
import { hashObject } from '../crypto/hash.ts'
import type { Address, Hash } from '../units.ts'
import { addressField, amountField } from './fields.ts'

export const validatorSchema = z.strictObject({ address: addressField, stake: amountField })
export type Validator = z.output<typeof validatorSchema>

/** Sorted by address, without repetition; never empty. */
export type ValidatorList = readonly Validator[]

export const hashValidators = (list: ValidatorList): Hash => hashObject('validators', list)

/** A validator list with its stakes as numbers to add up. */
export interface ValidatorSet {
  readonly list: ValidatorList
  readonly hash: Hash
  readonly stakes: ReadonlyMap<Address, bigint>
  readonly total: bigint
}

export const validatorSet = (list: ValidatorList): ValidatorSet => {
  const stakes = new Map(list.map(({ address, stake }) => [address, BigInt(stake)]))
  return {
    list,
    hash: hashValidators(list),
    stakes,
    total: [...stakes.values()].reduce((sum, stake) => sum + stake, 0n),
  }
}

/** More than two thirds of the stake: any two such parts share an honest validator. */
export const isQuorum = (stake: bigint, total: bigint): boolean => stake * 3n > total * 2n

/** More than one third of the stake: at least one honest validator is in it. */
export const holdsHonest = (stake: bigint, total: bigint): boolean => stake * 3n > total

/** True when addresses ascend strictly, as every canonical list of them must. */
export const isSortedByAddress = (list: readonly { readonly address: Address }[]): boolean =>
  list.every((entry, at) => at === 0 || list[at - 1]!.address < entry.address)
