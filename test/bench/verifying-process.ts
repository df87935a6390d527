/** A process that verifies for as long as it is told to, and says how many it did in a second. */
import { performance } from 'node:perf_hooks'
import { type Claim, importClaims, type Means, type SignedText, verifyFor } from './native-verification.ts'

export type VerifyingTask =
  | { readonly texts: readonly SignedText[] }
  | { readonly means: Means; readonly durationMs: number }

let claims: readonly Claim[] = []

const perform = (task: VerifyingTask): number => {
  if ('texts' in task) {
    claims = importClaims(task.texts)
    return 0
  }
  const startedMs = performance.now()
  const count = verifyFor(claims, task.means, task.durationMs)
  return (count / (performance.now() - startedMs)) * 1_000
}

process.on('message', (task: VerifyingTask) => process.send!(perform(task)))
process.send!('ready')
