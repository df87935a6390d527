/** What a consensus machine wants done. */
import type { Verified } from '../objects/verified.ts'
import type { Certificate, ConsensusMessage, UnsignedMessage } from '../objects/vote.ts'
import type { Round } from '../units.ts'
import type { Conflict } from './message-log.ts'
import type { SignState } from './sign-state.ts'
import type { Timeout } from './timeouts.ts'

export type Effect =
  /** A round has begun; for those who watch. */
  | { readonly kind: 'round'; readonly round: Round }
  /** Build a block now, and answer with `value`; when there is nothing to put into it, with `pending` false. */
  | { readonly kind: 'propose'; readonly round: Round }
  /**
   * Sign, and feed the message straight back. Before it leaves the node, `state`, or a later one, is durable,
   * and so is the block that a proposal or precommit names.
   */
  | { readonly kind: 'sign'; readonly message: UnsignedMessage; readonly state: SignState }
  | { readonly kind: 'schedule'; readonly timeout: Timeout; readonly delayMs: number }
  /** Forget all timeouts scheduled so far. */
  | { readonly kind: 'cancel-timers' }
  /** Final. The block itself may have to be fetched: the precommits of others suffice for this. */
  | { readonly kind: 'decide'; readonly certificate: Certificate }
  /** One validator has contradicted itself; said once for each. */
  | { readonly kind: 'accuse'; readonly conflict: Conflict }
  /**
   * A message of our own key that the sign record doesn't know: the record is an old copy, or the key is in use
   * on a second machine. Nothing more is signed in this height, and without the operator in none after it.
   */
  | { readonly kind: 'foreign-signature'; readonly message: Verified<ConsensusMessage> }
