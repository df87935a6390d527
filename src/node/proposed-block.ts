/** A block that somebody else hands over whole: its parts are checked in themselves, but it wasn't executed here. */
import type { CompactBlock } from '../messages/peer-message.ts'
import type { Header } from '../objects/block.ts'
import type { Evidence } from '../objects/evidence.ts'
import type { DecodedTransaction } from '../objects/transaction.ts'
import type { Verified } from '../objects/verified.ts'
import type { Proposal } from '../objects/vote.ts'
import type { UnixMs } from '../units.ts'

/** All signatures in it hold. */
export interface ProposedBlock {
  readonly header: Header
  readonly evidence: readonly Verified<Evidence>[]
  readonly transactions: readonly DecodedTransaction[]
}

/** A proposal with its whole block. */
export interface HeardProposal {
  readonly message: Verified<Proposal>
  /** The hash of its header is the proposal's `block`. */
  readonly block: ProposedBlock
  /** When the proposal arrived, with or without its transactions. */
  readonly heardAt: UnixMs
}

export const compactBlock = ({ header, evidence, transactions }: ProposedBlock): CompactBlock => ({
  header,
  evidence: [...evidence],
  transactions: transactions.map(({ hash }) => hash),
})
