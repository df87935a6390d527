/**
 * How long a client waits for its transaction to be final, beside the least that this could take: the same
 * body posted to a server that does nothing, and two durable writes. One round has one of each, so that all
 * meet the same noise.
 */
import { type FileHandle, open, readFile } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'undici'
import type { LatencyReport, LoadTask, WaitingReport } from './load-task.ts'
import { post } from './post.ts'

/** First rounds that aren't counted: code that is new to a process is slow. */
export const warmUpRounds = 100
const writeBytes = 1_024

export const measureLatency = async ({
  url,
  bareUrl,
  file,
  scratch,
}: LoadTask & { kind: 'latency' }): Promise<LatencyReport> => {
  const bodies = (await readFile(file, 'utf8')).split('\n').map((line) => Buffer.from(line))
  const node = new Client(url)
  const bare = new Client(bareUrl)
  const log = await open(scratch, 'w')
  const waitedMs: number[] = []
  const bareMs: number[] = []
  const writesMs: number[] = []
  for (const body of bodies) {
    waitedMs.push(await timed(() => postExpecting(node, '/v1/transactions?wait=committed', body)))
    bareMs.push(await timed(() => postExpecting(bare, '/', body)))
    writesMs.push(await timed(() => writeTwice(log)))
  }
  await Promise.all([node.close(), bare.close(), log.close()])
  return {
    waitedMs: waitedMs.slice(warmUpRounds),
    bareMs: bareMs.slice(warmUpRounds),
    writesMs: writesMs.slice(warmUpRounds),
  }
}

/** Longer than a network takes to come to rest again: nodes that weren't asked finish a moment later. */
const restMs = 20

export const measureWaiting = async ({
  urls,
  file,
}: LoadTask & { kind: 'waiting' }): Promise<WaitingReport> => {
  const bodies = (await readFile(file, 'utf8')).split('\n').map((line) => Buffer.from(line))
  const nodes = urls.map((url) => new Client(url))
  const waitedMs: number[] = []
  for (const [at, body] of bodies.entries()) {
    const node = nodes[at % nodes.length]!
    waitedMs.push(await timed(() => postExpecting(node, '/v1/transactions?wait=committed', body)))
    await sleep(restMs)
  }
  await Promise.all(nodes.map((node) => node.close()))
  return { waitedMs: waitedMs.slice(warmUpRounds) }
}

const timed = async (run: () => Promise<void>): Promise<number> => {
  const startedMs = performance.now()
  await run()
  return performance.now() - startedMs
}

const postExpecting = async (client: Client, path: string, body: Buffer): Promise<void> => {
  const { status, text } = await post(client, path, body)
  if (status !== 200) throw new Error(`expected 200 from ${path}, got ${status}: ${text}`)
}

/** As any log writes: appended, then synced, the second after the first. */
const writeTwice = async (log: FileHandle): Promise<void> => {
  for (let at = 0; at < 2; at++) {
    await log.write(Buffer.alloc(writeBytes, at + 1))
    await log.datasync()
  }
}
