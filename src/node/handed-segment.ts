/** A segment with all its certificates, as nodes hand it to each other: asked for by GET, or sent by POST. */
import * as z from 'zod'
import { canonicalize, type Json, parseJson } from '../codec/json.ts'
import { TautlineError } from '../errors.ts'
import { maxSegmentBlocks, maxSegmentBytes } from '../messages/limits.ts'
import type { Block } from '../objects/block.ts'
import { maxEvidence } from '../objects/evidence.ts'
import type { Parameters } from '../objects/parameters.ts'
import type { UncheckedBlock } from './replay.ts'

/** Header and envelope of a block, and what a piece of evidence and a precommit take at most, as text. */
const outerBlockBytes = 2_048
const evidenceBytes = 2_048
const precommitBytes = 256

const envelopeSchema = z.strictObject({
  blocks: z.array(z.unknown()).max(maxSegmentBlocks),
  certificates: z.array(z.unknown()).max(maxSegmentBlocks),
  certificate: z.unknown().optional(),
})

/** Most bytes of one block with its certificate. */
const maxBlockBytes = ({ maxBlockBytes, maxBlockTransactions, maxValidators }: Parameters): number =>
  maxBlockBytes + // commas between transactions come on top
  maxBlockTransactions +
  outerBlockBytes +
  maxEvidence * evidenceBytes +
  maxValidators * precommitBytes

/** Most bytes of a segment: one block is given whatever its size, and the certificate of the last comes twice. */
export const maxHandedBytes = (parameters: Parameters): number =>
  Math.max(maxSegmentBytes, maxBlockBytes(parameters)) +
  parameters.maxValidators * precommitBytes +
  outerBlockBytes

/**
 * Takes a segment apart, whose blocks may be anything.
 *
 * @returns its blocks, each with its certificate, or what is wrong with it
 */
export const readHandedSegment = (value: Json): readonly UncheckedBlock[] | string => {
  const envelope = envelopeSchema.safeParse(value)
  if (!envelope.success) return `it is not of the form of a segment (${envelope.error.issues[0]!.message})`
  const blocks = envelope.data.blocks as readonly Json[]
  const certificates = envelope.data.certificates as readonly Json[]
  if (certificates.length !== blocks.length)
    return `it has ${blocks.length} blocks and ${certificates.length} certificates`
  const last = envelope.data.certificate as Json | undefined
  if (!isSame(last, certificates.at(-1))) return 'its last certificate is not that of its last block'
  return blocks.map((block, at) => ({ block, certificate: certificates[at]! }))
}

/** @returns as {@link readHandedSegment} */
export const parseHandedSegment = (text: string): readonly UncheckedBlock[] | string => {
  try {
    return readHandedSegment(parseJson(text))
  } catch (error) {
    if (error instanceof TautlineError) return error.message
    throw error
  }
}

const isSame = (one: Json | undefined, other: Json | undefined): boolean =>
  one === undefined || other === undefined ? one === other : canonicalize(one) === canonicalize(other)

/**
 * Whether a segment that was cut off after this block may be as short as it is: others vote after it, or another
 * block may not have fitted. That its header is this block's own is checked later.
 */
export const mayEndAfter = (
  { block }: UncheckedBlock,
  sizeBytes: number,
  parameters: Parameters,
): boolean => {
  const { header } = (block ?? {}) as Partial<Block>
  const changesValidators = header?.validatorsHash !== header?.nextValidatorsHash
  return changesValidators || sizeBytes + maxBlockBytes(parameters) > maxSegmentBytes
}
