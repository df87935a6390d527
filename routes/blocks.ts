/** Blocks: one with its certificate, or a segment of many with the certificate of the last. */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { TautlineError } from '../src/errors.ts'
import { maxSegmentBlocks, maxSegmentBytes } from '../src/messages/limits.ts'
import type { NodeService } from '../src/node/service.ts'
import { type BlockHash, type Height, height } from '../src/units.ts'
import { immutable, respondSettled, respondTagged, revalidate } from './caching.ts'
import { anyTime, defineRoute, jsonAnswer, problemAnswers } from './route.ts'
import { committedBlockSchema, segmentSchema } from './schemas.ts'
import { wholeParameter } from './whole-parameter.ts'

const placePattern = /^(latest|[0-9]{1,15}|[0-9a-f]{64})$/

export const blockRoute = defineRoute({
  method: 'get',
  path: '/v1/blocks/{at}',
  operationId: 'getBlock',
  tags: ['Ledger'],
  summary: 'A block and its certificate',
  description:
    'By height or hash it never changes, and may be cached forever; its ETag is its hash. Certificates of one block may differ between nodes.',
  request: {
    params: z.object({
      at: z
        .string()
        .regex(placePattern, 'expected a height, a block hash of 64 lowercase hex digits, or `latest`')
        .meta({ description: 'A height from 1, a block hash, or `latest`.', example: 'latest' }),
    }),
  },
  responses: {
    200: jsonAnswer('The block.', committedBlockSchema),
    304: { description: 'As you have it.' },
    ...problemAnswers('malformed-request', 'not-found', 'pruned', ...anyTime),
  },
})

export const segmentRoute = defineRoute({
  method: 'get',
  path: '/v1/blocks',
  operationId: 'getSegment',
  tags: ['Ledger'],
  summary: 'Consecutive blocks',
  description: `A segment: blocks from a height on, and the certificate of the last, which proves all of them. Ends at the limit, at ${maxSegmentBytes / 1024 / 1024} MiB, or where the validators change; go on behind its last block. One with as many blocks as were asked for never changes, and may be cached forever.`,
  request: {
    query: z.object({
      from: wholeParameter({ min: 1, description: 'Height of the first block.' })
        .default(1)
        .meta({ default: 1 }),
      limit: wholeParameter({ min: 1, max: maxSegmentBlocks, description: 'Most blocks.' })
        .default(100)
        .meta({ default: 100 }),
      certificates: z.enum(['true', 'false']).default('false').meta({
        description: 'Whether to add the certificate of each block, as those want that keep them.',
        default: 'false',
      }),
    }),
  },
  responses: {
    200: jsonAnswer('The segment.', segmentSchema),
    ...problemAnswers('malformed-request', 'pruned', ...anyTime),
  },
})

export const mountBlocks = (app: OpenAPIHono, node: NodeService): void => {
  app.openapi(segmentRoute, async (c) => {
    const { from, limit, certificates } = c.req.valid('query')
    const { text, blocks } = await node.segment(height(from), limit, {
      certificates: certificates === 'true',
    })
    return respondSettled(text, blocks === limit)
  })
  app.openapi(blockRoute, async (c) => {
    const { at } = c.req.valid('param')
    const committed = await node.block(parsePlace(at))
    if (!committed) throw notFound(at)
    return respondTagged(c, committed.hash, at === 'latest' ? revalidate : immutable, () =>
      JSON.stringify(committed),
    )
  })
}

const parsePlace = (at: string): Height | BlockHash | 'latest' => {
  if (at === 'latest') return at
  return at.length === 64 ? (at as BlockHash) : height(Number(at))
}

const notFound = (at: string): TautlineError => {
  if (at === 'latest')
    return new TautlineError(
      'not-found',
      'there is no block yet, only /v1/genesis: the first transaction makes one',
    )
  if (Number(at) === 0)
    return new TautlineError('not-found', 'height 0 is the genesis, which has no block: see /v1/genesis')
  return new TautlineError(
    'not-found',
    `this node has no block ${at}: /v1/status says how far its ledger goes`,
  )
}
