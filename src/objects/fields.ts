/**
 * The fields that objects are made of, as schemas. The same schemas check requests, check what peers send,
 * and describe the API: what one of them lets through has the branded type.
 */
import { z } from 'zod'
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

const hex32 = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lowercase hex digits')

export const hashField = hex32.transform((text) => text as Hash)
export const blockHashField = hex32.transform((text) => text as BlockHash)
export const networkIdField = hex32.transform((text) => text as NetworkId)
export const transactionIdField = hex32.transform((text) => text as TransactionId)
export const signatureField = z
  .string()
  .regex(/^[0-9a-f]{128}$/, 'expected 128 lowercase hex digits')
  .transform((text) => text as Signature)

// Runs on texts that the pattern refused too, so it compares digits: BigInt would throw on letters.
const limitDigits = amountLimit.toString()
const isBelowLimit = (text: string): boolean =>
  text.length < limitDigits.length || (text.length === limitDigits.length && text < limitDigits)

export const amountField = z
  .string()
  .regex(
    /^(0|[1-9][0-9]{0,38})$/,
    'expected base units as a decimal string without sign, point or leading zeros',
  )
  .refine(isBelowLimit, 'expected an amount below 2^128')
  .transform((text) => text as Amount)

/** An address of a key that the signature rule accepts: canonical, and not of small order. */
export const addressField = z
  .string()
  .refine((text) => {
    const key = decodeAddress(text)
    return key !== undefined && isAcceptablePoint(key)
  }, 'expected a taut1… address (bech32m over an Ed25519 public key); check it for typing errors')
  .transform((text) => text as Address)

const whole = z
  .number()
  .int('expected a whole number')
  .min(0, 'expected a number from 0')
  .overwrite((value) => value + 0) // −0 is read as the 0 that its canonical text says

export const heightField = whole.transform((value) => value as Height)
export const roundField = whole.transform((value) => value as Round)
export const unixMsField = whole.transform((value) => value as UnixMs)
export const wholeField = whole

/** Well-formed Unicode of at most this many bytes of UTF-8. */
export const textField = (maxBytes: number) =>
  z
    .string()
    .refine((text) => text.isWellFormed(), 'expected well-formed Unicode, without lone surrogates')
    .refine((text) => utf8Bytes(text) <= maxBytes, `expected at most ${maxBytes} bytes of UTF-8`)
