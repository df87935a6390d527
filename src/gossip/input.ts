/** What gossip is told. */
import type { CompactBlock, StatusMessage } from '../messages/peer-message.ts'
import type { Verified } from '../objects/verified.ts'
import type { ConsensusMessage } from '../objects/vote.ts'
import type { Address, BlockHash, Hash } from '../units.ts'

/** Where this node stands, without its links, which the machine knows. */
export type Standing = Omit<StatusMessage, 'kind' | 'links'>

/** What consensus wants everybody in the present height to have. */
export interface Current {
  recent(): readonly Verified<ConsensusMessage>[]
  /** A proposal whose block isn't here is not passed on. */
  blockOf(hash: BlockHash): CompactBlock | undefined
}

export type GossipInput =
  /** There is one link to a peer at most. */
  | { readonly kind: 'link-opened'; readonly peer: Address }
  | { readonly kind: 'link-closed'; readonly peer: Address }
  /**
   * This node has moved: a new head or another round. Comes before anything that is said in the new height; who
   * takes over many blocks at once says so when they are all taken.
   */
  | { readonly kind: 'moved'; readonly standing: Standing }
  | {
      readonly kind: 'status-heard'
      readonly peer: Address
      readonly status: StatusMessage
      readonly current: Current
    }
  /**
   * A message for the height after the head that was found good, again for each peer it is heard from. Without
   * `from` it is this node's own, or came by no link.
   */
  | {
      readonly kind: 'said'
      readonly message: Verified<ConsensusMessage>
      /** Of a proposal. */
      readonly block?: CompactBlock
      readonly from?: Address
    }
  /** Transactions now wait in the mempool. Without `from` they came by no link. */
  | { readonly kind: 'admitted'; readonly hashes: readonly Hash[]; readonly from?: Address }
  /** Transactions don't wait any more: committed, here or in a block from elsewhere, or dropped. */
  | { readonly kind: 'departed'; readonly hashes: readonly Hash[] }
  /** A peer has these. */
  | { readonly kind: 'announced'; readonly peer: Address; readonly hashes: readonly Hash[] }
  /** A peer asks for these. */
  | { readonly kind: 'wanted'; readonly peer: Address; readonly hashes: readonly Hash[] }
  /** A peer has sent these, asked or unasked, whatever becomes of them. */
  | { readonly kind: 'received'; readonly peer: Address; readonly hashes: readonly Hash[] }
  /** A proposal of this height, brought by this peer, names these, and they are not here. */
  | { readonly kind: 'lacking'; readonly hashes: readonly Hash[]; readonly from?: Address }
  /** Time to repeat. What is `recent` is empty while consensus is at rest. */
  | { readonly kind: 'tick'; readonly current: Current }
