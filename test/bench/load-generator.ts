/** The parent's side of the load generator. */
import { startChild } from './child.ts'
import type { LoadAnswer, LoadReports, LoadTask } from './load-task.ts'

export interface LoadGenerator {
  run<Kind extends LoadTask['kind']>(task: LoadTask & { kind: Kind }): Promise<LoadReports[Kind]>
  end(): void
}

export const openLoadGenerator = async (): Promise<LoadGenerator> => {
  const child = await startChild('./load-process.ts')
  return {
    run: async <Kind extends LoadTask['kind']>(task: LoadTask & { kind: Kind }) => {
      const answer = (await child.ask(task)) as LoadAnswer
      if ('error' in answer) throw new Error(`the load generator failed: ${answer.error}`)
      return answer.report as LoadReports[Kind]
    },
    end: child.end,
  }
}
