/**
 * Finality: whether a header is one that the validators of a network have decided, for somebody who knows nothing
 * but the network's id.
 *
 * The genesis hashes to the network id and names the first validators; each hop is a block that they signed and
 * after which others vote; the last set signed the header.
 */
import { type Header, hashHeader } from '../objects/block.ts'
import { type GenesisAnchor, networkIdOf } from '../objects/genesis.ts'
import type { Finality, Hop } from '../objects/proof.ts'
import { hashValidators, type ValidatorSet, validatorSet } from '../objects/validators.ts'
import type { Certificate } from '../objects/vote.ts'
import type { Verifier } from '../ports/keys.ts'
import type { NetworkId } from '../units.ts'
import { refuseCertificate } from './check-certificate.ts'

/** Why something is not proven; undefined: nothing speaks against it. */
type Refusal = string | undefined

/** From the network id over all changes of the validator set to the header. */
export const refuseFinality = async (
  verifier: Verifier,
  { genesis, hops, header, certificate }: Finality,
  network: NetworkId,
): Promise<Refusal> => {
  const started = networkIdOf(genesis)
  if (started !== network) return `the proof is of network ${started}, not of ${network}`
  if (header === undefined) return refuseBeyondGenesis(hops, certificate)
  if (certificate === undefined) return 'the certificate of the header is missing'
  const walked = await walkHops(verifier, walkFromGenesis(genesis), hops, network)
  if (typeof walked === 'string') return walked
  if (header.height <= walked.height)
    return `the header is of height ${header.height}, expected one above the last hop's, ${walked.height}`
  return refuseCertified(verifier, header, certificate, walked.set, network)
}

const refuseBeyondGenesis = (hops: readonly Hop[], certificate: Certificate | undefined): Refusal => {
  if (certificate !== undefined || hops.length > 0)
    return 'the header is missing: without one only the genesis is proven, which has no certificate and no hops'
  return undefined
}

export interface Walked {
  /** Who votes above {@link Walked.height}. */
  readonly set: ValidatorSet
  readonly height: number
}

export const walkFromGenesis = ({ validators }: GenesisAnchor): Walked => ({
  set: validatorSet(validators),
  height: 0,
})

/** @returns who votes after the last hop, or why a hop is none */
export const walkHops = async (
  verifier: Verifier,
  from: Walked,
  hops: readonly Hop[],
  network: NetworkId,
): Promise<Walked | string> => {
  let walked = from
  for (const hop of hops) {
    const refusal = await refuseHop(verifier, hop, walked, network)
    if (refusal !== undefined) return `hop to height ${hop.header.height}: ${refusal}`
    walked = { set: validatorSet(hop.validators), height: hop.header.height }
  }
  return walked
}

const refuseHop = async (
  verifier: Verifier,
  { header, certificate, validators }: Hop,
  from: Walked,
  network: NetworkId,
): Promise<Refusal> => {
  if (header.height <= from.height) return `expected a height above ${from.height}: hops ascend`
  if (header.nextValidatorsHash === header.validatorsHash) return 'the validators do not change there'
  if (hashValidators(validators) !== header.nextValidatorsHash)
    return 'the validators are not those that the header names as the next'
  return refuseCertified(verifier, header, certificate, from.set, network)
}

/** The header is of this network, and this set has decided it. */
export const refuseCertified = async (
  verifier: Verifier,
  header: Header,
  certificate: Certificate,
  validators: ValidatorSet,
  network: NetworkId,
): Promise<Refusal> => {
  const { height } = header
  if (header.network !== network)
    return `the header of height ${height} is of network ${header.network}, not of ${network}`
  if (header.validatorsHash !== validators.hash)
    return `the header of height ${height} was voted on by other validators: a hop is missing or wrong`
  const expected = { network, height, block: hashHeader(header), validators }
  const refusal = await refuseCertificate(verifier, certificate, expected)
  return refusal && `the certificate does not prove the header of height ${height}: ${refusal}`
}
