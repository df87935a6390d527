/** What gossip wants done. */
import type { PeerMessage } from '../messages/peer-message.ts'
import type { Address, Hash } from '../units.ts'

export type GossipEffect =
  | { readonly kind: 'send'; readonly peer: Address; readonly message: PeerMessage }
  /** Send these transactions to a peer; the shell has their texts. */
  | { readonly kind: 'push'; readonly peer: Address; readonly hashes: readonly Hash[] }

/** Takes effects in their order. */
export type Emit = (effect: GossipEffect) => void
