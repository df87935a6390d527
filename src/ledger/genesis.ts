/** What the genesis puts into the state, and the network id that follows. */
import type { Json } from '../codec/json.ts'
import { assert, TautlineError } from '../errors.ts'
import { amountLimit } from '../objects/fields.ts'
import { type Genesis, type GenesisAnchor, networkIdOf } from '../objects/genesis.ts'
import type { Address, Hash, NetworkId } from '../units.ts'
import { type Account, accountKey, emptyAccount, encodeAccount } from './account.ts'
import { OpenPages } from './state/open-pages.ts'
import { PageCache } from './state/page-cache.ts'
import { emptyState } from './state/state.ts'
import { updateState } from './state/update.ts'
import { burnedKey, type StateValues, unbondingQueueKey, validatorsKey } from './working-state.ts'

/**
 * The whole state at height 0.
 *
 * @throws TautlineError `bad-configuration` when the genesis contradicts itself
 */
export const genesisState = (genesis: Genesis): StateValues => {
  refuseContradictions(genesis)
  const accounts = new Map<Address, Account>()
  for (const { address, balance } of genesis.accounts)
    accounts.set(address, { ...emptyAccount, balance: BigInt(balance) })
  for (const { address, stake } of genesis.validators) {
    accounts.set(address, { ...(accounts.get(address) ?? emptyAccount), stake: BigInt(stake) })
  }
  return new Map<string, Json>([
    [validatorsKey, genesis.validators],
    [unbondingQueueKey, { first: 0, next: 0 }],
    [burnedKey, '0'],
    ...Array.from(accounts, ([address, account]) => [accountKey(address), encodeAccount(account)] as const),
  ])
}

/** @param stateRoot - of {@link genesisState} */
export const genesisAnchor = (
  { name, time, parameters, validators }: Genesis,
  stateRoot: Hash,
): GenesisAnchor => ({
  name,
  time,
  parameters,
  stateRoot,
  validators,
})

/**
 * The id of the network that starts from a genesis.
 *
 * @throws TautlineError `bad-configuration` when the genesis contradicts itself
 */
export const networkOf = (genesis: Genesis): NetworkId => {
  const outcome = updateState(new OpenPages(new PageCache()), emptyState, genesisState(genesis))
  assert('state' in outcome, 'an empty state has no pages that could be missing')
  return networkIdOf(genesisAnchor(genesis, outcome.state.hash))
}

/** All base units of the network: balances, stake, unbonding stake and what was burned add up to this, always. */
export const genesisSupply = ({ accounts, validators }: Genesis): bigint =>
  accounts.reduce((sum, { balance }) => sum + BigInt(balance), 0n) +
  validators.reduce((sum, { stake }) => sum + BigInt(stake), 0n)

const refuseContradictions = (genesis: Genesis): void => {
  const { parameters, validators } = genesis
  const refuse = (why: string): never => {
    throw new TautlineError('bad-configuration', `the genesis contradicts itself: ${why}`)
  }
  if (genesisSupply(genesis) >= amountLimit) refuse('balances and stakes add up to 2^128 or more')
  if (validators.length > parameters.maxValidators)
    refuse(`${validators.length} validators, and at most ${parameters.maxValidators} are allowed`)
  if (validators.some(({ stake }) => BigInt(stake) < BigInt(parameters.minStake)))
    refuse(`a stake is below the least, ${parameters.minStake}`)
  if (parameters.unbondingPeriodMs <= parameters.trustingPeriodMs)
    refuse('unbonding must take longer than the trusting period')
}
