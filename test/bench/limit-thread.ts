/** A thread that verifies for as long as it is told to, and says how many it did in a second. */
import { performance } from 'node:perf_hooks'
import { parentPort, workerData } from 'node:worker_threads'
import { importClaims, verifyFor } from './native-verification.ts'
import type { SignedText } from './native-verification.ts'

const claims = importClaims(workerData as readonly SignedText[])

parentPort!.on('message', (durationMs: number) => {
  const startedMs = performance.now()
  const count = verifyFor(claims, durationMs)
  parentPort!.postMessage((count / (performance.now() - startedMs)) * 1_000)
})
parentPort!.postMessage('ready')
