/**
 * Verifies a ledger whose first blocks are gone: what is left can't be replayed from the genesis.
 *
 * Each block that is kept is checked for its form, its links, its certificate and every signature; that its
 * validators are who they are follows from the genesis by the headers where they changed. What its transactions
 * led to is compared with the root that its header has of them. The state is checked by its hashes up to the root
 * in the head's header, which more than two thirds of the stake have signed; the blocks since the last checkpoint
 * were run again when the ledger was opened.
 */

import { merkleRoot } from '../crypto/merkle.ts'
import { TautlineError } from '../errors.ts'
import { leafHash } from '../objects/block.ts'
import type { Finality } from '../objects/proof.ts'
import { type ValidatorSet, validatorSet } from '../objects/validators.ts'
import type { Verifier } from '../ports/keys.ts'
import { height as asHeight, type Height } from '../units.ts'
import { type BlockSink, blockMismatch, type DecodedBlock } from './block-sink.ts'
import type { Chain } from './chain.ts'
import { refuseFinality } from './finality.ts'
import { proveFinality } from './proofs.ts'
import { readAll, replayAll } from './replay.ts'

/**
 * @param onProgress - told after each block
 * @returns number of transactions in the blocks that are kept
 * @throws TautlineError `ledger-mismatch`, saying where what is wrong
 */
export const verifyPruned = async (
  chain: Chain,
  verifier: Verifier,
  onProgress: (height: Height, of: Height) => void,
): Promise<number> => {
  await verifyHead(chain, verifier)
  let transactions = 0
  const sink = comparingSink(chain, await basisOf(chain))
  await replayAll(readAll(chain), {
    sink,
    network: chain.network,
    verifier,
    onApplied: (block) => {
      transactions += block.transactions.length
      onProgress(block.header.height, chain.head.height)
    },
  })
  if (sink.head.hash !== chain.head.hash)
    throw new TautlineError(
      'ledger-mismatch',
      `the blocks lead to ${sink.head.hash}, and the head is ${chain.head.hash}`,
    )
  return transactions
}

/** From the network's id over all changes of the validators to the head, and to the state. */
const verifyHead = async (chain: Chain, verifier: Verifier): Promise<void> => {
  const { head, network } = chain
  const finality: Finality = await proveFinality(chain, head.height)
  const refusal = await refuseFinality(verifier, finality, network)
  if (refusal !== undefined) throw new TautlineError('ledger-mismatch', `the head is not proven: ${refusal}`)
  if (finality.header?.stateRoot !== head.state.hash)
    throw new TautlineError(
      'ledger-mismatch',
      `the state is ${head.state.hash}, and the head's header says ${finality.header?.stateRoot}`,
    )
}

/** What the first block that is kept must follow. */
const basisOf = async (chain: Chain): Promise<BlockSink['head']> => {
  const { head, kept, genesis, reader } = chain
  const hash = kept.oldest > head.height ? head.hash : (await reader.header(kept.oldest)).parent
  const { hops } = await proveFinality(chain, kept.oldest)
  const voters = hops.at(-1)?.validators ?? genesis.validators
  return { height: asHeight(kept.oldest - 1), hash, validators: validatorSet(voters) }
}

/** Takes blocks that are proven, and compares what else the ledger says of them. */
const comparingSink = (chain: Chain, basis: BlockSink['head']): BlockSink => {
  let head = basis
  return {
    get head() {
      return head
    },
    apply: async (block) => {
      await compareOutcomes(chain, block)
      const { header, hash } = block
      const isHop = header.nextValidatorsHash !== header.validatorsHash
      const validators = isHop ? await nextVoters(chain, block) : head.validators
      head = { height: header.height, hash, validators }
    },
  }
}

const compareOutcomes = async ({ reader }: Chain, { header, transactions }: DecodedBlock): Promise<void> => {
  const failures = await reader.failures(header.height)
  const leaves = transactions.map(({ hash }, index) =>
    leafHash(hash, failures[index] ? 'failed' : 'committed'),
  )
  if (merkleRoot(leaves) !== header.transactionsRoot)
    throw blockMismatch(header, 'its transactions, with what became of them, are not those of its header')
  for (const [index, { id }] of transactions.entries()) {
    const place = await reader.placeOf(id)
    if (place?.height !== header.height || place.index !== index)
      throw blockMismatch(header, `transaction ${id} can't be found under its id`)
  }
}

const nextVoters = async ({ reader }: Chain, { header }: DecodedBlock): Promise<ValidatorSet> => {
  const voters = validatorSet(await reader.validators(header.nextValidatorsHash))
  if (voters.hash === header.nextValidatorsHash) return voters
  throw blockMismatch(header, 'the validators that are kept are not those that it names as the next')
}
