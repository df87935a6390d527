/** A terminal that keeps what commands print, and is interrupted when the test says so. */
import { PassThrough } from 'node:stream'
import type { Terminal } from '../../../src/cli/terminal.ts'

export interface FakeTerminal extends Terminal {
  readonly printed: string[]
  readonly complained: string[]
  readonly drawn: string[]
  interrupt(): void
}

export const fakeTerminal = (input = ''): FakeTerminal => {
  const printed: string[] = []
  const complained: string[] = []
  const drawn: string[] = []
  let interrupt!: () => void
  const interrupted = new Promise<string>((resolve) => {
    interrupt = () => resolve('SIGTERM')
  })
  return {
    printed,
    complained,
    drawn,
    interrupt,
    out: (line) => void printed.push(line),
    err: (line) => void complained.push(line),
    columns: 80,
    progress: (line) => void drawn.push(line),
    logStream: new PassThrough().resume() as unknown as NodeJS.WriteStream,
    readInput: async () => new TextEncoder().encode(input),
    untilInterrupted: () => interrupted,
  }
}
