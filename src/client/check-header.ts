/** Headers as a node gives them, checked for everything that can be known from themselves. */

import { type Answer, refuse } from '../light/light.ts'
import { refuseCertified, refuseFinality } from '../node/finality.ts'
import { hashHeader } from '../objects/block.ts'
import { headerViewSchema, type LightBlock } from '../objects/light-block.ts'
import { hashValidators, validatorSet } from '../objects/validators.ts'
import { type Verified, verified } from '../objects/verified.ts'
import type { Verifier } from '../ports/keys.ts'
import type { NetworkId } from '../units.ts'

/** @param value - parsed JSON, of any form */
export const checkHeader = async (
  verifier: Verifier,
  network: NetworkId,
  value: unknown,
): Promise<Answer> => {
  const parsed = headerViewSchema.safeParse(value)
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!
    return refuse('forged', `this is no header of a node: ${path.join('.') || 'the answer'}: ${message}`)
  }
  if ('genesis' in parsed.data) return { kind: 'genesis', genesis: parsed.data.genesis }
  const { origin, ...light } = parsed.data
  if (light.header.network !== network)
    return refuse('wrong-network', `it is of network ${light.header.network}, and ${network} was expected`)
  const block = await checkLightBlock(verifier, network, light)
  if (typeof block === 'string') return refuse('forged', block)
  if (!origin) return { kind: 'block', block }
  const { header, certificate } = block
  const flaw = await refuseFinality(verifier, { ...origin, header, certificate }, network)
  if (flaw !== undefined)
    return refuse('wrong-validators', `nothing leads from the network id to block ${header.height}: ${flaw}`)
  return { kind: 'block', block, origin: verified(origin) }
}

/** That more than two thirds of the validators that it names have signed it. @returns why it isn't so */
export const checkLightBlock = async (
  verifier: Verifier,
  network: NetworkId,
  block: LightBlock,
): Promise<Verified<LightBlock> | string> => {
  const { header, certificate, validators, nextValidators } = block
  const set = validatorSet(validators)
  const next = nextValidators ? hashValidators(nextValidators) : set.hash
  if (next !== header.nextValidatorsHash)
    return `header ${header.height} names other next validators than those that came with it`
  const flaw = await refuseCertified(verifier, header, certificate, set, network)
  return flaw ?? verified(block)
}

/** For messages. */
export const nameOf = ({ header }: LightBlock): string => `block ${header.height} (${hashHeader(header)})`
