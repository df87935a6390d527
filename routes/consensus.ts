/** Where the next block stands: what a doctor asks when a network doesn't move. */
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { NodeService } from '../src/node/service.ts'
import { respondFresh } from './caching.ts'
import { anyTime, defineRoute, jsonAnswer, problemAnswers } from './route.ts'
import { consensusSchema } from './schemas.ts'

export const consensusRoute = defineRoute({
  method: 'get',
  path: '/v1/consensus',
  operationId: 'getConsensus',
  tags: ['Network'],
  summary: 'Where the next block stands, and whose votes are missing',
  description: 'As far as this node has heard; `tautline doctor` says the same in sentences.',
  responses: {
    200: jsonAnswer('Height, round, step and votes.', consensusSchema),
    ...problemAnswers(...anyTime),
  },
})

export const mountConsensus = (app: OpenAPIHono, node: NodeService): void => {
  app.openapi(consensusRoute, () => respondFresh(JSON.stringify(node.consensus())))
}
