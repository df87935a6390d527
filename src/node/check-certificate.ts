/** Whether a certificate proves a block: more than two thirds of the stake of its validators have signed. */

import { isQuorum, type ValidatorSet } from '../objects/validators.ts'
import { type Certificate, certificateSigningText } from '../objects/vote.ts'
import type { Verifier } from '../ports/keys.ts'
import type { BlockHash, Height, NetworkId } from '../units.ts'

/** @returns why it doesn't, or undefined when it does */
export const refuseCertificate = async (
  verifier: Verifier,
  certificate: Certificate,
  expected: {
    readonly network: NetworkId
    readonly height: Height
    readonly block: BlockHash
    readonly validators: ValidatorSet
  },
): Promise<string | undefined> => {
  const { precommits, height, block } = certificate
  if (height !== expected.height || block !== expected.block)
    return `it is for block ${block} at height ${height}`
  const isAscending = precommits.every(
    ({ validator }, at) => at === 0 || precommits[at - 1]!.validator < validator,
  )
  if (!isAscending) return 'its precommits are not sorted by validator, each once'
  let stake = 0n
  for (const { validator } of precommits) {
    const share = expected.validators.stakes.get(validator)
    if (share === undefined) return `${validator} is not a validator of this block`
    stake += share
  }
  if (!isQuorum(stake, expected.validators.total)) {
    return `${stake} of ${expected.validators.total} staked units have signed, and more than two thirds are needed`
  }
  const text = certificateSigningText(expected.network, certificate)
  const verdicts = await Promise.all(
    precommits.map(({ validator, signature }) => verifier.verify(validator, text, signature)),
  )
  const forged = verdicts.indexOf(false)
  return forged < 0 ? undefined : `the signature of ${precommits[forged]!.validator} is not one`
}
