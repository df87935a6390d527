/**
 * The state while a block is executed: what was read before it, and what its transactions change.
 *
 * Everything that a block may touch is read beforehand (`stateKeysOf`), so execution never waits.
 */
import type { Json } from '../codec/json.ts'
import { assert } from '../errors.ts'
import type { Validator, ValidatorList } from '../objects/validators.ts'
import type { Address, Amount, Height, UnixMs } from '../units.ts'
import { type Account, accountKey, decodeAccount, encodeAccount } from './account.ts'

export const validatorsKey = 'validators'
export const unbondingQueueKey = 'unbonding'
/** Base units that evidence has destroyed. */
export const burnedKey = 'burned'
/** Absent while no vote is open. */
export const updateVotesKey = 'updates'
/** What every block reads, whatever is in it. */
export const commonKeys: readonly string[] = [validatorsKey, unbondingQueueKey, burnedKey, updateVotesKey]
export const unbondingKey = (place: number): string => `unbonding/${place}`

/** Entries `first` up to, not including, `next` are waiting; they lie in order of time. */
export interface UnbondingQueue {
  readonly first: number
  readonly next: number
}

/** Who gets stake back next, and when. */
export interface UnbondingTicket {
  readonly address: Address
  readonly time: UnixMs
}

/** What a validator wants changed, and from which block on. */
export interface UpdateVote {
  readonly fromHeight: Height
  readonly removeValidator: Address
  readonly validator: Address
}

export const decodeUpdateVotes = (value: Json | undefined): readonly UpdateVote[] =>
  (value ?? []) as unknown as readonly UpdateVote[]

export const decodeBurned = (value: Json | undefined): bigint => BigInt(value as string)

export type StateValues = ReadonlyMap<string, Json | undefined>

export class WorkingState {
  readonly #values: StateValues
  readonly #accounts = new Map<Address, Account>()
  readonly #changedAccounts = new Set<Address>()
  readonly #changes = new Map<string, Json | undefined>()
  /** Absent until somebody asks, which few transactions do. */
  #validators: ReadonlyMap<Address, bigint> | undefined
  #undo: (() => void)[] | undefined

  /** @param values - of all keys that will be read; reading any other is a bug */
  constructor(values: StateValues) {
    this.#values = values
  }

  account(address: Address): Account {
    const known = this.#accounts.get(address)
    if (known) return known
    const account = decodeAccount(this.#value(accountKey(address)))
    this.#accounts.set(address, account)
    return account
  }

  setAccount(address: Address, account: Account): void {
    const before = this.account(address)
    const wasChanged = this.#changedAccounts.has(address)
    this.#undo?.push(() => {
      this.#accounts.set(address, before)
      if (!wasChanged) this.#changedAccounts.delete(address)
    })
    this.#accounts.set(address, account)
    this.#changedAccounts.add(address)
  }

  get validators(): ReadonlyMap<Address, bigint> {
    this.#validators ??= this.#readValidators()
    return this.#validators
  }

  /** @param stake - zero takes the validator out of the set */
  setStake(address: Address, stake: bigint): void {
    const before = this.validators
    this.#undo?.push(() => {
      this.#validators = before
    })
    const after = new Map(before)
    if (stake === 0n) after.delete(address)
    else after.set(address, stake)
    this.#validators = after
    this.setAccount(address, { ...this.account(address), stake })
  }

  get unbondingQueue(): UnbondingQueue {
    return this.#read(unbondingQueueKey) as unknown as UnbondingQueue
  }

  /** The ticket at a place of the queue. */
  unbondingTicket(place: number): UnbondingTicket {
    return this.#read(unbondingKey(place)) as unknown as UnbondingTicket
  }

  /** @param time - when the amount becomes balance; not earlier than that of any part before it */
  startUnbonding(address: Address, amount: bigint, time: UnixMs): void {
    const { first, next } = this.unbondingQueue
    this.#write(unbondingKey(next), { address, time })
    this.#write(unbondingQueueKey, { first, next: next + 1 })
    const account = this.account(address)
    this.setAccount(address, { ...account, unbonding: [...account.unbonding, { amount, time }] })
  }

  dequeueUnbonding(): void {
    const { first, next } = this.unbondingQueue
    this.#write(unbondingKey(first), undefined)
    this.#write(unbondingQueueKey, { first: first + 1, next })
  }

  get burned(): bigint {
    return decodeBurned(this.#read(burnedKey))
  }

  burn(amount: bigint): void {
    this.#write(burnedKey, (this.burned + amount).toString())
  }

  get updateVotes(): readonly UpdateVote[] {
    return decodeUpdateVotes(this.#read(updateVotesKey))
  }

  setUpdateVotes(votes: readonly UpdateVote[]): void {
    const sorted = [...votes].sort((one, other) => (one.validator < other.validator ? -1 : 1))
    this.#write(updateVotesKey, sorted.length === 0 ? undefined : (sorted as unknown as Json))
  }

  /** Runs steps that all take effect or, when they return false, none. */
  atomically(steps: () => boolean): boolean {
    assert(this.#undo === undefined, 'atomic steps do not nest')
    const undo: (() => void)[] = []
    this.#undo = undo
    const applied = steps()
    this.#undo = undefined
    if (!applied) for (const step of undo.reverse()) step()
    return applied
  }

  /** The validator set after all that happened, sorted. */
  validatorList(): ValidatorList {
    return [...this.validators]
      .map(([address, stake]): Validator => ({ address, stake: stake.toString() as Amount }))
      .sort((one, other) => (one.address < other.address ? -1 : 1))
  }

  /** What to write into the state; undefined removes a key. */
  changes(): ReadonlyMap<string, Json | undefined> {
    const changes = new Map(this.#changes)
    for (const address of this.#changedAccounts)
      changes.set(accountKey(address), encodeAccount(this.account(address)))
    const validators = this.validatorList() as unknown as Json
    if (JSON.stringify(validators) !== JSON.stringify(this.#values.get(validatorsKey)))
      changes.set(validatorsKey, validators)
    return changes
  }

  #readValidators(): ReadonlyMap<Address, bigint> {
    const list = this.#value(validatorsKey) as unknown as ValidatorList
    return new Map(list.map(({ address, stake }) => [address, BigInt(stake)]))
  }

  #value(key: string): Json | undefined {
    const value = this.#values.get(key)
    if (value === undefined) assert(this.#values.has(key), `${key} was read before the block was executed`)
    return value
  }

  #read(key: string): Json | undefined {
    return this.#changes.has(key) ? this.#changes.get(key) : this.#value(key)
  }

  #write(key: string, value: Json | undefined): void {
    const had = this.#changes.has(key)
    const before = this.#changes.get(key)
    this.#undo?.push(() => {
      if (had) this.#changes.set(key, before)
      else this.#changes.delete(key)
    })
    this.#changes.set(key, value)
  }
}
