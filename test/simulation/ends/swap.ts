/**
 * What stands in for slow parts of the code where ends are simulated: primitives that hide nothing and keep their
 * algebra, and limits that are reached within a few messages.
 */
import { join } from 'node:path'
import type { Plugin } from 'esbuild'
import type { Change } from '../bundle.ts'

const toys = join(import.meta.dirname, 'toys')
const standIns: readonly (readonly [from: RegExp, to: string])[] = [
  [/^@noble\/curves\/ed25519\.js$/, 'curves.ts'],
  [/crypto\/ed25519\.ts$/, 'curves.ts'],
  [/^@noble\/hashes\/(hmac|sha2)\.js$/, 'hashes.ts'],
  [/^@noble\/ciphers\/aes\.js$/, 'ciphers.ts'],
  [/^@scure\/base$/, 'base.ts'],
]

export const swapPrimitives: Plugin = {
  name: 'swap primitives',
  setup: ({ onResolve }) => {
    for (const [filter, toy] of standIns)
      onResolve({ filter }, ({ importer }) =>
        importer.startsWith(toys) ? undefined : { path: join(toys, toy) },
      )
  },
}

const limits = 'src/connections/limits.ts'
export const smallLimits: readonly Change[] = [
  { file: limits, find: 'maxInFlight = 32', replace: 'maxInFlight = 4' },
  { file: limits, find: 'keptAcknowledged = 1_000', replace: 'keptAcknowledged = 8' },
  { file: limits, find: 'confirmationSeconds = 7 * 24', replace: 'confirmationSeconds = 12' },
  { file: limits, find: 'acknowledgeEvery = 16', replace: 'acknowledgeEvery = 3' },
]
