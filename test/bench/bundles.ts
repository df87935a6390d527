/** What others load to be a node: bytes on the wire, as a server sends them compressed. */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { bundleWorker } from '../e2e/workerd-setup.ts'
import type { Options } from './options.ts'
import type { Figure, Part } from './rows.ts'

export const isOfBundles = (part: Part): boolean => part === 'bundle'

export const bundleFigures = async ({ parts, main, accounts }: Options): Promise<readonly Figure[]> => {
  if (!parts.has('bundle')) return []
  const bundle = await readFile(join(dirname(main), '../../assets/tautline.js'))
  const worker = await bundleWorker('src/runtime/workerd/worker.ts')
  const kilobytes = (text: Buffer | string): number => gzipSync(text, { level: 9 }).length / 1_000
  return [
    { row: 'browserBundle', size: accounts[0]!, samples: [kilobytes(bundle)] },
    { row: 'workerBundle', size: accounts[0]!, samples: [kilobytes(worker)] },
  ]
}
