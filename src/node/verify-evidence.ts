/** Evidence whose signatures hold, which the ledger may act on. */
import { accusedOf, type Evidence, evidenceOf, flawOfEvidence } from '../objects/evidence.ts'
import { type Verified, verified } from '../objects/verified.ts'
import { type ConsensusMessage, messageSigningText } from '../objects/vote.ts'
import type { Verifier } from '../ports/keys.ts'

/** @returns undefined when it is none, or one of its signatures isn't its validator's */
export const verifyEvidence = async (
  verifier: Verifier,
  evidence: Evidence,
): Promise<Verified<Evidence> | undefined> => {
  if (flawOfEvidence(evidence) !== undefined) return undefined
  const verdicts = await Promise.all(
    [evidence.first, evidence.second].map((message) =>
      verifier.verify(message.validator, messageSigningText(message), message.signature),
    ),
  )
  return verdicts.every(Boolean) ? verified(evidence) : undefined
}

/** @returns the evidence of a block, or what is wrong with it */
export const verifyEvidenceList = async (
  verifier: Verifier,
  list: readonly Evidence[],
): Promise<readonly Verified<Evidence>[] | string> => {
  const checked = await Promise.all(list.map((evidence) => verifyEvidence(verifier, evidence)))
  const at = checked.indexOf(undefined)
  if (at >= 0) return `its evidence against ${accusedOf(list[at]!)} is none, or has no valid signatures`
  return checked.filter((evidence) => evidence !== undefined)
}

/** Evidence out of two messages that were verified when they were heard. */
export const verifiedEvidenceOf = (
  one: Verified<ConsensusMessage>,
  other: Verified<ConsensusMessage>,
): Verified<Evidence> => verified(evidenceOf(one, other))
