/** The node's log on standard error: for people by consola, for programs one JSON object a line. */
import { type ConsolaReporter, createConsola, LogLevels, type LogType } from 'consola'
import type { Log, LogDetails } from '../ports/log.ts'
import type { Terminal } from './terminal.ts'

export const createLog = ({ json, stream }: { json: boolean; stream: NodeJS.WriteStream }): Log => {
  const consola = createConsola({
    level: LogLevels.info, // consola's own choice depends on DEBUG and NODE_ENV
    stdout: stream,
    stderr: stream,
    ...(json ? { reporters: [jsonReporter(stream)] } : {}),
  })
  const at =
    (level: LogType & keyof Log) =>
    (message: string, details: LogDetails = {}): void =>
      json ? consola[level](message, details) : consola[level](withDetails(message, details))
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** "committed a block height=3 transactions=2" */
const withDetails = (message: string, details: LogDetails): string =>
  [message, ...Object.entries(details).map(([name, value]) => `${name}=${value}`)].join(' ')

const jsonReporter = (stream: NodeJS.WritableStream): ConsolaReporter => ({
  log: ({ date, type, args: [message, details] }) => {
    stream.write(`${JSON.stringify({ ...details, time: date.toISOString(), level: type, message })}\n`)
  },
})

/** For commands that print one answer: only what is wrong is worth a line beside it. */
export const createQuietLog = (terminal: Terminal): Log => {
  const tell = (message: string): void => terminal.err(`tautline: ${message}`)
  return { debug: () => undefined, info: () => undefined, warn: tell, error: tell }
}
