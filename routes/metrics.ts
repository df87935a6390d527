/** What a Prometheus server reads: the node's own numbers and its process's. */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { Counter, Gauge, Registry } from 'prom-client'
import type { MetricName, NodeService } from '../src/node/service.ts'
import { defineRoute } from './route.ts'

const help: Readonly<Record<MetricName, string>> = {
  head_height: 'Height of the last committed block.',
  head_time_seconds: 'Time of the last committed block, in seconds since the Unix epoch.',
  blocks_committed_total: 'Blocks committed since the process started.',
  transactions_committed_total: 'Transactions committed as such since the process started.',
  transactions_failed_total: 'Transactions committed as failed since the process started.',
  transactions_refused_total: 'Transactions refused at the door since the process started.',
  signatures_verified_total: 'Signatures verified since the process started.',
  mempool_transactions: 'Transactions in the mempool.',
  mempool_bytes: 'Bytes of the transactions in the mempool.',
  state_entries: 'Entries of the state.',
  state_cache_bytes: 'Bytes of state that are cached in memory.',
  validators: 'Validators of the next block.',
  peers: 'Connected peers.',
  event_subscribers: 'Readers of events.',
}

const processHelp = {
  process_cpu_seconds_total: 'CPU time of the process, user and system.',
  process_resident_memory_bytes: 'Memory of the process that is resident.',
  process_start_time_seconds: 'When the process started, in seconds since the Unix epoch.',
} as const
export type ProcessMetrics = Readonly<Record<keyof typeof processHelp, number>>

export const metricsRoute = defineRoute({
  method: 'get',
  path: '/metrics',
  operationId: 'getMetrics',
  tags: ['Operations'],
  summary: 'Metrics for Prometheus',
  responses: {
    200: { description: 'Text exposition format.', content: { 'text/plain': { schema: z.string() } } },
  },
})

/** @param readProcess - on runtimes that know such numbers */
export const mountMetrics = (
  app: OpenAPIHono,
  node: NodeService,
  readProcess?: () => ProcessMetrics,
): void => {
  const registry = new Registry()
  const setNode = defineMetrics(registry, 'tautline_', help)
  const setProcess = readProcess && defineMetrics(registry, '', processHelp)
  app.openapi(metricsRoute, async (c) => {
    setNode(node.metrics())
    if (readProcess) setProcess!(readProcess())
    return c.body(await registry.metrics(), 200, {
      'content-type': registry.contentType,
      'cache-control': 'no-store',
    })
  })
}

/** @returns what sets all of them at once, to the values of one moment */
const defineMetrics = <Name extends string>(
  registry: Registry,
  prefix: string,
  helps: Readonly<Record<Name, string>>,
): ((values: Readonly<Record<Name, number>>) => void) => {
  const registers = [registry]
  const setters = (Object.entries(helps) as [Name, string][]).map(([name, text]) => {
    const options = { name: `${prefix}${name}`, help: text, registers }
    if (!name.endsWith('_total')) {
      const gauge = new Gauge(options)
      return [name, (value: number) => gauge.set(value)] as const
    }
    const counter = new Counter(options)
    return [name, (value: number) => setCounter(counter, value)] as const
  })
  return (values) => {
    for (const [name, set] of setters) set(values[name])
  }
}

/** The node counts itself; a counter of prom-client can only be added to. */
const setCounter = (counter: Counter, value: number): void => {
  counter.reset()
  counter.inc(value)
}
