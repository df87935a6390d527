/** The genesis of a network whose founders begin as equals: each a validator, all together holding all there is. */
import { TautlineError } from '../errors.ts'
import type { Genesis } from '../objects/genesis.ts'
import { defaultParameters } from '../objects/parameters.ts'
import { type Address, amount, type UnixMs } from '../units.ts'

/** Balances of all founders together, in base units. */
export const initialBalance = 10n ** 12n
/** Stakes of all founders together, on top of their balances. */
export const initialStake = 10n ** 9n

export interface Founding {
  readonly founders: readonly Address[]
  readonly name: string
  readonly time: UnixMs
}

/**
 * Shares are equal, so what can't be shared isn't made: three founders begin with 333333333 of stake each.
 *
 * @throws TautlineError `bad-configuration` for a founder that is named twice, or when there are none or too many
 */
export const foundNetwork = ({ founders, name, time }: Founding): Genesis => {
  const count = BigInt(requireFounders(founders).length)
  const sorted = [...founders].sort()
  return {
    name,
    time,
    parameters: defaultParameters,
    accounts: sorted.map((address) => ({ address, balance: amount(initialBalance / count) })),
    validators: sorted.map((address) => ({ address, stake: amount(initialStake / count) })),
  }
}

const requireFounders = (founders: readonly Address[]): readonly Address[] => {
  const { maxValidators } = defaultParameters
  if (founders.length < 1 || founders.length > maxValidators) {
    throw new TautlineError(
      'bad-configuration',
      `a network begins with 1 to ${maxValidators} validators, not ${founders.length}: more join by bonding stake`,
    )
  }
  const twice = founders.find((address, at) => founders.indexOf(address) !== at)
  if (twice === undefined) return founders
  throw new TautlineError('bad-configuration', `${twice} is named twice: a key is one validator`)
}
