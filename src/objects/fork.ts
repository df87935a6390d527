/**
 * A fork: two chains of one network, each signed by those who would have to sign it.
 *
 * It proves itself from the network id on (`client/verify-fork.ts`): how far both agree, and what each has after that.
 */
import * as z from 'zod'
import { networkIdField } from './fields.ts'
import { lightBlockSchema, originSchema } from './light-block.ts'

/** What comes after the common block: all changes of the validators in between, and a block. */
export const branchSchema = z.strictObject({ hops: originSchema.shape.hops, block: lightBlockSchema })
export type Branch = z.output<typeof branchSchema>

export const forkSchema = z.strictObject({
  kind: z.literal('fork'),
  network: networkIdField,
  /** Without a block it is the genesis. */
  common: z.strictObject({ ...originSchema.shape, block: lightBlockSchema.optional() }),
  /** Its validators are those that the common block leads to, over its hops. */
  first: branchSchema,
  /** Of the same height. It may have no hops that lead to its validators, if more than a third of those of the common block have signed it. */
  second: branchSchema,
})
export type Fork = z.output<typeof forkSchema>
