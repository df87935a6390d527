/** What a light client asks for, what comes back, and how it ends. */

import type { Fork } from '../objects/fork.ts'
import type { GenesisAnchor } from '../objects/genesis.ts'
import type { BlockPin } from '../objects/join-string.ts'
import type { LightBlock, Origin } from '../objects/light-block.ts'
import type { Parameters } from '../objects/parameters.ts'
import type { ValidatorSet } from '../objects/validators.ts'
import type { Verified } from '../objects/verified.ts'
import type { BlockHash, Height, NetworkId, UnixMs } from '../units.ts'

/** What is believed before anything was asked. */
export interface Trust {
  readonly network: NetworkId
  /** A block that pins the present, as long as it is younger than the trusting period. */
  readonly pin?: BlockPin
}

/** Number of a source: 0 is the one that is followed, the others are its witnesses. */
export type Source = number
export const followed: Source = 0

export interface Request {
  readonly source: Source
  readonly at: Height | 'latest'
  /** Also what leads there from the network id. */
  readonly origin: boolean
}

/** What a source gave, signatures checked: of a block, those of its own validators; of an origin, all of them. */
export type Answer =
  | { readonly kind: 'genesis'; readonly genesis: GenesisAnchor }
  | { readonly kind: 'block'; readonly block: Verified<LightBlock>; readonly origin?: Verified<Origin> }
  /** It keeps no such header any more; `next` is the first one above that it has. */
  | { readonly kind: 'pruned'; readonly next: Height }
  /** It has no such block (yet). */
  | { readonly kind: 'absent' }
  /** Nothing came, or nothing that can be used. */
  | { readonly kind: 'refused'; readonly code: RefusalCode; readonly reason: string }

export type RefusalCode =
  /** Nobody there, or no answer of a node. */
  | 'unreachable'
  | 'wrong-network'
  /** What is trusted is older than the trusting period. */
  | 'expired-trust'
  /** The block that is trusted isn't there. */
  | 'other-block'
  /** A header that its own validators haven't signed, or an answer that isn't of the right form. */
  | 'forged'
  /** Validators whom nothing that is trusted leads to. */
  | 'wrong-validators'
  /** A header of the future, or one whose time or height runs backwards. */
  | 'time-travel'
  /** The newest header is older than a living network's can be. */
  | 'stale'
  /** Sources disagree, and the one that is followed can't explain its chain. */
  | 'contradicted'
  | 'not-found'
  | 'pruned'
  | 'too-many-requests'

export interface Refusal {
  readonly kind: 'refused'
  readonly code: RefusalCode
  readonly reason: string
}

export const refuse = (code: RefusalCode, reason: string): Refusal => ({ kind: 'refused', code, reason })

/** A header from which to go on. */
export interface Trusted {
  /** 0 for the genesis. */
  readonly height: Height
  readonly hash: BlockHash
  readonly time: UnixMs
  /** Who votes on the next block. */
  readonly next: ValidatorSet
}

/** All that a light client keeps. */
export interface LightState {
  readonly network: NetworkId
  readonly parameters: Parameters
  readonly genesis: Trusted
  /** In the order of their heights, never empty. */
  readonly trusted: readonly Trusted[]
  /**
   * Whether it leads to what was trusted over stake that could be slashed all the while. Otherwise it began at a
   * genesis older than the trusting period, and keys that hold no stake any more may have made up the present.
   */
  readonly isPinned: boolean
}

/** What is wrong with a witness; or with the followed source, by what a witness has. */
export interface Complaint {
  readonly source: Source
  readonly code: RefusalCode
  readonly reason: string
}

/** A header of the network's, by everything that was asked. */
export interface Followed {
  readonly kind: 'followed'
  readonly state: LightState
  /** Absent: the network has no block yet. */
  readonly block?: Verified<LightBlock>
  readonly at: Trusted
  /** As {@link LightState.isPinned}, of this header: one of long ago is proven from the network id alone. */
  readonly isPinned: boolean
  readonly complaints: readonly Complaint[]
}

/** Two chains, both signed: nothing can be believed until people have looked at it. */
export interface Forked {
  readonly kind: 'forked'
  readonly fork: Fork
  /** The witness that showed the other chain. */
  readonly source: Source
}

export type Outcome = Followed | Forked | Refusal

/**
 * A look at the network, run by whoever can ask: each yielded request is to be given its answer. It reads no clock and
 * waits for nothing, so that the same answers lead to the same outcome.
 */
export type Steps<Result> = Generator<Request, Result, Answer>

/** Of one look. */
export interface Look {
  readonly parameters: Parameters
  readonly nowMs: number
  /** How many requests it may still make. */
  left: number
}
