/** What a consensus machine is told. */
import type { Verified } from '../objects/verified.ts'
import type { Certificate, Proposal, Vote } from '../objects/vote.ts'
import type { BlockHash, Round } from '../units.ts'
import type { Judgement } from './message-log.ts'
import type { Timeout } from './timeouts.ts'

export type Input =
  /** There is something to put into a block (a transaction, evidence, the heartbeat that is due), or no longer. */
  | { readonly kind: 'pending'; readonly has: boolean }
  /** Answers the effect `propose`: this block is built, executed and stored. */
  | { readonly kind: 'value'; readonly round: Round; readonly block: BlockHash }
  /** A proposal whose whole block is held and was executed. Own ones too, and again after a restart. */
  | ({ readonly kind: 'proposal'; readonly message: Verified<Proposal> } & Judgement)
  /** Own ones too. Hearing a vote again does no harm, and sometimes what was dropped is wanted later. */
  | { readonly kind: 'vote'; readonly message: Verified<Vote> }
  | { readonly kind: 'timeout'; readonly timeout: Timeout }
  /** The height is decided elsewhere; checked against this height's validator set. */
  | { readonly kind: 'certificate'; readonly certificate: Verified<Certificate> }
