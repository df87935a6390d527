/** A proposal that somebody else has made, with its whole block: checked in itself, but not executed here yet. */
import type { CompactBlock } from '../messages/peer-message.ts'
import type { Verified } from '../objects/verified.ts'
import type { Proposal } from '../objects/vote.ts'
import type { UnixMs } from '../units.ts'
import type { DecodedBlock } from './block-sink.ts'

export interface HeardProposal {
  readonly message: Verified<Proposal>
  /** The hash of its header is the proposal's `block`. */
  readonly block: Verified<DecodedBlock>
  /** When the proposal arrived, with or without its transactions. */
  readonly heardAt: UnixMs
}

export const compactBlock = ({
  header,
  evidence,
  transactions,
}: Pick<DecodedBlock, 'header' | 'evidence' | 'transactions'>): CompactBlock => ({
  header,
  evidence: [...evidence],
  transactions: transactions.map(({ hash }) => hash),
})
