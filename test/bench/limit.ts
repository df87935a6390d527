/**
 * The limit: what this machine could merely verify, measured around each load so that both meet the same noise.
 *
 * All cores are tried in two ways, libuv's threads as the node uses them, and one process a core that does
 * nothing else; the better one is the limit. It is that of `node:crypto`, which is there wherever Node is; what the
 * library that the node itself verifies with could do is measured beside it.
 */
import { availableParallelism } from 'node:os'
import { performance } from 'node:perf_hooks'
import { decodeAddress } from '../../src/codec/address.ts'
import { decodeHex, encodeUtf8 } from '../../src/codec/bytes.ts'
import { signingText } from '../../src/objects/transaction.ts'
import type { NetworkId } from '../../src/units.ts'
import { createSenders, receiver } from './accounts.ts'
import { type Child, startChild } from './child.ts'
import {
  importClaims,
  type Means,
  type SignedText,
  verifyFor,
  verifyOnLibuvFor,
} from './native-verification.ts'
import type { Figure } from './rows.ts'
import { unsignedTransfers } from './signed-load.ts'
import type { VerifyingTask } from './verifying-process.ts'

/** Verifications per second. */
export interface Limit {
  readonly oneCore: number
  readonly allCores: number
  /** By the library that the node verifies with. */
  readonly ownAllCores: number
}

export interface LimitMeter {
  measure(): Promise<Limit>
  end(): void
}

/** Keys, as many as the load has. */
const keys = 1_000

/** @param durationMs - of each of the four ways */
export const openLimitMeter = async (durationMs: number): Promise<LimitMeter> => {
  const texts = await signedTexts()
  const claims = importClaims(texts)
  const children = await Promise.all(
    Array.from({ length: availableParallelism() }, () => startVerifying(texts)),
  )
  const onAll = async (means: Means): Promise<number> =>
    sum(await Promise.all(children.map((child) => ask(child, { means, durationMs }))))
  const meter: LimitMeter = {
    measure: async () => {
      const inProcesses = await onAll('yardstick')
      const ownAllCores = await onAll('own')
      const oneCore = await perSecond(async () => verifyFor(claims, 'yardstick', durationMs))
      const onLibuv = await perSecond(() => verifyOnLibuvFor(claims, durationMs))
      return { oneCore, allCores: Math.max(inProcesses, onLibuv), ownAllCores }
    },
    end: () => children.forEach((child) => void child.end()),
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

const startVerifying = async (texts: readonly SignedText[]): Promise<Child> => {
  const child = await startChild('./verifying-process.ts')
  await ask(child, { texts })
  return child
}

const ask = async (child: Child, task: VerifyingTask): Promise<number> => Number(await child.ask(task))

const perSecond = async (run: () => Promise<number>): Promise<number> => {
  const startedMs = performance.now()
  const count = await run()
  return (count / (performance.now() - startedMs)) * 1_000
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0)

/** @param size - of the state that its columns are about */
export const limitFigures = (size: number, { oneCore, allCores, ownAllCores }: Limit): readonly Figure[] => [
  { row: 'oneCore', size, samples: [oneCore] },
  { row: 'allCores', size, samples: [allCores] },
  { row: 'ownAllCores', size, samples: [ownAllCores] },
]

/** What could have been verified between two measurements. */
export const meanLimit = (before: Limit, after: Limit): Limit => ({
  oneCore: (before.oneCore + after.oneCore) / 2,
  allCores: (before.allCores + after.allCores) / 2,
  ownAllCores: (before.ownAllCores + after.ownAllCores) / 2,
})
