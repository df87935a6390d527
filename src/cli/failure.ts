/**
 * How a command ends that doesn't end well: one sentence on standard error, and an exit code.
 *
 * 1: it was done, and the answer is no (a proof that doesn't hold, a refused transaction, a ledger that
 * doesn't add up). 2: it couldn't be done (a wrong flag, a folder in use, no node there).
 */
import { CommanderError } from 'commander'
import { ZodError } from 'zod'
import { LightRefusal } from '../client/light-client.ts'
import { RequestError } from '../client/request-error.ts'
import { type ErrorCode, TautlineError } from '../errors.ts'

export type ExitCode = 0 | 1 | 2

/** The answer is no. */
export class NoVerdict extends Error {
  override readonly name = 'NoVerdict'
}

export interface Failure {
  readonly exitCode: ExitCode
  /** Absent when it was said already. */
  readonly sentence?: string
}

export const failureOf = (error: unknown): Failure => {
  if (error instanceof CommanderError) return { exitCode: error.exitCode === 0 ? 0 : 2 }
  if (error instanceof NoVerdict) return { exitCode: 1, sentence: error.message }
  if (error instanceof TautlineError)
    return { exitCode: isVerdict(error.code) ? 1 : 2, sentence: error.message }
  if (error instanceof LightRefusal)
    return { exitCode: isCircumstance(error) ? 2 : 1, sentence: error.message }
  if (error instanceof RequestError) return { exitCode: isRefusal(error) ? 1 : 2, sentence: error.message }
  return { exitCode: 2, sentence: describe(error) }
}

const isVerdict = (code: ErrorCode): boolean => code === 'ledger-mismatch'

/** Nothing was found out; all else is a verdict about what the node says. */
const isCircumstance = ({ code }: LightRefusal): boolean =>
  code === 'unreachable' || code === 'too-many-requests' || code === 'not-found' || code === 'pruned'

/** The node answered that this request, as it is, is not to be had; in contrast to: not now, not you, not here. */
const isRefusal = ({ code, details: { status } }: RequestError): boolean =>
  code !== 'not-a-node' && (status === 404 || status === 409 || status === 422)

/** What an error says, on one line. */
export const reasonOf = (error: Error): string => {
  if (!(error instanceof ZodError)) return error.message.split('\n')[0]!
  const { path, message } = error.issues[0]!
  return path.length === 0 ? message : `${path.join('.')}: ${message}`
}

const systemErrors: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied: run as the user that owns it',
  EPERM: 'not permitted: run as the user that owns it',
  EEXIST: 'it exists already',
  ENOTDIR: 'a part of the path is no folder',
  EISDIR: 'a folder lies where a file was expected',
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
  EADDRINUSE: 'the address is in use: stop what listens there, or choose another --port',
  EADDRNOTAVAIL: 'this machine has no such address: choose another --host',
}

const describe = (error: unknown): string => {
  if (!(error instanceof Error)) return `unexpected: ${String(error)}`
  const { code, path, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number }
  const known = code === undefined ? undefined : systemErrors[code]
  if (known === undefined) return `unexpected: ${reasonOf(error)}; please report it`
  const subject = path ?? (port === undefined ? address : `${address ?? ''}:${port}`)
  return subject === undefined ? known : `${subject}: ${known}`
}
