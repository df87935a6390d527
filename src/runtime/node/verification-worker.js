/**
 * A thread that does nothing but verify Ed25519 signatures, batch by batch (see `verification-pool.ts`).
 *
 * JavaScript, since Node 20 loads a thread's first file as it is, in a checkout as well as in a build.
 */
import { createPublicKey, verify } from 'node:crypto'
import { parentPort } from 'node:worker_threads'
import { LRUCache } from 'lru-cache'

/** @type {LRUCache<string, import('node:crypto').KeyObject>} */
const imported = new LRUCache({ max: 4_096 })

/** @param {Buffer} publicKey - 32 bytes */
const keyOf = (publicKey) => {
  const x = publicKey.toString('base64url')
  const known = imported.get(x)
  if (known) return known
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  imported.set(x, key)
  return key
}

/** @param {import('./verification-pool.ts').Batch} batch */
const verifyBatch = ({ keys, signatures, messages, ends }) => {
  const verdicts = new Uint8Array(ends.length)
  for (let at = 0; at < ends.length; at++) {
    const message = messages.subarray(at === 0 ? 0 : ends[at - 1], ends[at])
    const key = Buffer.from(keys.buffer, keys.byteOffset + at * 32, 32)
    const signature = signatures.subarray(at * 64, at * 64 + 64)
    try {
      verdicts[at] = verify(null, message, keyOf(key), signature) ? 1 : 0
    } catch {
      verdicts[at] = 0 // an exception is a rejection
    }
  }
  return verdicts
}

parentPort?.on('message', (batch) => parentPort?.postMessage(verifyBatch(batch)))
