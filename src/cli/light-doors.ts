/** What `tautline light follow` answers to programs on this machine. */
import { createLightApp, type VerifiedReads } from '../../routes/light-app.ts'
import { problemResponse } from '../../routes/problem.ts'
import { type LightClient, LightRefusal } from '../client/light-client.ts'
import { RequestError } from '../client/request-error.ts'
import { TautlineError } from '../errors.ts'
import type { Log } from '../ports/log.ts'
import { type HttpServer, openHttpServer } from '../runtime/node/http-server.ts'
import { defaultHost } from './flags.ts'

/** @throws TautlineError `bad-configuration` when it can't listen there */
export const openLightDoors = (light: LightClient, port: number, log: Log): Promise<HttpServer> =>
  openHttpServer({
    host: defaultHost,
    port,
    createApp: ({ urls }) => createLightApp({ reads: readsOf(light), acceptedUrls: urls, log }),
    refuse: (error) => problemResponse(error, log),
    log,
  })

const readsOf = (light: LightClient): VerifiedReads => ({
  head: () => light.update().catch(rethrow),
  account: (address) => light.account(address).catch(rethrow),
  transaction: (id) => light.transaction(id).catch(rethrow),
})

const rethrow = (error: unknown): never => {
  if (error instanceof LightRefusal)
    throw new TautlineError('unverified', error.message, { reason: error.code }, error)
  if (!(error instanceof RequestError)) throw error
  if (error.code === 'not-found')
    throw new TautlineError(
      'not-found',
      `${error.message} (that is the node's word: nothing proves that there is none)`,
      {},
      error,
    )
  throw new TautlineError('unverified', error.message, { reason: error.code }, error)
}
