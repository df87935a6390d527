/**
 * The limit: what this machine could merely verify, measured around each load so that both meet the same noise.
 *
 * All cores are tried in two ways, libuv's threads as the node uses them, and one thread a core that does
 * nothing else; the better one is the limit.
 */
import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import { decodeAddress } from '../../src/codec/address.ts'
import { decodeHex, encodeUtf8 } from '../../src/codec/bytes.ts'
import { signingText } from '../../src/objects/transaction.ts'
import type { NetworkId } from '../../src/units.ts'
import { createSenders, receiver } from './accounts.ts'
import { importClaims, type SignedText, verifyFor, verifyOnLibuvFor } from './native-verification.ts'
import { unsignedTransfers } from './signed-load.ts'

/** Verifications per second. */
export interface Limit {
  readonly oneCore: number
  readonly allCores: number
}

export interface LimitMeter {
  measure(): Promise<Limit>
  close(): Promise<void>
}

/** Keys, as many as the load has. */
const keys = 1_000

/** @param durationMs - of each of the three ways */
export const openLimitMeter = async (durationMs: number): Promise<LimitMeter> => {
  const texts = await signedTexts()
  const claims = importClaims(texts)
  const threads = await Promise.all(Array.from({ length: availableParallelism() }, () => openThread(texts)))
  const onThreads = async (): Promise<number> =>
    sum(await Promise.all(threads.map((thread) => ask(thread, durationMs))))
  const meter: LimitMeter = {
    measure: async () => {
      const threaded = await onThreads()
      const oneCore = await perSecond(async () => verifyFor(claims, durationMs))
      const onLibuv = await perSecond(() => verifyOnLibuvFor(claims, durationMs))
      return { oneCore, allCores: Math.max(threaded, onLibuv) }
    },
    close: async () => {
      await Promise.all(threads.map((thread) => thread.terminate()))
    },
  }
  await meter.measure() // the first one warms up
  return meter
}

/** What is signed for a transaction of the load. */
const signedTexts = (): Promise<readonly SignedText[]> =>
  Promise.all(
    createSenders(keys).map(async (sender) => {
      const text = signingText(unsignedTransfers('0'.repeat(64) as NetworkId, sender, [receiver(0)]))
      return {
        publicKey: decodeAddress(sender.signer.address)!,
        message: encodeUtf8(text),
        signature: decodeHex(await sender.signer.sign(text)),
      }
    }),
  )

const openThread = async (texts: readonly SignedText[]): Promise<Worker> => {
  const thread = new Worker(new URL('./limit-thread.ts', import.meta.url), { workerData: texts })
  await answerOf(thread)
  return thread
}

const ask = async (thread: Worker, durationMs: number): Promise<number> => {
  thread.postMessage(durationMs)
  return Number(await answerOf(thread))
}

const answerOf = (thread: Worker): Promise<unknown> =>
  new Promise((resolve, reject) => {
    thread.once('message', (answer) => {
      thread.off('error', reject)
      resolve(answer)
    })
    thread.once('error', reject)
  })

const perSecond = async (run: () => Promise<number>): Promise<number> => {
  const startedMs = performance.now()
  const count = await run()
  return (count / (performance.now() - startedMs)) * 1_000
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

/** What could have been verified between two measurements. */
export const meanLimit = (before: Limit, after: Limit): Limit => ({
  oneCore: (before.oneCore + after.oneCore) / 2,
  allCores: (before.allCores + after.allCores) / 2,
})

