/** The doors of a node, opened on Node: the app of `routes/`, with what it borrows from this runtime. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createApp } from '../../../routes/app.ts'
import type { ReadAsset } from '../../../routes/assets.ts'
import type { Limits } from '../../../routes/limits.ts'
import { problemResponse } from '../../../routes/problem.ts'
import { TautlineError } from '../../errors.ts'
import type { ConnectionsService } from '../../node/connections/service.ts'
import type { NodeService } from '../../node/service.ts'
import type { Log } from '../../ports/log.ts'
import { type HttpServer, openHttpServer, type Timeouts } from './http-server.ts'
import { packageFolder } from './package.ts'
import { readProcess } from './process-metrics.ts'

export interface ServeOptions {
  readonly node: NodeService
  readonly connections?: ConnectionsService
  readonly operatorToken: string
  readonly host: string
  /** 0 for any free one. */
  readonly port: number
  /** Further URLs under which clients reach this node. */
  readonly urls: readonly string[]
  /** Whoever reads must show it. */
  readonly readToken?: string
  readonly limits?: Partial<Limits>
  readonly timeouts?: Partial<Timeouts>
  readonly log: Log
}

/** @throws TautlineError `bad-configuration` when it can't listen there, or when the installation isn't whole */
export const serve = async (options: ServeOptions): Promise<HttpServer> => {
  const { node, connections, operatorToken, host, port, urls, readToken, limits, timeouts, log } = options
  const openapiText = await readDescription()
  return openHttpServer({
    host,
    port,
    urls,
    log,
    ...(timeouts ? { timeouts } : {}),
    refuse: (error) => problemResponse(error, log),
    createApp: ({ urls: acceptedUrls, webSocket, closing }) =>
      createApp({
        node,
        ...(connections ? { connections } : {}),
        operatorToken,
        acceptedUrls,
        openapiText,
        readAsset,
        webSocket,
        readProcess,
        closing,
        ...(readToken === undefined ? {} : { readToken }),
        ...(limits ? { limits } : {}),
        log,
      }),
  })
}

const readDescription = async (): Promise<string> => {
  try {
    return await readFile(join(packageFolder, 'openapi.yaml'), 'utf8')
  } catch (cause) {
    throw new TautlineError(
      'bad-configuration',
      'openapi.yaml is missing from this installation: install tautline again, or run `npm run openapi` in a checkout',
      {},
      cause,
    )
  }
}

/** The build puts them there. */
const readAsset: ReadAsset = async (name) => {
  try {
    return await readFile(join(packageFolder, 'dist/assets', name))
  } catch {
    return undefined
  }
}
