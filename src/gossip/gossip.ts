/**
 * Gossip: who is told what.
 *
 * In come links, what was heard over them and found good, and what this node says itself; out go messages to
 * peers. A pure machine: no clock, randomness, socket or storage. It assumes nothing of deliveries: what a
 * peer lacks is sent again on a tick.
 */
import type { CompactBlock, PeerMessage, StatusMessage } from '../messages/peer-message.ts'
import type { Verified } from '../objects/verified.ts'
import type { ConsensusMessage } from '../objects/vote.ts'
import type { Address, BlockHash, Hash } from '../units.ts'

/** Where this node stands, without its links, which the machine knows. */
export type Standing = Omit<StatusMessage, 'kind' | 'links'>

export type GossipInput =
  | { readonly kind: 'link-opened'; readonly peer: Address }
  | { readonly kind: 'link-closed'; readonly peer: Address }
  /** This node has moved: a new head or another round. */
  | { readonly kind: 'moved'; readonly standing: Standing }
  | { readonly kind: 'status-heard'; readonly peer: Address; readonly status: StatusMessage }
  /** A message for the height after the head: this node's own without `from`, or another's that was found good. */
  | {
      readonly kind: 'said'
      readonly message: Verified<ConsensusMessage>
      /** Of a proposal. */
      readonly block?: CompactBlock
      readonly from?: Address
    }
  /** Transactions were admitted here. */
  | { readonly kind: 'admitted'; readonly hashes: readonly Hash[]; readonly from?: Address }
  /** Transactions left the mempool, committed or dropped. */
  | { readonly kind: 'departed'; readonly hashes: readonly Hash[] }
  /** A peer has these. `isKnown` says which of them this node has or has had. */
  | {
      readonly kind: 'announced'
      readonly peer: Address
      readonly hashes: readonly Hash[]
      readonly isKnown: (hash: Hash) => boolean
    }
  /** A peer has sent these on request or unasked. */
  | { readonly kind: 'received'; readonly peer: Address; readonly hashes: readonly Hash[] }
  /** A link is over, or a peer hasn't sent what was asked of it: these are still lacking. */
  | { readonly kind: 'lacking'; readonly hashes: readonly Hash[] }
  /** Time to repeat. `recent` is what consensus wants everybody in this height to have. */
  | {
      readonly kind: 'tick'
      readonly recent: readonly Verified<ConsensusMessage>[]
      readonly blockOf: (hash: BlockHash) => CompactBlock | undefined
    }

export type GossipEffect =
  | { readonly kind: 'send'; readonly peer: Address; readonly message: PeerMessage }
  /** Send these transactions to a peer; the shell has their texts. */
  | { readonly kind: 'push'; readonly peer: Address; readonly hashes: readonly Hash[] }
