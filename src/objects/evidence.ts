/**
 * Evidence: two messages of one validator, for one height, round and kind, that say different things.
 *
 * It proves itself: whoever holds the two messages can check their signatures and needs to believe nobody.
 */
import * as z from 'zod'
import { canonicalize, type Json } from '../codec/json.ts'
import type { Address, NetworkId } from '../units.ts'
import { type ConsensusMessage, precommitSchema, prevoteSchema, proposalSchema } from './vote.ts'

export const consensusMessageSchema = z.discriminatedUnion('kind', [
  proposalSchema,
  prevoteSchema,
  precommitSchema,
])

/** Of one validator, network, height, round and kind; the one whose canonical text is smaller comes first. */
export const evidenceSchema = z.strictObject({
  first: consensusMessageSchema,
  second: consensusMessageSchema,
})
export type Evidence = z.output<typeof evidenceSchema>

/** Most pieces of evidence of one block. */
export const maxEvidence = 16

/** What the two say, without how they are signed. */
const contentText = ({ signature: _, ...content }: ConsensusMessage): string =>
  canonicalize(content as unknown as Json)

/** Brings two conflicting messages into their order. */
export const evidenceOf = (one: ConsensusMessage, other: ConsensusMessage): Evidence =>
  contentText(one) < contentText(other) ? { first: one, second: other } : { first: other, second: one }

/** @returns what keeps it from being evidence, whatever its signatures are; undefined when nothing does */
export const flawOfEvidence = ({ first, second }: Evidence): string | undefined => {
  const isOnePlace =
    first.kind === second.kind &&
    first.network === second.network &&
    first.validator === second.validator &&
    first.height === second.height &&
    first.round === second.round
  if (!isOnePlace) return 'its two messages are not of one validator, network, height, round and kind'
  return contentText(first) < contentText(second)
    ? undefined
    : 'its two messages say the same, or are not in order'
}

/** Whom it is against. */
export const accusedOf = ({ first }: Evidence): Address => first.validator

/** Canonical text, by which the evidence of a block is sorted. */
export const evidenceText = (evidence: Evidence): string => canonicalize(evidence)

/** @returns which rule the evidence of a block breaks, whatever its signatures are and whomever it is against */
export const flawOfEvidenceList = (list: readonly Evidence[], network: NetworkId): string | undefined => {
  if (list.length > maxEvidence)
    return `it holds ${list.length} pieces of evidence, and the most is ${maxEvidence}`
  const texts = list.map(evidenceText)
  for (const [at, evidence] of list.entries()) {
    const flaw = flawOfEvidence(evidence)
    if (flaw !== undefined) return `its evidence ${at} is none: ${flaw}`
    if (evidence.first.network !== network)
      return `its evidence ${at} is of network ${evidence.first.network}`
    if (at > 0 && texts[at - 1]! >= texts[at]!) return 'its evidence is not sorted by its canonical text'
  }
  const isUnique = new Set(list.map(accusedOf)).size === list.length
  return isUnique ? undefined : 'two pieces of its evidence are against the same validator'
}
