/** Submits transactions as NDJSON: some streams side by side, one request after the other in each. */
import { readFile } from 'node:fs/promises'
import { performance } from 'node:perf_hooks'
import { Client } from 'undici'
import type { LoadTask, ThroughputReport } from './load-task.ts'
import { readCounts, untilCommitted } from './node-metrics.ts'
import { type Answer, post } from './post.ts'

export const sendNdjson = async ({
  url,
  streams,
}: LoadTask & { kind: 'ndjson' }): Promise<ThroughputReport> => {
  const bodies = await Promise.all(streams.map((files) => Promise.all(files.map((file) => readFile(file)))))
  const expected = bodies.flat().reduce((total, body) => total + countLines(body), 0)
  const { committed } = await readCounts(url)
  const startedMs = performance.now()
  const answers = await Promise.all(bodies.map((requests) => sendInTurn(url, requests)))
  await untilCommitted(url, committed + expected)
  const seconds = (performance.now() - startedMs) / 1_000
  for (const answer of answers.flat()) requireAllAccepted(answer)
  return { transactions: expected, seconds }
}

const sendInTurn = async (url: string, bodies: readonly Buffer[]): Promise<readonly Answer[]> => {
  const client = new Client(url)
  const answers: Answer[] = []
  for (const body of bodies)
    answers.push(await post(client, '/v1/transactions', body, 'application/x-ndjson'))
  await client.close()
  return answers
}

const countLines = (body: Buffer): number => {
  let count = 1
  for (let at = body.indexOf(0x0a); at !== -1; at = body.indexOf(0x0a, at + 1)) count++
  return count
}

const requireAllAccepted = ({ status, text }: Answer): void => {
  const bad = status === 200 ? text.split('\n').find((line) => line.includes('"type"')) : text
  if (bad !== undefined) throw new Error(`a line of the load was refused (${status}): ${bad}`)
}
