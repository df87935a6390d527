/** The log as one JSON object a line, which is what Cloudflare's log viewer reads. */
import type { Log, LogDetails } from '../../ports/log.ts'

const at =
  (level: 'info' | 'warn' | 'error') =>
  (message: string, details: LogDetails = {}): void =>
    console[level](JSON.stringify({ ...details, time: new Date().toISOString(), level, message }))

export const consoleLog: Log = {
  debug: () => undefined,
  info: at('info'),
  warn: at('warn'),
  error: at('error'),
}
