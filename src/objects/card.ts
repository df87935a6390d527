/**
 * An address card: under which URL a node key is reached, as the key itself says.
 *
 * The one with the higher sequence number takes the place of the other, so nobody can bring an old one back.
 */
import * as z from 'zod'
import { canonicalize } from '../codec/json.ts'
import { preimage } from '../crypto/hash.ts'
import { addressField, networkIdField, signatureField, unixMsField, wholeField } from './fields.ts'
import { nodeUrlField } from './join-string.ts'

/** Characters of a card's URL. */
export const maxCardUrlLength = 256

const isPlain = (url: string): boolean => {
  const parsed = nodeUrlField.safeParse(url)
  return parsed.success && parsed.data === url
}

const unsignedMembers = {
  key: addressField,
  network: networkIdField,
  /** Larger than that of every card before. */
  sequence: wholeField,
  /** When it was made. */
  time: unixMsField,
  url: z
    .string()
    .max(maxCardUrlLength, `expected a URL of at most ${maxCardUrlLength} characters`)
    .refine(isPlain, 'expected the URL of a node, without a slash at its end'),
}

export const unsignedCardSchema = z.strictObject(unsignedMembers)
export type UnsignedCard = z.output<typeof unsignedCardSchema>

export const cardSchema = z.strictObject({ ...unsignedMembers, signature: signatureField })
export type Card = z.output<typeof cardSchema>

/** What the key of a card signs. */
export const cardSigningText = ({ key, network, sequence, time, url }: UnsignedCard): string =>
  preimage('card', canonicalize({ key, network, sequence, time, url }))
