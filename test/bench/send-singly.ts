/** Submits transactions each in a request of its own, over connections that are kept. */
import { readFile } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import type { LoadTask, ThroughputReport } from './load-task.ts'
import { readCounts, untilCommitted } from './node-metrics.ts'
import { RawConnection } from './raw-connection.ts'

export const sendSingly = async ({
  url,
  file,
  connections,
}: LoadTask & { kind: 'single' }): Promise<ThroughputReport> => {
  const bodies = (await readFile(file, 'utf8')).split('\n')
  const lanes = Array.from({ length: connections }, () => new RawConnection(url, '/v1/transactions'))
  const { committed } = await readCounts(url)
  let next = 0
  const send = async (lane: RawConnection): Promise<void> => {
    while (next < bodies.length) {
      const { status, text } = await lane.post(bodies[next++]!)
      if (status !== 202) throw new Error(`a transaction of the load was answered with ${status}: ${text}`)
    }
  }
  const startedMs = performance.now()
  await Promise.all(lanes.map(send))
  await untilCommitted(url, committed + bodies.length)
  const seconds = (performance.now() - startedMs) / 1_000
  for (const lane of lanes) lane.close()
  return { transactions: bodies.length, seconds }
}
