/** A process of the bench's own, that is asked one thing at a time and answers each. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface Child {
  /** What it said when it was ready. */
  readonly greeting: unknown
  ask(question: object): Promise<unknown>
  end(): void
}

/** @param name - of a file of this folder */
export const startChild = async (name: string): Promise<Child> => {
  const child = fork(fileURLToPath(new URL(name, import.meta.url)), { serialization: 'advanced' })
  const answer = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const onExit = (code: number | null): void => {
        reject(new Error(`${name} has ended with ${code}: expected an answer`))
      }
      child.once('exit', onExit)
      child.once('message', (message) => {
        child.off('exit', onExit)
        resolve(message)
      })
    })
  return {
    greeting: await answer(),
    ask: (question) => {
      child.send(question)
      return answer()
    },
    end: () => child.kill(),
  }
}
