/** The genesis of a network that begins with a single node, which holds all there is. */

import type { Genesis } from '../objects/genesis.ts'
import { defaultParameters } from '../objects/parameters.ts'
import { type Address, amount, type UnixMs } from '../units.ts'

/** Balance of the first account, in base units. */
export const initialBalance = 10n ** 12n
/** Stake of the first validator, on top of its balance. */
export const initialStake = 10n ** 9n

export const networkOfOne = (address: Address, name: string, time: UnixMs): Genesis => ({
  name,
  time,
  parameters: defaultParameters,
  accounts: [{ address, balance: amount(initialBalance) }],
  validators: [{ address, stake: amount(initialStake) }],
})
