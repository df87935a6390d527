/**
 * What a validator must not forget: with this record it repeats itself after a crash, and never contradicts
 * itself. It is durable before the message that it was made for leaves the node.
 *
 * Messages are kept without their signatures. Ed25519 signs the same text the same way again, and a message is
 * contradicted by another content, never by another signature over the same one.
 */
import * as z from 'zod'
import { blockHashField, heightField, networkIdField, roundField } from '../objects/fields.ts'
import { precommitSchema, prevoteSchema, proposalSchema } from '../objects/vote.ts'

const choice = { block: blockHashField, round: roundField }

const unsignedMessageSchema = z.discriminatedUnion('kind', [
  proposalSchema.omit({ signature: true }),
  prevoteSchema.omit({ signature: true }),
  precommitSchema.omit({ signature: true }),
])

export const signStateSchema = z.strictObject({
  network: networkIdField,
  height: heightField,
  round: roundField,
  step: z.enum(['propose', 'prevote', 'precommit']),
  /** `lockedValue` and `lockedRound` of the paper. */
  locked: z.strictObject(choice).optional(),
  /**
   * `validValue` and `validRound` of the paper, with the polka that made it valid: a lock that can't be
   * explained to the others would hold them up for good after all have restarted. Never older than the lock,
   * so it explains the lock too.
   */
  valid: z.strictObject({ ...choice, polka: z.array(prevoteSchema).min(1) }).optional(),
  /** Own messages of the newest rounds ({@link ownRounds}), in the order in which they were signed. */
  said: z.array(unsignedMessageSchema),
})
export type SignState = z.output<typeof signStateSchema>

/**
 * How many rounds back own messages are remembered. Nothing is ever signed for a round that was left, so the
 * present one would do against contradictions; the others are for peers that are a round or two behind.
 */
export const ownRounds = 4
