/** An account as the state holds it. One never seen is all zeros. */
import type { Json } from '../codec/json.ts'
import type { Address, UnixMs } from '../units.ts'

export interface Unbonding {
  readonly amount: bigint
  /** When it becomes balance again: at the first block from then on. */
  readonly time: UnixMs
}

export interface Account {
  readonly balance: bigint
  /** Number of transactions that this account has had included: the nonce of its next. */
  readonly nonce: number
  readonly stake: bigint
  /** In order of time. */
  readonly unbonding: readonly Unbonding[]
  /** Evidence was brought against it: it never has stake again, but for what is on its way back. */
  readonly expelled: boolean
  /** Number of transactions that touched this account, so that its history can be listed without a range scan. */
  readonly history: number
}

export const emptyAccount: Account = {
  balance: 0n,
  nonce: 0,
  stake: 0n,
  unbonding: [],
  expelled: false,
  history: 0,
}

/** All base units that are this account's. */
export const holdingsOf = ({ balance, stake, unbonding }: Account): bigint =>
  unbonding.reduce((sum, { amount }) => sum + amount, balance + stake)

export const accountKeyPrefix = 'account/'
export const accountKey = (address: Address): string => accountKeyPrefix + address

export const encodeAccount = ({ balance, nonce, stake, unbonding, expelled, history }: Account): Json => ({
  balance: balance.toString(),
  ...(expelled && { expelled }),
  history,
  nonce,
  stake: stake.toString(),
  unbonding: unbonding.map(({ amount, time }) => ({ amount: amount.toString(), time })),
})

interface StoredAccount {
  readonly balance: string
  /** Absent for all who aren't. */
  readonly expelled?: true
  readonly history: number
  readonly nonce: number
  readonly stake: string
  readonly unbonding: readonly { readonly amount: string; readonly time: UnixMs }[]
}

/** @param value - as the state gave it: checked against the root, so its form is not checked again */
export const decodeAccount = (value: Json | undefined): Account => {
  if (value === undefined) return emptyAccount
  const stored = value as unknown as StoredAccount
  return {
    balance: BigInt(stored.balance),
    nonce: stored.nonce,
    stake: BigInt(stored.stake),
    unbonding: stored.unbonding.map(({ amount, time }) => ({ amount: BigInt(amount), time })),
    expelled: stored.expelled ?? false,
    history: stored.history,
  }
}
