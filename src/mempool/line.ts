/**
 * One sender's transactions in nonce order: first the ready ones, each following the one before it from the
 * account's nonce on; behind the first gap, those that wait for it to be filled.
 */
import type { DecodedTransaction } from '../objects/transaction.ts'
import type { Address } from '../units.ts'
import { approximateRate, compareFeeRates, type FeeRate } from './fee-rate.ts'

/** A pending transaction; what ranks it lies here, at hand for the comparisons. */
export interface Entry extends FeeRate {
  readonly decoded: DecodedTransaction
  readonly line: Line
  readonly nonce: number
  /** Order of arrival. */
  readonly sequence: number
}

export interface Line {
  readonly sender: Address
  /** The account's nonce: what the first ready transaction carries. */
  nonce: number
  /** By nonce, ascending. */
  readonly entries: Entry[]
  /** How many of the entries, from the first, are ready. */
  ready: number
  /** Slot in the heap of first ready transactions; -1 when none is ready. */
  headSlot: number
  /** Slot in the heap of last transactions; -1 when there are none. */
  tailSlot: number
}

export const createLine = (sender: Address, nonce: number): Line => ({
  sender,
  nonce,
  entries: [],
  ready: 0,
  headSlot: -1,
  tailSlot: -1,
})

export const createEntry = (decoded: DecodedTransaction, line: Line, sequence: number): Entry => {
  const { sizeBytes, transaction } = decoded
  const fee = BigInt(transaction.fee)
  const feePerByte = approximateRate(fee, sizeBytes)
  return { decoded, line, nonce: transaction.nonce, fee, sizeBytes, feePerByte, sequence }
}

/** Whether nothing is missing before it; of an entry that is about to join, whether nothing would be. */
export const isReady = ({ line, nonce }: Entry): boolean => nonce <= line.nonce + line.ready

/** Higher rate first, then earlier arrival. */
export const isBetter = (one: Entry, other: Entry): boolean => {
  const order = compareFeeRates(one, other)
  return order === 0 ? one.sequence < other.sequence : order > 0
}

/**
 * The order in which a full pool lets go: what waits before what is ready, since no block can include it and
 * its fee costs the sender nothing; then lower rate, then later arrival.
 */
export const isWorse = (one: Entry, other: Entry): boolean => {
  const oneReady = isReady(one)
  return oneReady === isReady(other) ? isBetter(other, one) : !oneReady
}

/** Index of the first entry whose nonce is at least this one, which is at least the account's. */
const indexOf = (line: Line, nonce: number): number => {
  const ahead = nonce - line.nonce
  if (ahead <= line.ready) return ahead
  let low = line.ready
  let high = line.entries.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (line.entries[middle]!.nonce < nonce) low = middle + 1
    else high = middle
  }
  return low
}

export const entryAt = (line: Line, nonce: number): Entry | undefined => {
  const entry = line.entries[indexOf(line, nonce)]
  return entry?.nonce === nonce ? entry : undefined
}

export const firstReadyOf = (line: Line): Entry | undefined => (line.ready > 0 ? line.entries[0] : undefined)
export const lastOf = (line: Line): Entry | undefined => line.entries[line.entries.length - 1]

/** The entry that may follow this ready one in a block. */
export const readyAfter = ({ line, nonce }: Entry): Entry | undefined => {
  const index = nonce - line.nonce + 1
  return index < line.ready ? line.entries[index] : undefined
}

export const entryBefore = ({ line, nonce }: Entry): Entry | undefined =>
  line.entries[indexOf(line, nonce) - 1]

export const waitingCount = (line: Line): number => line.entries.length - line.ready

const extendReady = (line: Line): void => {
  while (line.entries[line.ready]?.nonce === line.nonce + line.ready) line.ready += 1
}

/** Puts an entry in its place, which may be that of another with the same nonce. */
export const join = (line: Line, entry: Entry): void => {
  const index = indexOf(line, entry.nonce)
  const taken = line.entries[index]?.nonce === entry.nonce
  line.entries.splice(index, taken ? 1 : 0, entry)
  extendReady(line)
}

/** Takes an entry out; those behind it wait from now on. */
export const leave = (line: Line, entry: Entry): void => {
  const index = indexOf(line, entry.nonce)
  line.entries.splice(index, 1)
  line.ready = Math.min(line.ready, index)
}

/**
 * Moves on to a later account nonce.
 *
 * @returns the entries whose nonces are used now
 */
export const advance = (line: Line, nonce: number): readonly Entry[] => {
  const passed = line.entries.splice(0, indexOf(line, nonce))
  line.ready = Math.max(0, line.ready - (nonce - line.nonce))
  line.nonce = nonce
  extendReady(line)
  return passed
}

/** Cuts off the last entries, so that no more than this many wait. */
export const cutWaiting = (line: Line, maxWaiting: number): readonly Entry[] =>
  line.entries.splice(line.ready + maxWaiting)
