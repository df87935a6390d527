/** How operators say, on any runtime, which blocks stay in the ledger. */
import * as z from 'zod'
import type { Keep } from '../node/pruner.ts'

const dayMs = 24 * 60 * 60 * 1_000
const unitBytes = { MB: 1_000_000, GB: 1_000_000_000 } as const
const expected = 'expected a number of blocks, or of days as in 30d, or a size as in 500MB or 2GB, or `all`'

export const keepField = z.string().transform((text, context): Keep => {
  if (text === 'all') return { kind: 'all' }
  const [, digits, unit] = /^([1-9][0-9]{0,8})(d|MB|GB)?$/.exec(text) ?? []
  switch (unit) {
    case 'd':
      return { kind: 'age', ageMs: Number(digits) * dayMs }
    case 'MB':
    case 'GB':
      return { kind: 'size', sizeBytes: Number(digits) * unitBytes[unit] }
  }
  if (digits !== undefined) return { kind: 'blocks', blocks: Number(digits) }
  context.issues.push({ code: 'custom', message: expected, input: text })
  return z.NEVER
})
