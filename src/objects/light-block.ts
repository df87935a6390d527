/**
 * A light block: all that somebody needs who follows a network by its headers (see `light/light.ts`).
 *
 * Its validators are in it, so its certificate can be checked before anything else is known; whether they are
 * those of the network is what following finds out.
 */
import * as z from 'zod'
import { headerSchema } from './block.ts'
import { genesisAnchorSchema } from './genesis.ts'
import { finalitySchema } from './proof.ts'
import { isSortedByAddress, validatorSchema } from './validators.ts'
import { certificateSchema } from './vote.ts'

/** Most validators of a list that is looked at, whatever a network's parameters say. */
const maxValidators = 1_024

const validatorListSchema = z
  .array(validatorSchema)
  .min(1)
  .max(maxValidators)
  .refine(isSortedByAddress, 'expected validators sorted by address, each once')

export const lightBlockSchema = z.strictObject({
  header: headerSchema,
  certificate: certificateSchema,
  /** Who votes on this block. */
  validators: validatorListSchema,
  /** Who votes on the next one, when those are others. */
  nextValidators: validatorListSchema.optional(),
})
export type LightBlock = z.output<typeof lightBlockSchema>

/** What leads from a network's id to the validators of a block. */
export const originSchema = z.strictObject({
  genesis: finalitySchema.shape.genesis,
  hops: finalitySchema.shape.hops,
})
export type Origin = z.output<typeof originSchema>

/** What a node answers about a header: the genesis at height 0. */
export const headerViewSchema = z.union([
  z.strictObject({ genesis: genesisAnchorSchema }),
  z.strictObject({ ...lightBlockSchema.shape, origin: originSchema.optional() }),
])
export type HeaderView = z.output<typeof headerViewSchema>
