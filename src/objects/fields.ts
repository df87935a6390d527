/**
 * The fields that objects are made of, as schemas. The same schemas check requests, check what peers send,
 * and describe the API: what one of them lets through has the branded type.
 */
import * as z from 'zod'
import { decodeAddress } from '../codec/address.ts'
import { utf8Bytes } from '../codec/bytes.ts'
import { isAcceptablePoint } from '../crypto/ed25519.ts'
import type {
  Address,
  Amount,
  BlockHash,
  Hash,
  Height,
  NetworkId,
  Round,
  Signature,
  TransactionId,
  UnixMs,
} from '../units.ts'

/** Amounts are below this. */
export const amountLimit = 1n << 128n

/** A copy of the schema, with a type of its own for what passes. A transform that returned its value would cost time. */
const branding =
  <Base extends z.ZodString | z.ZodNumber>(schema: Base) =>
  <Brand extends z.output<Base>>(): z.ZodType<Brand, z.input<Base>> =>
    schema.clone() as unknown as z.ZodType<Brand, z.input<Base>>

const hex32 = branding(z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lowercase hex digits'))

export const hashField = hex32<Hash>()
export const blockHashField = hex32<BlockHash>()
export const networkIdField = hex32<NetworkId>()
export const transactionIdField = hex32<TransactionId>()
export const signatureField = branding(
  z.string().regex(/^[0-9a-f]{128}$/, 'expected 128 lowercase hex digits'),
)<Signature>()

// Runs on texts that the pattern refused too, so it compares digits: BigInt would throw on letters.
const limitDigits = amountLimit.toString()
const isBelowLimit = (text: string): boolean =>
  text.length < limitDigits.length || (text.length === limitDigits.length && text < limitDigits)

export const amountField = branding(
  z
    .string()
    .regex(
      /^(0|[1-9][0-9]{0,38})$/,
      'expected base units as a decimal string without sign, point or leading zeros',
    )
    .refine(isBelowLimit, 'expected an amount below 2^128'),
)<Amount>()

/** An address of a key that the signature rule accepts: canonical, and not of small order. */
export const addressField = branding(
  z.string().refine((text) => {
    const key = decodeAddress(text)
    return key !== undefined && isAcceptablePoint(key)
  }, 'expected a taut1… address (bech32m over an Ed25519 public key); check it for typing errors'),
)<Address>()

const whole = z
  .number()
  .int('expected a whole number')
  .min(0, 'expected a number from 0')
  .overwrite((value) => value + 0) // −0 is read as the 0 that its canonical text says

const brandedWhole = branding(whole)
export const heightField = brandedWhole<Height>()
export const roundField = brandedWhole<Round>()
export const unixMsField = brandedWhole<UnixMs>()
export const wholeField = whole

/** Well-formed Unicode of at most this many bytes of UTF-8. */
export const textField = (maxBytes: number) =>
  z
    .string()
    .refine((text) => text.isWellFormed(), 'expected well-formed Unicode, without lone surrogates')
    .refine((text) => utf8Bytes(text) <= maxBytes, `expected at most ${maxBytes} bytes of UTF-8`)
