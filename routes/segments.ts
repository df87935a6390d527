/** Where segments come in that nobody asked for: from peers that are ahead of a node which can't ask them. */
import type { OpenAPIHono } from '@hono/zod-openapi'
import { maxHandedBytes } from '../src/node/handed-segment.ts'
import type { NodeService } from '../src/node/service.ts'
import { readJson } from './body.ts'
import { Budget, type Limits } from './limits.ts'
import { json, requireMediaType } from './media-type.ts'
import { anyTime, defineRoute, problemAnswers } from './route.ts'
import { segmentSchema } from './schemas.ts'

export const pushSegmentRoute = defineRoute({
  method: 'post',
  path: '/v1/peer/segments',
  operationId: 'bringSegment',
  tags: ['Peers'],
  summary: 'Bring blocks that the node lacks',
  description:
    'A segment as `GET /v1/blocks?certificates=true` gives it. It proves itself, and is taken from anybody, one at a time. One that does not follow the head, or that the node is fetching already, is passed over without a word.',
  request: { body: { required: true, content: { 'application/json': { schema: segmentSchema } } } },
  responses: {
    204: { description: 'Used, or not needed.' },
    ...problemAnswers(
      'malformed-json',
      'malformed-request',
      'request-timeout',
      'request-too-large',
      'unsupported-media-type',
      'segment-refused',
      ...anyTime,
    ),
  },
})

export interface SegmentDoorParts {
  readonly node: NodeService
  readonly limits: Limits
}

export const mountSegments = (app: OpenAPIHono, { node, limits }: SegmentDoorParts): void => {
  const jsonBytes = maxHandedBytes(node.genesis.parameters)
  // Apart from all others: a segment takes as much as thousands of transactions, and isn't to keep those out.
  const bodies = new Budget(limits.pushedSegments * jsonBytes, 'bytes of segments')
  app.post(pushSegmentRoute.path, async (c) => {
    requireMediaType(c.req.raw.headers, [json])
    const bounds = { jsonBytes, jsonMs: limits.segmentMs }
    await node.takeSegment(await readJson(c.req.raw, bounds, bodies))
    return new Response(null, { status: 204 })
  })
}
