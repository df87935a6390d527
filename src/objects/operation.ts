/**
 * What a transaction can do. All operations of a transaction apply, or none. Members stand in the order of their
 * canonical text, which is the fastest to write.
 */
import * as z from 'zod'
import { addressField, amountField, heightField, textField } from './fields.ts'

/** Most UTF-8 bytes of an anchor's data. */
export const maxAnchorBytes = 4_096
/** Most operations of one transaction. */
export const maxOperations = 16

const positive = amountField.refine((text) => text !== '0', 'expected an amount above zero')

/** Moves base units from the sender to another account, which need not exist yet. */
export const transferSchema = z.strictObject({
  amount: positive,
  to: addressField,
  type: z.literal('transfer'),
})
/** Keeps a text, or the hash of something, in the block: provably there, from then on. */
export const anchorSchema = z.strictObject({ data: textField(maxAnchorBytes), type: z.literal('anchor') })
/** Turns balance of the sender into stake. */
export const bondSchema = z.strictObject({ amount: positive, type: z.literal('stake.bond') })
/** Turns stake of the sender back into balance, once the unbonding period is over. */
export const unbondSchema = z.strictObject({ amount: positive, type: z.literal('stake.unbond') })

/**
 * A validator's vote to take another out of the validators from a block on: its stake is unbonded, not burned. It
 * replaces the vote of this validator that is still open.
 */
export const networkUpdateSchema = z.strictObject({
  fromHeight: heightField,
  removeValidator: addressField,
  type: z.literal('network.update'),
})

export const operationSchema = z.discriminatedUnion(
  'type',
  [transferSchema, anchorSchema, bondSchema, unbondSchema, networkUpdateSchema],
  'expected an operation of type transfer, anchor, stake.bond, stake.unbond or network.update',
)
export type Operation = z.output<typeof operationSchema>
export type OperationOf<Type extends Operation['type']> = Extract<Operation, { type: Type }>
