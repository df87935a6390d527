/**
 * What two ends of a connection carry, each a node of its own on this machine: beside what sealing and opening alone
 * would let through, done one after the other on one core in the same run.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectionsClient, createConnectionsClient } from '../../src/client/connections-client.ts'
import { envelopeRates } from './envelopes.ts'
import type { Report } from './fill.ts'
import { freePorts, startNode } from './node-process.ts'
import type { Options } from './options.ts'
import type { Figure, Part } from './rows.ts'

export const isOfLines = (part: Part): boolean => part === 'lines'

/** Characters of each message. */
const size = 100
/** Requests at a time of who fills the outbox. */
const speakers = 8

export const lineFigures = async (
  options: Options,
  folder: string,
  report: Report,
): Promise<readonly Figure[]> => {
  if (!options.parts.has('lines')) return []
  report('messages over one connection')
  const [portOfA, portOfB] = (await freePorts(2)) as [number, number]
  const start = async (name: string, port: number) => {
    const data = join(folder, `line-${name}`)
    const node = await startNode(options, data, ['--allow-private'], port)
    const token = (await readFile(join(data, 'operator.token'), 'utf8')).trim()
    return { node, client: createConnectionsClient({ url: node.url, token }) }
  }
  const a = await start('a', portOfA)
  const b = await start('b', portOfB)
  const id = await connect(a.client, b.client)

  const { sealed, opened } = envelopeRates(size, options.limitMs)
  const limit = 1 / (1 / sealed + 1 / opened)
  const figures: Figure[] = []
  for (let repetition = 0; repetition < options.repetitions; repetition++) {
    const rate = await ratePerSecond(options.lineMessages, async () => {
      await fill(a.client, id, options.lineMessages)
      await untilTaken(a.client, id)
    })
    figures.push({ row: 'lineRate', size, samples: [rate] })
    figures.push({ row: 'lineShare', size, samples: [(rate / limit) * 100] })
  }

  report(`an outbox of ${options.outboxMessages} messages`)
  await b.node.stop()
  await fill(a.client, id, options.outboxMessages)
  const flushed = await ratePerSecond(options.outboxMessages, async () => {
    const back = await start('b', portOfB)
    await untilTaken(a.client, id)
    await back.node.stop()
  })
  await a.node.stop()
  return [
    ...figures,
    { row: 'outboxRate', size, samples: [flushed] },
    { row: 'outboxShare', size, samples: [(flushed / limit) * 100] },
  ]
}

const connect = async (a: ConnectionsClient, b: ConnectionsClient): Promise<string> => {
  const { id, url } = await a.invite()
  await b.accept(url)
  while ((await a.get(id)).state !== 'active') await sleep(20)
  return id
}

const fill = async (client: ConnectionsClient, id: string, count: number): Promise<void> => {
  let left = count
  const speak = async (): Promise<void> => {
    while (left-- > 0) await client.say(id, { text: 'x'.repeat(size) })
  }
  await Promise.all(Array.from({ length: speakers }, speak))
}

const untilTaken = async (client: ConnectionsClient, id: string): Promise<void> => {
  while ((await client.get(id)).unacknowledged > 0) await sleep(20)
}

const ratePerSecond = async (count: number, work: () => Promise<void>): Promise<number> => {
  const startedMs = performance.now()
  await work()
  return (count / (performance.now() - startedMs)) * 1_000
}
