/** The log of a node that nobody gave another one. */
import type { Log } from '../../ports/log.ts'

export const consoleLog: Log = {
  debug: () => undefined,
  info: (message, details = {}) => console.info(message, details),
  warn: (message, details = {}) => console.warn(message, details),
  error: (message, details = {}) => console.error(message, details),
}
