/**
 * Who proposes in a round.
 *
 * The rounds of a height walk a permutation of the validators, drawn by stake and without repetition, so that
 * over many heights a validator opens as often as its stake is large, and within a height a dead proposer
 * costs one round. Network and height are the seed: nothing is stored, and whoever knows the set knows the
 * order. After everyone had a round, the permutation repeats.
 */
import { hashObject } from '../crypto/hash.ts'
import { assert } from '../errors.ts'
import type { ValidatorSet } from '../objects/validators.ts'
import type { Address, Height, NetworkId, Round } from '../units.ts'

export type ProposerOf = (round: Round) => Address

/** Places are drawn when they are asked for: most heights need the first alone. */
export const proposersOf = (network: NetworkId, height: Height, validators: ValidatorSet): ProposerOf => {
  const drawn: Address[] = []
  const undrawn = new Map(validators.stakes)
  let stakeLeft = validators.total

  const drawNext = (): void => {
    const seed = hashObject('proposer', { network, height, place: drawn.length })
    const address = stakeholderAt(undrawn, drawBelow(stakeLeft, seed))
    stakeLeft -= undrawn.get(address)!
    undrawn.delete(address)
    drawn.push(address)
  }

  return (round) => {
    const place = round % validators.list.length
    while (drawn.length <= place) drawNext()
    return drawn[place]!
  }
}

/** 256 bits against a sum of stakes below 2^134: the bias of the remainder is below 2^-122. */
const drawBelow = (limit: bigint, seed: string): bigint => {
  assert(limit > 0n, 'every validator holds stake')
  return BigInt(`0x${seed}`) % limit
}

/** Whose part of the stakes, laid end to end in the order of the list, the point lies in. */
const stakeholderAt = (stakes: ReadonlyMap<Address, bigint>, point: bigint): Address => {
  let end = 0n
  for (const [address, stake] of stakes) {
    end += stake
    if (point < end) return address
  }
  throw new Error('broken invariant: the point lies within the stakes')
}
