/** The numbers that a network agrees on in its genesis. */
import * as z from 'zod'
import { amountField, wholeField } from './fields.ts'

const day = 24 * 60 * 60 * 1_000

export const parametersSchema = z.strictObject({
  /** Least fee for each started KiB of a signed transaction's canonical bytes, in base units. */
  feePerKib: amountField,
  /** Most canonical bytes of one signed transaction. */
  maxTransactionBytes: wholeField,
  /** Most canonical bytes of all signed transactions of one block. */
  maxBlockBytes: wholeField,
  /** Most transactions of one block. */
  maxBlockTransactions: wholeField,
  /** Least stake of a validator, in base units. */
  minStake: amountField,
  maxValidators: wholeField.min(1),
  /** How far the clocks of honest validators may differ. */
  clockPrecisionMs: wholeField,
  /** How long a proposal may take to arrive, in round 0. */
  messageDelayMs: wholeField,
  /** How long a hash known from elsewhere pins the present. */
  trustingPeriodMs: wholeField,
  /** How long stake stays slashable after it was unbonded; longer than the trusting period. */
  unbondingPeriodMs: wholeField,
  /** An empty block is valid only this long after its parent. */
  heartbeatMs: wholeField.min(1),
  /** Share of a validator's stake that proven misbehaviour burns, in percent. */
  slashPercent: wholeField.min(1).max(100),
})
export type Parameters = z.output<typeof parametersSchema>

export const defaultParameters: Parameters = parametersSchema.parse({
  feePerKib: '1',
  maxTransactionBytes: 64 * 1024,
  maxBlockBytes: 4 * 1024 * 1024,
  maxBlockTransactions: 8_192,
  minStake: '1000000',
  maxValidators: 64,
  clockPrecisionMs: 500,
  messageDelayMs: 2_000,
  trustingPeriodMs: 14 * day,
  unbondingPeriodMs: 21 * day,
  heartbeatMs: Math.floor((14 * day) / 3),
  slashPercent: 10,
})
