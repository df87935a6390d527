/**
 * The doors of a light client, for programs on the same machine: the paths of a node that it can verify, and no others.
 *
 * No page in a browser is let in: they send no CORS headers, and another Host than this machine's is refused.
 */
import { Hono } from 'hono'
import { TautlineError } from '../src/errors.ts'
import { addressField, transactionIdField } from '../src/objects/fields.ts'
import type { Log } from '../src/ports/log.ts'
import type { Address, TransactionId } from '../src/units.ts'
import { respondFresh } from './caching.ts'
import { Budget } from './limits.ts'
import { problemResponse } from './problem.ts'

/** Reads that reject with a TautlineError where nothing can be verified. */
export interface VerifiedReads {
  head(): Promise<unknown>
  account(address: Address): Promise<unknown>
  transaction(id: TransactionId): Promise<unknown>
}

export interface LightAppParts {
  readonly reads: VerifiedReads
  /** Under which it is reached. */
  readonly acceptedUrls: readonly string[]
  readonly log: Log
}

/** Each look at the network waits for the one before. */
const maxWaiting = 64

export const createLightApp = ({ reads, acceptedUrls, log }: LightAppParts): Hono => {
  const app = new Hono()
  const hosts = new Set(acceptedUrls.map((url) => new URL(url).host))
  const waiting = new Budget(maxWaiting, 'requests')
  app.onError((error) => problemResponse(error, log))
  app.notFound(() => problemResponse(nothingThere(), log))
  app.use(async (c, next) => {
    if (!hosts.has(c.req.header('host') ?? '')) throw foreignHost(hosts)
    waiting.take(1)
    try {
      await next()
    } finally {
      waiting.giveBack(1)
    }
  })
  app.get('/v1/headers/latest', async () => respond(await reads.head()))
  app.get('/v1/accounts/:address', async (c) => {
    const address = addressField.safeParse(c.req.param('address'))
    if (!address.success) throw malformed('address', address.error.issues[0]!.message)
    return respond(await reads.account(address.data))
  })
  app.get('/v1/transactions/:id', async (c) => {
    const id = transactionIdField.safeParse(c.req.param('id'))
    if (!id.success) throw malformed('id', id.error.issues[0]!.message)
    return respond(await reads.transaction(id.data))
  })
  return app
}

const respond = (value: unknown): Response => respondFresh(JSON.stringify(value))

const malformed = (parameter: string, what: string): TautlineError =>
  new TautlineError('malformed-request', `${parameter}: ${what}`, { parameter })

const nothingThere = (): TautlineError =>
  new TautlineError(
    'not-found',
    'a light client answers GET /v1/accounts/{address}, /v1/transactions/{id} and /v1/headers/latest: ask a node for the rest',
  )

const foreignHost = (hosts: ReadonlySet<string>): TautlineError =>
  new TautlineError('forbidden-origin', `expected one of the Hosts ${[...hosts].join(', ')}`)
