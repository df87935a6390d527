/**
 * Proofs: everything that somebody needs who trusts only the network id (see `objects/proof.ts`).
 *
 * What is proven is read at one head, so a proof is of one moment even while blocks are being committed.
 */

import type { Json } from '../codec/json.ts'
import { merklePath } from '../crypto/merkle.ts'
import { TautlineError } from '../errors.ts'
import { accountKey } from '../ledger/account.ts'
import { type Block, leafHash } from '../objects/block.ts'
import { type AccountProof, type Hop, maxHops, type TransactionProof } from '../objects/proof.ts'
import { decodeTransaction } from '../objects/transaction.ts'
import type { Address, Height } from '../units.ts'
import type { Chain, Head } from './chain.ts'
import type { Place } from './ledger-store.ts'

export const proveTransaction = async (chain: Chain, { height, index }: Place): Promise<TransactionProof> => {
  const block = await chain.reader.block(height)
  const failures = await chain.reader.failures(height)
  const statusOf = (at: number) => (failures[at] ? 'failed' : 'committed')
  const leaves = block.transactions.map((transaction, at) =>
    leafHash(decodeTransaction(transaction as unknown as Json).hash, statusOf(at)),
  )
  return {
    kind: 'transaction',
    ...(await proveFinality(chain, height, block)),
    transaction: block.transactions[index]!,
    status: statusOf(index),
    index,
    path: [...merklePath(leaves, index)],
  }
}

/** @param head - whose state is proven */
export const proveAccount = async (chain: Chain, address: Address, head: Head): Promise<AccountProof> => ({
  kind: 'account',
  ...(await proveFinality(chain, head.height)),
  address,
  pages: [...(await chain.state.prove(head.state, accountKey(address)))],
})

export const proveFinality = async (chain: Chain, height: Height, known?: Block) => {
  const finality = { genesis: chain.anchor, hops: await hopsBelow(chain, height) }
  if (height === 0) return finality
  const header = known?.header ?? (await chain.reader.header(height))
  return { ...finality, header, certificate: await chain.reader.certificate(height) }
}

/** Every change of the validator set below a height: those that its voters follow from. */
const hopsBelow = async (chain: Chain, height: Height): Promise<Hop[]> => {
  const hops: Hop[] = []
  for (let number = 0; number < chain.head.hops; number++) {
    const at = await chain.reader.hopHeight(number)
    if (at >= height) break
    if (number === maxHops) throw tooManyHops(height)
    hops.push(await readHop(chain, at))
  }
  return hops
}

const readHop = async (chain: Chain, at: Height): Promise<Hop> => {
  const header = await chain.reader.header(at)
  return {
    header,
    certificate: await chain.reader.certificate(at),
    validators: [...(await chain.reader.validators(header.nextValidatorsHash))],
  }
}

const tooManyHops = (height: Height): TautlineError =>
  new TautlineError(
    'not-found',
    `the validators changed more than ${maxHops} times up to height ${height}, too often for one proof: follow the chain by segments instead`,
    { height },
  )
