/** What a failing disk or driver becomes: one error that says what could not be done, and why. */
import { TautlineError } from '../errors.ts'

const advice: Readonly<Record<string, string>> = {
  ENOSPC: 'make room on the disk, then start the node again',
  EDQUOT: 'make room within the disk quota, then start the node again',
  EACCES: 'let this user read and write the folder, then start the node again',
  EROFS: 'the file system is read-only: make it writable, then start the node again',
  EIO: 'the disk reports errors: check it before starting the node again',
  QuotaExceededError:
    'make room on the disk, or remove what this browser keeps of other sites, then open the page again',
}

export const storageFailure = (
  action: 'open' | 'read' | 'write' | 'close',
  cause: unknown,
): TautlineError => {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const code = codeOf(cause)
  return new TautlineError(
    'storage-unavailable',
    `the storage failed to ${action}: ${reason}; ${advice[code] ?? 'check the disk and its permissions, then start the node again'}`,
    code === '' ? { action } : { action, code },
    cause,
  )
}

/** LevelDB says it in words only (`strerror`). */
const spoken: readonly (readonly [string, string])[] = [
  ['No space left on device', 'ENOSPC'],
  ['Disk quota exceeded', 'EDQUOT'],
  ['Permission denied', 'EACCES'],
  ['Read-only file system', 'EROFS'],
  ['Input/output error', 'EIO'],
]

const codeOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return ''
  if (cause instanceof DOMException) return cause.name // its codes are numbers of long ago
  const named = spoken.find(([words]) => cause.message.includes(words))
  return named?.[1] ?? ('code' in cause ? String(cause.code) : '')
}

/** Of a server: it comes back without the node being started again. */
export const serverFailure = (
  place: string,
  action: 'open' | 'read' | 'write' | 'close',
  cause: unknown,
): TautlineError =>
  new TautlineError(
    'storage-unavailable',
    `the storage at ${place} failed to ${action}: ${reasonOf(cause)}; see that the server runs and can be reached` +
      (action === 'open' ? ', then start the node again' : ': the node goes on by itself then'),
    { action },
    cause,
  )

/** What failed at several addresses of one host has no words of its own. */
const reasonOf = (cause: unknown): string => {
  if (cause instanceof AggregateError) return cause.errors.map(reasonOf).join(', ')
  return cause instanceof Error ? cause.message : String(cause)
}
