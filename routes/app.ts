/**
 * The doors of a node: what it is asked over HTTP, and what it answers.
 *
 * In: a node behind {@link NodeService}, and what a runtime must lend (WebSocket upgrades, files, process
 * numbers). Out: one Hono app, to be served by any runtime. Decides nothing itself: it reads requests within
 * limits, asks the node, and writes answers. No input makes it fail with 5xx, save for 503 with Retry-After.
 */
import { OpenAPIHono } from '@hono/zod-openapi'
import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { TautlineError } from '../src/errors.ts'
import type { ConnectionsService } from '../src/node/connections/service.ts'
import type { NodeService } from '../src/node/service.ts'
import type { Log } from '../src/ports/log.ts'
import { mountAccounts } from './accounts.ts'
import type { ReadAsset } from './assets.ts'
import { mountBlocks } from './blocks.ts'
import { mountConnections } from './connections.ts'
import { mountConsensus } from './consensus.ts'
import { mountDidcomm } from './didcomm.ts'
import { mountDocs } from './docs.ts'
import { mountEvents, type WebSocketDoor } from './events.ts'
import { mountGenesis } from './genesis.ts'
import { mountHeaders } from './headers.ts'
import { mountHealth } from './health.ts'
import { Budget, defaultLimits, type Limits } from './limits.ts'
import { mountMetrics, type ProcessMetrics } from './metrics.ts'
import { mountOpenapi } from './openapi.ts'
import { isOperatorRequest, operatorOnly } from './operator.ts'
import { mountPeer } from './peer.ts'
import { mountPeerPage } from './peer-page.ts'
import { mountPeers } from './peers.ts'
import { problemResponse } from './problem.ts'
import { readersOnly } from './read-token.ts'
import { refuseInvalid } from './route.ts'
import { mountSegments } from './segments.ts'
import { mountSnapshots } from './snapshots.ts'
import { mountStatus } from './status.ts'
import { mountTransactions } from './transactions.ts'
import { mountValidators } from './validators.ts'
import { mountWallet } from './wallet.ts'

export interface AppParts {
  readonly node: NodeService
  /** Without it, this node holds no private lines. */
  readonly connections?: ConnectionsService
  readonly operatorToken: string
  /** Closes the reads: only who shows it, or the operator's token, may read. */
  readonly readToken?: string
  /** URLs under which this node is reached: operator doors take no other Host, and no other Origin. */
  readonly acceptedUrls: readonly string[]
  /** Contents of `openapi.yaml`, or what makes them when somebody asks. */
  readonly openapiText: string | (() => string)
  readonly readAsset: ReadAsset
  /** Without it, events come as Server-Sent Events only, and no peer can dial. */
  readonly webSocket?: WebSocketDoor
  readonly readProcess?: () => ProcessMetrics
  /** Aborts when the doors close: streams end, and who waits is told what is known. Everyone who waits listens to it. */
  readonly closing: AbortSignal
  readonly limits?: Partial<Limits>
  readonly log: Log
}

export const createApp = (parts: AppParts): OpenAPIHono => {
  const { node, closing, log } = parts
  const limits = { ...defaultLimits, ...parts.limits }
  const waiting = { waitMs: limits.waitMs, closing }
  const bodies = new Budget(limits.bodyBytes, 'bytes of request bodies')

  const app = new OpenAPIHono({ defaultHook: refuseInvalid })
  app.onError((error) => problemResponse(error, log))
  app.notFound((c) => answerUnrouted(app, c.req.method, c.req.path, log))
  app.use(publicCors(), withinBudget(new Budget(limits.requests, 'requests')))
  app.use(forOperator(operatorOnly(parts.operatorToken, parts.acceptedUrls)))
  if (parts.readToken !== undefined) app.use(readersOnly([parts.readToken, parts.operatorToken]))

  mountStatus(app, node)
  mountGenesis(app, node)
  mountBlocks(app, node)
  mountHeaders(app, node)
  mountTransactions(app, {
    node,
    limits,
    bodies,
    streams: new Budget(limits.submissionStreams, 'submission streams'),
    waiting,
    log,
  })
  mountAccounts(app, node)
  mountValidators(app, node)
  mountConsensus(app, node)
  const feed = { limits, subscribers: new Budget(limits.subscribers, 'readers of events'), closing, log }
  mountEvents(app, { ...feed, node }, parts.webSocket)
  mountPeers(app, { node, limits, bodies })
  mountPeer(app, {
    node,
    limits,
    bodies,
    posts: new Budget(limits.peerPosts, 'batches of messages'),
    acceptedUrls: parts.acceptedUrls,
    ...(parts.webSocket ? { webSocket: parts.webSocket } : {}),
  })
  mountSegments(app, { node, limits })
  mountSnapshots(app, node)
  mountWallet(app, { node, limits, bodies, waiting })
  if (parts.connections) {
    mountConnections(app, { connections: parts.connections, limits, bodies, feed })
    mountDidcomm(app, { connections: parts.connections, limits, bodies })
  }
  mountHealth(app)
  mountMetrics(app, node, parts.readProcess)
  mountOpenapi(app, parts.openapiText)
  mountDocs(app, parts.readAsset)
  mountPeerPage(app, parts.readAsset)
  return app
}

/** Any page may read and submit: what it sends carries its own authority. Not so at the operator's doors. */
const publicCors = (): MiddlewareHandler => {
  const open = cors({
    origin: '*',
    allowMethods: ['GET', 'HEAD', 'POST'],
    exposeHeaders: ['ETag', 'Retry-After'],
    maxAge: 86_400,
  })
  return async (c, next) => {
    // A POST isn't kept by caches, so that one without Origin is no browser's: it goes the shorter way.
    const isForPages = c.req.method !== 'POST' || c.req.header('origin') !== undefined
    return isForPages && !isOperatorRequest(c.req.method, c.req.path) ? open(c, next) : next()
  }
}

const forOperator =
  (guard: MiddlewareHandler): MiddlewareHandler =>
  (c, next) =>
    isOperatorRequest(c.req.method, c.req.path) ? guard(c, next) : next()

const withinBudget =
  (requests: Budget): MiddlewareHandler =>
  async (_, next) => {
    requests.take(1)
    try {
      await next()
    } finally {
      requests.giveBack(1)
    }
  }

/** 405 when the path is a door that opens to other methods, else 404. */
const answerUnrouted = (app: OpenAPIHono, method: string, path: string, log: Log): Response => {
  const allowed = allowedMethods(app, path)
  if (allowed.length === 0) {
    return problemResponse(
      new TautlineError('not-found', 'there is nothing under this path: /docs lists what there is'),
      log,
    )
  }
  const allow = allowed.join(', ')
  return problemResponse(
    new TautlineError('method-not-allowed', `${method} is no method of this resource: use ${allow}`),
    log,
    { allow },
  )
}

const allowedMethods = (app: OpenAPIHono, path: string): readonly string[] => {
  const methods = app.routes
    .filter((route) => route.method !== 'ALL' && matchesPath(route.path, path))
    .flatMap((route) => (route.method === 'GET' ? ['GET', 'HEAD'] : [route.method]))
  return [...new Set(methods)]
}

const matchesPath = (pattern: string, path: string): boolean => {
  const parts = pattern.split('/')
  const given = path.split('/')
  return (
    parts.length === given.length &&
    parts.every((part, at) => part === given[at] || (part.startsWith(':') && given[at] !== ''))
  )
}
