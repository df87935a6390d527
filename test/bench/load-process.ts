/** The load generator: a process that does one task after the other, as its parent asks. */

import { measureLatency, measureWaiting } from './latency.ts'
import type { LoadAnswer, LoadReports, LoadTask } from './load-task.ts'
import { sendNdjson } from './send-ndjson.ts'
import { sendSingly } from './send-singly.ts'

const perform = (task: LoadTask): Promise<LoadReports[LoadTask['kind']]> => {
  switch (task.kind) {
    case 'single':
      return sendSingly(task)
    case 'ndjson':
      return sendNdjson(task)
    case 'latency':
      return measureLatency(task)
    case 'waiting':
      return measureWaiting(task)
  }
}

process.on('message', async (task: LoadTask) => {
  const answer: LoadAnswer = await perform(task).then(
    (report) => ({ report }),
    (error: unknown) => ({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  )
  process.send!(answer)
})
process.send!('ready')
