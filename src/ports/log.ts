/** What a node tells its operator. Details are flat, for programs that read logs. */
export type LogDetails = Readonly<Record<string, string | number | boolean>>

export interface Log {
  debug(message: string, details?: LogDetails): void
  info(message: string, details?: LogDetails): void
  warn(message: string, details?: LogDetails): void
  error(message: string, details?: LogDetails): void
}
