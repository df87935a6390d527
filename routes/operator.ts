/**
 * Who may act for the operator: whoever shows the token, and no web page of somebody else.
 *
 * The token alone stops strangers. Host and Origin stop pages that the operator's browser shows: one that
 * has its own name resolve to this machine (DNS rebinding) is given away by the Host, one that sends from
 * elsewhere by the Origin. These doors send no CORS headers, so no page of another origin may ask either.
 */
import type { MiddlewareHandler } from 'hono'
import { TautlineError } from '../src/errors.ts'
import { showsToken } from './token.ts'

/** The wallet and the connections are the operator's alone; of peers, all may know. */
export const isOperatorRequest = (method: string, path: string): boolean =>
  /^\/v1\/(wallet|connections|commitments)(\/|$)/.test(path) ||
  (/^\/v1\/peers(\/|$)/.test(path) && !['GET', 'HEAD'].includes(method))

/** Name under which the description speaks of the token. */
export const operatorScheme = 'operatorToken'

/**
 * @param acceptedUrls - under which this node is reached: their hosts are its Hosts, they its Origins
 * @throws TautlineError `forbidden-origin`, `unauthorized`
 */
export const operatorOnly = (token: string, acceptedUrls: readonly string[]): MiddlewareHandler => {
  const origins = new Set(acceptedUrls.map((url) => new URL(url).origin))
  const hosts = new Set(acceptedUrls.map((url) => new URL(url).host))
  const isShown = showsToken([token])
  return async (c, next) => {
    refuseForeign('host', c.req.header('host') ?? '', hosts)
    const origin = c.req.header('origin')
    if (origin !== undefined) refuseForeign('origin', origin, origins)
    if (!isShown(c)) throw unauthorized()
    await next()
  }
}

const refuseForeign = (what: string, given: string, accepted: ReadonlySet<string>): void => {
  if (accepted.has(given)) return
  const list = [...accepted].join(', ')
  throw new TautlineError(
    'forbidden-origin',
    `${what} ${JSON.stringify(given.slice(0, 100))} is not this node's: expected one of ${list}; add others with --url`,
  )
}

const unauthorized = (): TautlineError =>
  new TautlineError(
    'unauthorized',
    'this acts for the operator: send `Authorization: Bearer <token>` with the token from operator.token in the data folder',
  )
