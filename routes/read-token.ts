/** Closed reads: in a private network, what the ledger says is for those who show the token. */
import type { Context, MiddlewareHandler } from 'hono'
import { TautlineError } from '../src/errors.ts'
import { showsToken } from './token.ts'

/**
 * What tells of the network. The peers' door proves who is there in a way of its own, and what the program says
 * of itself (`/docs`, `/healthz`) is no secret.
 */
const isClosed = (method: string, path: string): boolean =>
  (method === 'GET' || method === 'HEAD') &&
  (path.startsWith('/v1/') || path === '/metrics') &&
  path !== '/v1/peer'

/**
 * @param tokens - each of them opens
 * @throws TautlineError `unauthorized`
 */
export const readersOnly = (tokens: readonly string[]): MiddlewareHandler => {
  const isShown = showsToken(tokens)
  return async (c, next) => {
    if (isClosed(c.req.method, c.req.path) && !isShown(c))
      throw new TautlineError(
        'unauthorized',
        'this network is private: send `Authorization: Bearer <token>` with the read token that its members share',
      )
    await next()
    keepPrivate(c)
  }
}

/** What may be kept for good may then be kept by who has asked, and by no cache between. */
const keepPrivate = ({ res: { headers } }: Context): void => {
  const given = headers.get('cache-control')
  if (given?.startsWith('public')) headers.set('cache-control', given.replace('public', 'private'))
}
