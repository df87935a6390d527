/** What commands see of the process: where they print, what they read, and when they are asked to end. */

export interface Terminal {
  /** A line for the user or for the next program: standard output. */
  out(line: string): void
  /** A line about how it goes: standard error. */
  err(line: string): void
  /** Rewrites the last line of standard error, where that is a terminal; elsewhere does nothing. */
  progress(line: string): void
  /** How wide standard error is; 0 where that is no terminal. */
  readonly columns: number
  /** Where logs go: standard error. */
  readonly logStream: NodeJS.WriteStream
  /** All of standard input. */
  readInput(): Promise<Uint8Array>
  /** Resolves at the first SIGTERM or SIGINT, or when whoever started this process with a channel lets go of it. */
  untilInterrupted(): Promise<string>
}

const eraseLine = '\r\u001b[K'

export const processTerminal = (): Terminal => {
  endQuietlyWithReader()
  return {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    progress: (line) => void (process.stderr.isTTY && process.stderr.write(eraseLine + line)),
    columns: process.stderr.isTTY ? process.stderr.columns : 0,
    logStream: process.stderr,
    readInput,
    untilInterrupted,
  }
}

/** Whoever reads us may have seen enough (`| head`): that is no failure of ours. */
const endQuietlyWithReader = (): void => {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit()
    throw error
  })
}

const readInput = async (): Promise<Uint8Array> => {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

// The second signal finds no listener, so it ends the process at once, whatever still holds it up.
const untilInterrupted = (): Promise<string> =>
  new Promise((resolve) => {
    const onSignal = (signal: string): void => {
      process.off('SIGTERM', onSignal)
      process.off('SIGINT', onSignal)
      resolve(signal)
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
    process.on('disconnect', () => onSignal('disconnect'))
    process.channel?.unref() // it alone keeps no process alive
  })
