/** `--storage redis://…` and `postgres://…`: which server, and which ledger on it. */
import { TautlineError } from '../errors.ts'

export interface ServerAddress {
  /** As the server's own client takes it. */
  readonly url: string
  /** Names the ledger; several may lie on one server. */
  readonly ledger: string
  /** For messages: without user, password and options. */
  readonly place: string
}

const defaultLedger = 'tautline'
/** A schema in PostgreSQL, whose names have 63 bytes at most, and a hash tag in Redis. */
const ledgerPattern = /^[a-z][a-z0-9_]{0,30}$/

/**
 * @param spec - a URL; `?ledger=NAME` is ours, all else the client's
 * @throws TautlineError `bad-configuration`; no message repeats a password
 */
export const parseServerAddress = (spec: string): ServerAddress => {
  if (!URL.canParse(spec)) throw badAddress('it is no URL')
  const url = new URL(spec)
  if (url.hostname === '') throw badAddress('it names no host')
  const ledger = url.searchParams.get('ledger') ?? defaultLedger
  if (!ledgerPattern.test(ledger))
    throw badAddress('?ledger= is a letter and up to 30 more of a to z, 0 to 9 and _')
  url.searchParams.delete('ledger')
  const place = `${url.protocol}//${url.host}${url.pathname} (ledger ${ledger})`
  return { url: url.href, ledger, place }
}

const badAddress = (what: string): TautlineError =>
  new TautlineError(
    'bad-configuration',
    `the address of the storage server can't be used: ${what}; expected ` +
      'redis://[user:password@]host:port/number or postgres://[user:password@]host:port/database, each with ?ledger=NAME or without',
  )
