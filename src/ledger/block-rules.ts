/** What a block must keep to beyond what executing it shows. */
import type { Header } from '../objects/block.ts'
import { type Evidence, flawOfEvidenceList } from '../objects/evidence.ts'
import type { Parameters } from '../objects/parameters.ts'
import type { DecodedTransaction } from '../objects/transaction.ts'
import type { ValidatorSet } from '../objects/validators.ts'
import type { UnixMs } from '../units.ts'

export interface Parent {
  readonly time: UnixMs
  /** Who votes on the block. */
  readonly validators: ValidatorSet
}

/** @returns which rule the block breaks, or undefined when it keeps them all */
export const brokenRule = (
  { network, time, proposer }: Pick<Header, 'network' | 'time' | 'proposer'>,
  {
    evidence,
    transactions,
  }: {
    readonly evidence: readonly Evidence[]
    readonly transactions: readonly DecodedTransaction[]
  },
  parent: Parent,
  parameters: Parameters,
): string | undefined => {
  if (time <= parent.time) return `its time ${time} is not after its parent's, ${parent.time}`
  if (!parent.validators.stakes.has(proposer)) return `its proposer ${proposer} is no validator`
  const isEmpty = transactions.length === 0 && evidence.length === 0
  if (isEmpty && time < parent.time + parameters.heartbeatMs) return 'it is empty, and no heartbeat is due'
  const flaw = flawOfEvidenceList(evidence, network)
  if (flaw !== undefined) return flaw
  if (transactions.length > parameters.maxBlockTransactions) {
    return `it has ${transactions.length} transactions, and the most is ${parameters.maxBlockTransactions}`
  }
  const sizeBytes = transactions.reduce((sum, transaction) => sum + transaction.sizeBytes, 0)
  return sizeBytes > parameters.maxBlockBytes
    ? `its transactions have ${sizeBytes} bytes, and the most is ${parameters.maxBlockBytes}`
    : undefined
}
