/**
 * One step: whether somebody who trusts a header may trust a later one.
 *
 * The later one carries the signatures of more than two thirds of its own validators. Those are the network's when
 * the trusted header names them as the next; or when more than a third of the stake that it names has signed, since
 * then at least one honest validator is among the signers, as long as that stake could still be slashed for a lie.
 *
 * @see arXiv:2010.07031 §4, `ValidAndVerified`
 */
import { hashHeader } from '../objects/block.ts'
import type { GenesisAnchor } from '../objects/genesis.ts'
import { networkIdOf } from '../objects/genesis.ts'
import type { LightBlock } from '../objects/light-block.ts'
import type { Parameters } from '../objects/parameters.ts'
import { holdsHonest, type ValidatorSet, validatorSet } from '../objects/validators.ts'
import type { Verified } from '../objects/verified.ts'
import { height } from '../units.ts'
import { type Look, type Refusal, refuse, type Trusted } from './protocol.ts'

export const trustedGenesis = (genesis: GenesisAnchor): Trusted => ({
  height: height(0),
  hash: networkIdOf(genesis),
  time: genesis.time,
  next: validatorSet(genesis.validators),
})

export const trustedOf = ({ header, validators, nextValidators }: LightBlock): Trusted => ({
  height: header.height,
  hash: hashHeader(header),
  time: header.time,
  next: validatorSet(nextValidators ?? validators),
})

export type Judgement = { readonly kind: 'accept' } | { readonly kind: 'too-far' } | Refusal

/** @param block - of a greater height than the trusted one */
export const judgeStep = (from: Trusted, block: Verified<LightBlock>, look: Look): Judgement => {
  const { header } = block
  const flaw = flawOfTime(from, block, look)
  if (flaw) return flaw
  const isNext = header.height === from.height + 1
  if (isNext && header.parent !== from.hash)
    return refuse(
      'contradicted',
      `block ${header.height} does not follow from block ${from.height}, which is trusted`,
    )
  if (header.validatorsHash === from.next.hash) return { kind: 'accept' }
  if (isNext)
    return refuse(
      'wrong-validators',
      `block ${header.height} is signed by other validators than those whom block ${from.height} names as the next`,
    )
  return signsForHonest(block, from.next) ? { kind: 'accept' } : { kind: 'too-far' }
}

/** More than a third of this set's stake has signed. */
export const signsForHonest = ({ certificate }: LightBlock, { stakes, total }: ValidatorSet): boolean => {
  const signed = certificate.precommits.reduce(
    (sum, { validator }) => sum + (stakes.get(validator) ?? 0n),
    0n,
  )
  return holdsHonest(signed, total)
}

/** No validator that has lied since then got its stake back: unbonding takes longer than the trusting period. */
export const isYoung = (
  { time }: { readonly time: number },
  { nowMs, parameters }: { readonly nowMs: number; readonly parameters: Parameters },
): boolean => time + parameters.trustingPeriodMs > nowMs

const flawOfTime = (from: Trusted, { header }: LightBlock, look: Look): Refusal | undefined => {
  const { clockPrecisionMs, messageDelayMs } = look.parameters
  if (!isYoung(from, look))
    return refuse(
      'expired-trust',
      `block ${from.height} is older than the trusting period, ${describeDays(look.parameters.trustingPeriodMs)}: keys that hold no stake any more may forge what follows; get the height and hash of a recent block from somebody whom you trust`,
    )
  if (header.time <= from.time)
    return refuse(
      'time-travel',
      `block ${header.height} says it is of ${header.time}, no later than block ${from.height} of ${from.time}: time runs backwards`,
    )
  if (header.time > look.nowMs + clockPrecisionMs + messageDelayMs)
    return refuse(
      'time-travel',
      `block ${header.height} says it is of ${header.time}, and now is ${look.nowMs}: it is of the future, or this clock is late`,
    )
  return undefined
}

const dayMs = 24 * 60 * 60 * 1_000

export const describeDays = (ms: number): string =>
  ms % dayMs === 0 ? `${ms / dayMs} days` : `${Math.round(ms / 1_000)} s`
