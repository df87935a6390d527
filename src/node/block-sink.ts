/**
 * Where proven blocks go: what syncing hands them to, whoever else commits blocks on this node.
 *
 * A fresh node's chain is one by itself ({@link chainSink}); on a node that takes part in consensus it is the
 * decider, which commits them between two steps of its machine.
 */
import { canonicalize, type Json } from '../codec/json.ts'
import { TautlineError } from '../errors.ts'
import { brokenRule } from '../ledger/block-rules.ts'
import type { Header } from '../objects/block.ts'
import type { Evidence } from '../objects/evidence.ts'
import type { DecodedTransaction } from '../objects/transaction.ts'
import type { Verified } from '../objects/verified.ts'
import type { Certificate } from '../objects/vote.ts'
import type { BlockHash } from '../units.ts'
import type { Candidate, Chain, Head } from './chain.ts'

/** A block of the right form, with all that is derived from its bytes. */
export interface DecodedBlock {
  readonly header: Header
  readonly hash: BlockHash
  readonly evidence: readonly Verified<Evidence>[]
  readonly transactions: readonly DecodedTransaction[]
}

export interface BlockSink {
  readonly head: Pick<Head, 'height' | 'hash' | 'validators'>
  /**
   * Makes the block that follows the head final: durable when this resolves. One at or below the head is passed
   * over, since it was committed in another way meanwhile.
   *
   * @param block - its transactions' signatures are checked, its effects are not
   * @param certificate - of this block, checked against the head's validators
   * @throws TautlineError `ledger-mismatch` when executing it doesn't lead to its header, `storage-unavailable`
   */
  apply(block: Verified<DecodedBlock>, certificate: Verified<Certificate>): Promise<void>
}

/** For a chain on which nobody else commits. */
export const chainSink = (chain: Chain): BlockSink => {
  let last: Promise<void> = Promise.resolve()
  const commit = async (block: Verified<DecodedBlock>, certificate: Verified<Certificate>): Promise<void> => {
    if (block.header.height <= chain.head.height) return
    await chain.commit(await executeProven(chain, block), certificate)
  }
  return {
    get head() {
      return chain.head
    },
    apply: (block, certificate) => {
      const applied = last.then(() => commit(block, certificate))
      last = applied.catch(() => undefined) // whoever handed it over is told
      return applied
    },
  }
}

/**
 * Executes a block that others made on the head.
 *
 * @throws TautlineError `ledger-mismatch`, saying what is wrong with it
 */
export const executeProven = async (chain: Chain, block: Verified<DecodedBlock>): Promise<Candidate> => {
  const { header, hash, evidence, transactions } = block
  const broken = brokenRule(header, block, chain.head, chain.genesis.parameters)
  if (broken) throw blockMismatch(header, broken)
  const candidate = await chain.execute(transactions, { ...header, evidence })
  if (candidate.block.hash === hash) return candidate
  const differing = differingMembers(header, candidate.block.header).join(', ')
  throw blockMismatch(header, `executing it does not lead to its header: ${differing} differ`)
}

export const blockMismatch = ({ height }: Pick<Header, 'height'>, what: string): TautlineError =>
  new TautlineError('ledger-mismatch', `block ${height}: ${what}`, { height })

const differingMembers = (one: Header, other: Header): readonly string[] =>
  (Object.keys(one) as (keyof Header)[]).filter(
    (name) => canonicalize(one[name] as Json) !== canonicalize(other[name] as Json),
  )
