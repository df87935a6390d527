/**
 * Which snapshot to fetch: the newest whose header is proven from the network id, young enough to be trusted, and
 * of the history that the operator named a block of.
 */
import { TautlineError } from '../../errors.ts'
import { hashHeader } from '../../objects/block.ts'
import type { Genesis } from '../../objects/genesis.ts'
import type { BlockPin } from '../../objects/join-string.ts'
import type { CertifiedFinality } from '../../objects/proof.ts'
import { hashValidators } from '../../objects/validators.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Verifier } from '../../ports/keys.ts'
import type { Height, NetworkId } from '../../units.ts'
import { refuseFinality } from '../finality.ts'
import { type Source, SourceFault } from './sources.ts'

export interface ChoiceParts {
  readonly network: NetworkId
  readonly genesis: Genesis
  readonly pin: BlockPin | undefined
  readonly verifier: Verifier
  readonly clock: Pick<Clock, 'now'>
}

export interface Choice {
  readonly proof: CertifiedFinality
  /** Who says that they have it. */
  readonly sources: readonly Source[]
}

/**
 * @returns undefined when those who answer have none
 * @throws TautlineError `bad-configuration` when nobody answers with what can be used, with the reason of each
 */
export const chooseSnapshot = async (
  sources: readonly Source[],
  parts: ChoiceParts,
): Promise<Choice | undefined> => {
  const offers = await Promise.all(sources.map(readOffers))
  const heights = new Set(offers.flatMap(({ heights }) => heights))
  for (const height of [...heights].sort((one, other) => other - one)) {
    const having = offers.filter(({ heights }) => heights.includes(height)).map(({ source }) => source)
    const proof = await firstProof(having, height, parts)
    if (proof) return { proof, sources: having.filter(({ fault }) => fault === undefined) }
  }
  if (sources.some(({ fault }) => fault === undefined)) return undefined
  const reasons = sources.map(({ url, fault }) => `${url}: ${fault}`).join('; ')
  throw new TautlineError('bad-configuration', `no snapshot can be had: ${reasons}`)
}

const readOffers = async (source: Source): Promise<{ source: Source; heights: readonly Height[] }> => {
  const offers = await attempt(source, () => source.snapshots())
  return { source, heights: offers?.map(({ height }) => height) ?? [] }
}

const firstProof = async (
  sources: readonly Source[],
  height: Height,
  parts: ChoiceParts,
): Promise<CertifiedFinality | undefined> => {
  for (const source of sources) {
    if (source.fault !== undefined) continue
    const proof = await attempt(source, () => readProof(source, height, parts))
    if (proof) return proof
  }
  return undefined
}

/** What it throws is held against the node. */
const attempt = async <Value>(source: Source, run: () => Promise<Value>): Promise<Value | undefined> => {
  try {
    return await run()
  } catch (error) {
    if (!(error instanceof SourceFault)) throw error
    source.drop(error.message)
    return undefined
  }
}

const readProof = async (source: Source, height: Height, parts: ChoiceParts): Promise<CertifiedFinality> => {
  const { network, genesis, verifier, clock, pin } = parts
  const finality = await source.proof(height)
  const { header, certificate } = finality
  if (header?.height !== height || !certificate)
    throw new SourceFault(`what it gives for the snapshot of height ${height} is of another height`)
  const refusal = await refuseFinality(verifier, finality, network)
  if (refusal !== undefined)
    throw new SourceFault(`the snapshot of height ${height} is not proven: ${refusal}`)
  const ageMs = clock.now() - header.time
  if (ageMs > genesis.parameters.trustingPeriodMs) {
    throw new SourceFault(
      `its newest snapshot is ${Math.floor(ageMs / 86_400_000)} days old, which is more than the trusting period: old keys could have made it up`,
    )
  }
  const proof = { ...finality, header, certificate }
  if (pin) await requirePin(source, proof, pin)
  return proof
}

/** A pin above the snapshot is compared when the chain gets there. */
const requirePin = async (
  source: Source,
  { header, hops }: CertifiedFinality,
  pin: BlockPin,
): Promise<void> => {
  if (pin.height > header.height) return
  const pinned = pin.height === header.height ? header : await source.header(pin)
  if (hashHeader(pinned) !== pin.hash)
    throw new SourceFault(
      `its block ${pin.height} is ${hashHeader(pinned)}, and the join string says ${pin.hash}`,
    )
  // The same validators at the pinned block: from there on, those who were trusted then vouch for the changes.
  const before = hops.findLast((hop) => hop.header.height < pin.height)
  if (before && hashValidators(before.validators) !== pinned.validatorsHash)
    throw new SourceFault(`its snapshot is of another history than block ${pin.height} of the join string`)
}
