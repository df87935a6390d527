/** Snapshots: the state after some block, page by page, for those who join without running all of history. */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { TautlineError } from '../src/errors.ts'
import { maxSubtreeEntries } from '../src/ledger/state/subtree.ts'
import type { NodeService } from '../src/node/service.ts'
import { height } from '../src/units.ts'
import { immutable, respondFresh } from './caching.ts'
import { anyTime, defineRoute, jsonAnswer, problemAnswers } from './route.ts'
import { finalitySchema, snapshotsSchema } from './schemas.ts'
import { wholeParameter } from './whole-parameter.ts'

const heightParameter = wholeParameter({ min: 1, description: 'Height of the snapshot.' })

export const snapshotsRoute = defineRoute({
  method: 'get',
  path: '/v1/snapshots',
  operationId: 'getSnapshots',
  tags: ['Snapshots'],
  summary: 'States that can be fetched whole',
  responses: { 200: jsonAnswer('The newest first.', snapshotsSchema), ...problemAnswers(...anyTime) },
})

export const snapshotRoute = defineRoute({
  method: 'get',
  path: '/v1/snapshots/{height}',
  operationId: 'getSnapshot',
  tags: ['Snapshots'],
  summary: 'What proves a snapshot',
  description:
    'Leads from the network id over every change of the validators to the header, whose `stateRoot` is the hash of the first page.',
  request: { params: z.object({ height: heightParameter }) },
  responses: {
    200: jsonAnswer('Header and certificate, and what leads there.', finalitySchema),
    ...problemAnswers('malformed-request', 'pruned', ...anyTime),
  },
})

export const snapshotPagesRoute = defineRoute({
  method: 'get',
  path: '/v1/snapshots/{height}/pages/{way}',
  operationId: 'getSnapshotPages',
  tags: ['Snapshots'],
  summary: 'Pages of a snapshot',
  description: `The subtree below a page: the page itself first, and then, when it has at most ${maxSubtreeEntries} entries, all below it, in the order of their digits. Each page is named by the hash of its text in the one above, so nothing has to be believed, and any cache or file server may keep it.`,
  request: {
    params: z.object({
      height: heightParameter,
      way: z
        .string()
        .regex(/^(root|[0-9a-f]{1,64})$/, 'expected `root`, or the hex digits that lead to a page')
        .meta({
          description: '`root`, or the digits of the branches that lead to the page.',
          example: 'root',
        }),
    }),
  },
  responses: {
    200: jsonAnswer('Canonical texts of the pages.', z.strictObject({ pages: z.array(z.string()) })),
    ...problemAnswers('malformed-request', 'not-found', 'pruned', ...anyTime),
  },
})

export const mountSnapshots = (app: OpenAPIHono, node: NodeService): void => {
  app.openapi(snapshotsRoute, async () => respondFresh(JSON.stringify({ snapshots: await node.snapshots() })))
  app.openapi(snapshotRoute, async (c) => {
    const proof = await node.snapshotProof(height(c.req.valid('param').height))
    return respondImmutable(proof)
  })
  app.openapi(snapshotPagesRoute, async (c) => {
    const { height: at, way } = c.req.valid('param')
    const pages = await node.snapshotPages(height(at), way === 'root' ? '' : way)
    if (pages) return respondImmutable({ pages })
    throw new TautlineError(
      'not-found',
      `no page of the snapshot begins at ${way}: follow the children of the pages above`,
    )
  })
}

const respondImmutable = (value: unknown): Response =>
  new Response(JSON.stringify(value), {
    headers: { 'content-type': 'application/json', 'cache-control': immutable },
  })
