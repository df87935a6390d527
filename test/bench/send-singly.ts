/** Submits transactions each in a request of its own, over connections that are kept. */
import { readFile } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { Pool } from 'undici'
import type { LoadTask, ThroughputReport } from './load-task.ts'
import { readCounts, untilCommitted } from './node-metrics.ts'
import { post } from './post.ts'

export const sendSingly = async ({
  url,
  file,
  connections,
}: LoadTask & { kind: 'single' }): Promise<ThroughputReport> => {
  const bodies = (await readFile(file, 'utf8')).split('\n').map((line) => Buffer.from(line))
  const pool = new Pool(url, { connections, pipelining: 1 })
  const { committed } = await readCounts(url)
  let next = 0
  const lane = async (): Promise<void> => {
    while (next < bodies.length) {
      const { status, text } = await post(pool, '/v1/transactions', bodies[next++]!)
      if (status !== 202) throw new Error(`a transaction of the load was answered with ${status}: ${text}`)
    }
  }
  const startedMs = performance.now()
  await Promise.all(Array.from({ length: connections }, lane))
  await untilCommitted(url, committed + bodies.length)
  const seconds = (performance.now() - startedMs) / 1_000
  await pool.close()
  return { transactions: bodies.length, seconds }
}
