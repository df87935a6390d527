/** Fee per byte: exact in its order, fast in almost all comparisons. */

export interface FeeRate {
  readonly fee: bigint
  readonly sizeBytes: number
  /** The quotient as a double, from {@link approximateRate}. */
  readonly feePerByte: number
}

/**
 * Two roundings (of the fee, of the quotient) put a double off by less than 2^-52 of itself, so doubles that
 * lie further apart than 2^-50 of their sum are in the order of the true quotients.
 */
const doubt = 2 ** -50

export const approximateRate = (fee: bigint, sizeBytes: number): number => Number(fee) / sizeBytes

/** Negative when the first rate is the lower one, 0 when they are equal. */
export const compareFeeRates = (one: FeeRate, other: FeeRate): number => {
  const difference = one.feePerByte - other.feePerByte
  if (Math.abs(difference) > doubt * (one.feePerByte + other.feePerByte)) return difference
  if (one.sizeBytes === other.sizeBytes && one.fee === other.fee) return 0
  const oneScaled = one.fee * BigInt(other.sizeBytes)
  const otherScaled = other.fee * BigInt(one.sizeBytes)
  return oneScaled < otherScaled ? -1 : oneScaled > otherScaled ? 1 : 0
}

/** Whether a fee is at least 10 % and at least 1 above the one it would take the place of. */
export const isReplacingFee = (fee: bigint, replaced: bigint): boolean =>
  fee * 10n >= replaced * 11n && fee > replaced

/** The least fee that {@link isReplacingFee} accepts. */
export const leastReplacingFee = (replaced: bigint): bigint => {
  const tenPercentMore = (replaced * 11n + 9n) / 10n
  return tenPercentMore > replaced ? tenPercentMore : replaced + 1n
}
