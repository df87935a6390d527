/**
 * A thread that does nothing but verify Ed25519 signatures, batch by batch (see `verification-pool.ts`).
 *
 * JavaScript, since Node 20 loads a thread's files as they are, in a checkout as well as in a build.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { loadNativeEd25519 } from './native-ed25519.js'

const native = loadNativeEd25519().find(({ name }) => name === workerData)
if (!native) throw new Error(`${workerData} can't be loaded in a thread`)

/** @param {import('./verification-pool.ts').Batch} batch */
const verifyBatch = ({ ends, bytes }) => {
  const verdicts = new Uint8Array(ends.length)
  let start = 0
  for (const [at, end] of ends.entries()) {
    const key = bytes.subarray(start, start + 32)
    const signature = bytes.subarray(start + 32, start + 96)
    try {
      verdicts[at] = native.verify(key, bytes.subarray(start + 96, end), signature) ? 1 : 0
    } catch {
      verdicts[at] = 0 // an exception is a rejection
    }
    start = end
  }
  return verdicts
}

parentPort?.on('message', (batch) => parentPort?.postMessage(verifyBatch(batch)))
