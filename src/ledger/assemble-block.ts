/** A block out of an execution: its header, its hash and its canonical text. */
import { canonicalize } from '../codec/json.ts'
import { merkleRoot } from '../crypto/merkle.ts'
import { evidenceRoot, type Header, hashHeader, leafHash } from '../objects/block.ts'
import { type Evidence, evidenceText } from '../objects/evidence.ts'
import type { DecodedTransaction } from '../objects/transaction.ts'
import { hashValidators } from '../objects/validators.ts'
import type { BlockHash, Hash, Height } from '../units.ts'
import type { BlockContext, Execution } from './execute-block.ts'
import type { Outcome } from './transact.ts'

export interface AssembledBlock {
  readonly header: Header
  readonly hash: BlockHash
  readonly evidence: readonly Evidence[]
  readonly transactions: readonly DecodedTransaction[]
  readonly outcomes: readonly Outcome[]
  /** Canonical text of the whole block. */
  readonly text: string
}

export const leavesOf = (
  transactions: readonly DecodedTransaction[],
  outcomes: readonly Outcome[],
): readonly Hash[] => transactions.map(({ hash }, index) => leafHash(hash, outcomes[index]!.status))

/** @param place - where in the chain the block stands, and the roots before and after it */
export const assembleBlock = (
  execution: Execution,
  { network, time, proposer }: BlockContext,
  place: { height: Height; parent: BlockHash; validatorsHash: Hash; stateRoot: Hash },
): AssembledBlock => {
  const { evidence, included, outcomes } = execution
  const header: Header = {
    network,
    height: place.height,
    time,
    parent: place.parent,
    proposer,
    evidenceRoot: evidenceRoot(evidence),
    transactionsRoot: merkleRoot(leavesOf(included, outcomes)),
    stateRoot: place.stateRoot,
    validatorsHash: place.validatorsHash,
    nextValidatorsHash: hashValidators(execution.validators),
    count: included.length,
  }
  // The texts of evidence and transactions are canonical already, and these three names are in order.
  const text = `{"evidence":[${evidence.map(evidenceText).join(',')}],"header":${canonicalize(header)},"transactions":[${included.map(({ text }) => text).join(',')}]}`
  return { header, hash: hashHeader(header), evidence, transactions: included, outcomes, text }
}
