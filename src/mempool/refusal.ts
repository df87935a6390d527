/** Why the mempool doesn't take a transaction: what is wrong, what was expected, what to do. */
import type { Details, ErrorCode } from '../errors.ts'
import { isReplacingFee, leastReplacingFee } from './fee-rate.ts'
import type { MempoolLimits } from './limits.ts'
import { type Entry, isReady, type Line, waitingCount } from './line.ts'

export interface Refusal {
  readonly kind: 'refused'
  /** `nonce-used`, `nonce-too-far`, `replacement-underpriced` or `mempool-full`. */
  readonly code: ErrorCode
  readonly message: string
  readonly details: Details
}

const refuse = (code: ErrorCode, message: string, details: Details): Refusal => ({
  kind: 'refused',
  code,
  message,
  details,
})

/** Unless the newcomer pays enough to take the place of one with its nonce. */
export const refuseByFee = ({ fee }: Entry, rival: Entry): Refusal | undefined => {
  if (isReplacingFee(fee, rival.fee)) return undefined
  const least = leastReplacingFee(rival.fee)
  return refuse(
    'replacement-underpriced',
    `fee: ${fee} is too little to replace the pending transaction with nonce ${rival.nonce}, which pays ` +
      `${rival.fee}: expected at least ${least} (10 % and 1 more); raise the fee, or use the next nonce`,
    { nonce: rival.nonce, fee: `${fee}`, leastFee: `${least}`, pending: rival.decoded.id },
  )
}

/** Unless the newcomer has a place of its own in its line. */
export const refuseByNonce = (newcomer: Entry, limits: MempoolLimits): Refusal | undefined => {
  const { line, nonce } = newcomer
  const next = line.nonce + line.ready
  const details = { nonce, accountNonce: line.nonce, nextNonce: next }
  if (nonce < line.nonce) {
    return refuse(
      'nonce-used',
      `nonce: ${nonce} is used already; expected ${next}, the next one of ${line.sender}`,
      details,
    )
  }
  if (nonce - line.nonce >= limits.maxAheadPerSender) {
    return nonce === next ? refuseSenderFull(line, limits, details) : refuseTooFar(newcomer, limits, details)
  }
  if (!isReady(newcomer) && waitingCount(line) >= limits.maxWaitingPerSender) {
    return refuse(
      'nonce-too-far',
      `nonce: ${limits.maxWaitingPerSender} transactions of ${line.sender} wait for nonce ${next} already, the ` +
        `most that may; submit the one with nonce ${next} first`,
      details,
    )
  }
  return undefined
}

const refuseTooFar = ({ line, nonce }: Entry, limits: MempoolLimits, details: Details): Refusal =>
  refuse(
    'nonce-too-far',
    `nonce: ${nonce} is too far ahead of ${line.nonce}, the account's; expected less than ` +
      `${line.nonce + limits.maxAheadPerSender}; submit those in between first`,
    details,
  )

const refuseSenderFull = (line: Line, limits: MempoolLimits, details: Details): Refusal =>
  refuse(
    'mempool-full',
    `${line.ready} transactions of ${line.sender} are pending, the most that may be ` +
      `(${limits.maxAheadPerSender}); submit more when some of them are committed`,
    details,
  )

/** When nobody gives way to the newcomer. */
export const refuseFull = ({ fee, sizeBytes }: Entry, limits: MempoolLimits): Refusal =>
  refuse(
    'mempool-full',
    `the mempool holds all it may (${limits.maxTransactions} transactions, ${limits.maxBytes} bytes) and none of them gives ` +
      `way to a fee of ${fee} for ${sizeBytes} bytes; try again in a moment, or raise the fee`,
    { fee: `${fee}`, sizeBytes },
  )
