/**
 * Text for a log or another node's log, whoever wrote it: control and format characters, which could rewrite
 * what a terminal shows, become `?`.
 */
export const printable = (text: string, maxChars: number): string =>
  text.slice(0, maxChars).replace(/\p{C}/gu, '?')

/** As a WebSocket carries it when it closes: at most 123 bytes (RFC 6455 §5.5). */
export const closeReason = (text: string): string => text.replace(/[^ -~]/g, '?').slice(0, 123)
