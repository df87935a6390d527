/**
 * What a certificate must be, said once more and without the node's own code: a node that is broken on purpose
 * replays its ledger with the same broken code, and would find nothing.
 */
import type { Header } from '../../src/objects/block.ts'
import { hashValidators, type ValidatorList } from '../../src/objects/validators.ts'
import { type Certificate, messageSigningText } from '../../src/objects/vote.ts'
import type { Verifier } from '../../src/ports/keys.ts'
import type { BlockHash, Hash } from '../../src/units.ts'

export interface Certified {
  readonly block: BlockHash
  readonly header: Header
  /** What the block before it, or the genesis, says of this block's validators. */
  readonly validatorsHash: Hash
  /** Who votes on it, as they are found in the state. */
  readonly validators: ValidatorList
}

/** @returns what is wrong with it */
export const flawOfCertificate = async (
  certificate: Certificate,
  { block, header, validatorsHash, validators }: Certified,
  verifier: Verifier,
): Promise<string | undefined> => {
  const { network, height } = header
  if (header.validatorsHash !== validatorsHash) return 'its block names other validators than the one before'
  if (hashValidators(validators) !== validatorsHash)
    return 'the validators that it counts are not those named'
  if (certificate.height !== height || certificate.block !== block) return 'it is of another block'
  const stakes = new Map(validators.map(({ address, stake }) => [address, BigInt(stake)]))
  const total = [...stakes.values()].reduce((sum, stake) => sum + stake, 0n)
  let signed = 0n
  for (const { validator, signature } of certificate.precommits) {
    const text = messageSigningText({
      kind: 'precommit',
      network,
      height,
      round: certificate.round,
      block,
      validator,
    })
    if (!(await verifier.verify(validator, text, signature))) return 'one of its signatures does not hold'
    signed += stakes.get(validator) ?? 0n
    stakes.delete(validator)
  }
  return 3n * signed > 2n * total ? undefined : `${signed} of ${total} have signed it`
}
