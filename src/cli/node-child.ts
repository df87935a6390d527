/**
 * A node as a child process of a command.
 *
 * In: its data folder. Out: when it serves, its log line by line, and when it has ended. It leads a process
 * group of its own, so that Ctrl-C reaches it by this process alone and once; and it ends by itself when this
 * process lets go of it, however that comes about.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'

export interface NodeChild {
  /** Resolves once it serves. Rejects when it ends before that. */
  readonly serving: Promise<void>
  /** Resolves with what it has ended with: an exit code, or the name of a signal. */
  readonly ended: Promise<string>
  /** Tells it to end, as Ctrl-C does. */
  end(): void
}

/** @param onLine - told each line of its log */
export const startNodeChild = (dataFolder: string, onLine: (line: string) => unknown): NodeChild => {
  const args = [...process.execArgv, process.argv[1]!, 'start', '--data', dataFolder]
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
    env: foreignVariables(),
  })
  const lines = createInterface({ input: child.stderr! }).on('line', onLine)
  const ended = endOf(child, lines)
  return {
    serving: Promise.race([firstOutput(child), ended.then(refuseEarlyEnd)]),
    ended,
    end: () => child.connected && child.disconnect(),
  }
}

/** Variables that stand for flags are meant for the command, and not for its nodes: these have their config.json. */
const foreignVariables = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TAUTLINE_')))

/** A node prints its banner once it serves. */
const firstOutput = async ({ stdout }: ChildProcess): Promise<void> => {
  await once(stdout!, 'data')
  stdout!.resume()
}

/** With its last line. Once a channel was let go of, Node 20 never says `close` of the process itself. */
const endOf = async (child: ChildProcess, lines: Interface): Promise<string> => {
  const [[code, signal]] = await Promise.all([once(child, 'exit'), once(lines, 'close')])
  return signal ?? `exit code ${code}`
}

const refuseEarlyEnd = (how: string): never => {
  throw new Error(`it has ended (${how})`)
}
