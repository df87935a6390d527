/** What a Prometheus server reads: the node's own numbers and its process's. */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import type { MetricName, NodeService, SentMessages } from '../src/node/service.ts'
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

const sentHelp = {
  peer_messages_sent_total: 'Messages sent to peers since the process started, by kind.',
  peer_bytes_sent_total: 'Bytes of the messages sent to peers since the process started, by kind of message.',
} as const

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
  let exposition: Promise<Exposition> | undefined
  app.openapi(metricsRoute, async (c) => {
    exposition ??= openExposition(readProcess !== undefined)
    const { contentType, write } = await exposition
    return c.body(await write(node.metrics(), node.sentToPeers(), readProcess?.()), 200, {
      'content-type': contentType,
      'cache-control': 'no-store',
    })
  })
}

interface Exposition {
  readonly contentType: string
  write(
    ofNode: Readonly<Record<MetricName, number>>,
    sent: SentMessages,
    ofProcess?: ProcessMetrics,
  ): Promise<string>
}

/** Loads the library only when somebody scrapes: a start would take 20 ms longer with it. */
const openExposition = async (withProcess: boolean): Promise<Exposition> => {
  const { Counter, Gauge, Registry } = await import('prom-client')
  const registry = new Registry()
  const define = (name: string, help: string): ((value: number) => void) => {
    const options = { name, help, registers: [registry] }
    if (!name.endsWith('_total')) {
      const gauge = new Gauge(options)
      return (value) => gauge.set(value)
    }
    const counter = new Counter(options)
    return (value) => {
      counter.reset() // the node counts itself, and a counter of the library can only be added to
      counter.inc(value)
    }
  }
  const setNode = defineAll(help, (name, text) => define(`tautline_${name}`, text))
  const setProcess = withProcess ? defineAll(processHelp, define) : undefined
  const defineSent = (name: keyof typeof sentHelp) =>
    new Counter({
      name: `tautline_${name}`,
      help: sentHelp[name],
      labelNames: ['kind'],
      registers: [registry],
    })
  const sentMessages = defineSent('peer_messages_sent_total')
  const sentBytes = defineSent('peer_bytes_sent_total')
  const setSent = (sent: SentMessages): void => {
    sentMessages.reset()
    sentBytes.reset()
    for (const [kind, { messages, bytes }] of Object.entries(sent)) {
      sentMessages.inc({ kind }, messages)
      sentBytes.inc({ kind }, bytes)
    }
  }
  return {
    contentType: registry.contentType,
    write: (ofNode, sent, ofProcess) => {
      setNode(ofNode)
      setSent(sent)
      if (ofProcess) setProcess?.(ofProcess)
      return registry.metrics()
    },
  }
}

/** @returns what sets all of them at once, to the values of one moment */
const defineAll = <Name extends string>(
  helps: Readonly<Record<Name, string>>,
  define: (name: Name, help: string) => (value: number) => void,
): ((values: Readonly<Record<Name, number>>) => void) => {
  const setters = (Object.entries(helps) as [Name, string][]).map(
    ([name, text]) => [name, define(name, text)] as const,
  )
  return (values) => {
    for (const [name, set] of setters) set(values[name])
  }
}
