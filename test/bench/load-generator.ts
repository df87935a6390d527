/** The parent's side of the load generator. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { LoadAnswer, LoadReports, LoadTask } from './load-task.ts'

export interface LoadGenerator {
  run<Kind extends LoadTask['kind']>(task: LoadTask & { kind: Kind }): Promise<LoadReports[Kind]>
  close(): void
}

export const openLoadGenerator = async (): Promise<LoadGenerator> => {
  const child = fork(fileURLToPath(new URL('./load-process.ts', import.meta.url)))
  await nextMessage(child)
  return {
    run: async <Kind extends LoadTask['kind']>(task: LoadTask & { kind: Kind }) => {
      child.send(task)
      const answer = (await nextMessage(child)) as LoadAnswer
      if ('error' in answer) throw new Error(`the load generator failed: ${answer.error}`)
      return answer.report as LoadReports[Kind]
    },
    close: () => child.kill(),
  }
}

const nextMessage = async (child: ChildProcess): Promise<unknown> => {
  const ended = new AbortController()
  const exit = once(child, 'exit', { signal: ended.signal }).then(() => {
    throw new Error('the load generator has ended')
  })
  exit.catch(() => {}) // whoever races with it sees it
  try {
    const [message] = await Promise.race([once(child, 'message', { signal: ended.signal }), exit])
    return message
  } finally {
    ended.abort()
  }
}
