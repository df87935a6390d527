/** Submits transactions each in a request of its own, over connections that are kept. */
import { readFile } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import type { LoadTask, Target, ThroughputReport } from './load-task.ts'
import { readCounts, untilCommitted } from './node-metrics.ts'
import { RawConnection } from './raw-connection.ts'

export const sendSingly = async ({
  targets,
  connections,
}: LoadTask & { kind: 'single' }): Promise<ThroughputReport> => {
  const senders = await Promise.all(
    targets.map((target) => openSender(target, Math.ceil(connections / targets.length))),
  )
  const transactions = senders.reduce((total, { bodies }) => total + bodies.length, 0)
  const startedMs = performance.now()
  await Promise.all(senders.map(sendAll))
  await Promise.all(senders.map(({ url, committed }) => untilCommitted(url, committed + transactions)))
  const seconds = (performance.now() - startedMs) / 1_000
  for (const { lanes } of senders) for (const lane of lanes) lane.close()
  return { transactions, seconds }
}

interface Sender {
  readonly url: string
  readonly bodies: readonly string[]
  readonly lanes: readonly RawConnection[]
  /** On this node, before anything is sent. */
  readonly committed: number
}

const openSender = async ({ url, file }: Target, connections: number): Promise<Sender> => ({
  url,
  bodies: (await readFile(file, 'utf8')).split('\n'),
  lanes: Array.from({ length: connections }, () => new RawConnection(url, '/v1/transactions')),
  committed: (await readCounts(url)).committed,
})

const sendAll = async ({ bodies, lanes }: Sender): Promise<void> => {
  let next = 0
  const send = async (lane: RawConnection): Promise<void> => {
    while (next < bodies.length) {
      const { status, text } = await lane.post(bodies[next++]!)
      if (status !== 202) throw new Error(`a transaction of the load was answered with ${status}: ${text}`)
    }
  }
  await Promise.all(lanes.map(send))
}
