/** What gossip wants done. */
import type { PeerMessage } from '../messages/peer-message.ts'
import type { Address, Hash } from '../units.ts'

export type GossipEffect =
  | { readonly kind: 'send'; readonly peers: readonly Address[]; readonly message: PeerMessage }
  /** Send these transactions to peers, as far as they are here; the shell has their texts. */
  | { readonly kind: 'push'; readonly peers: readonly Address[]; readonly hashes: readonly Hash[] }

/** Takes effects in their order. */
export type Emit = (effect: GossipEffect) => void
