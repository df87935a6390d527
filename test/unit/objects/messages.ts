/** Consensus messages whose signatures nobody checks. */
import type { Precommit, Prevote, Proposal } from '../../../src/objects/vote.ts'
import { type Address, height, type NetworkId, round } from '../../../src/units.ts'
import { network, signature } from './samples.ts'

const place = { network: network as NetworkId, height: height(3), round: round(1) }

const signedBy = (validator: Address) => ({
  validator,
  signature: signature as Proposal['signature'],
})

export const proposalBy = (
  validator: Address,
  said: Pick<Proposal, 'block'> & Partial<Proposal>,
): Proposal => ({ kind: 'proposal', ...place, ...said, ...signedBy(validator) })

/** @param said - without a block, a vote for nil */
export const prevoteBy = (validator: Address, said: Partial<Prevote>): Prevote => ({
  kind: 'prevote',
  ...place,
  ...said,
  ...signedBy(validator),
})

/** @param said - without a block, a vote for nil */
export const precommitBy = (validator: Address, said: Partial<Precommit>): Precommit => ({
  kind: 'precommit',
  ...place,
  ...said,
  ...signedBy(validator),
})
