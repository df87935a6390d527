/** Where this node stands. */
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { NodeService } from '../src/node/service.ts'
import { respondFresh } from './caching.ts'
import { anyTime, defineRoute, jsonAnswer, problemAnswers } from './route.ts'
import { statusSchema } from './schemas.ts'

export const statusRoute = defineRoute({
  method: 'get',
  path: '/v1/status',
  operationId: 'getStatus',
  tags: ['Network'],
  summary: 'Where this node stands',
  description:
    'Answers once the node has recovered what its own disk holds; syncing with others goes on behind it.',
  responses: { 200: jsonAnswer('Network, head, mempool.', statusSchema), ...problemAnswers(...anyTime) },
})

export const mountStatus = (app: OpenAPIHono, node: NodeService): void => {
  app.openapi(statusRoute, () => respondFresh(JSON.stringify(node.status())))
}
