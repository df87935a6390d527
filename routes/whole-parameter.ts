/** A parameter that is a whole number, written in digits only: no sign, point, exponent or spaces. */
import { z } from '@hono/zod-openapi'

interface Bounds {
  readonly min: number
  readonly max?: number
  readonly description: string
}

export const wholeParameter = ({ min, max = Number.MAX_SAFE_INTEGER, description }: Bounds) => {
  const expected =
    max === Number.MAX_SAFE_INTEGER
      ? `expected a whole number from ${min}`
      : `expected a whole number from ${min} to ${max}`
  return z
    .string(expected)
    .refine((text) => /^[0-9]{1,15}$/.test(text), expected)
    .transform(Number)
    .refine((value) => value >= min && value <= max, expected)
    .meta({
      type: 'integer',
      minimum: min,
      ...(max === Number.MAX_SAFE_INTEGER ? {} : { maximum: max }),
      description,
    })
}
