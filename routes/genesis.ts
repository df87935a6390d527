/** What the network started from. */
import type { OpenAPIHono } from '@hono/zod-openapi'
import type { NodeService } from '../src/node/service.ts'
import { genesisSchema } from '../src/objects/genesis.ts'
import { immutable, respondTagged } from './caching.ts'
import { anyTime, defineRoute, jsonAnswer, problemAnswers } from './route.ts'

export const genesisRoute = defineRoute({
  method: 'get',
  path: '/v1/genesis',
  operationId: 'getGenesis',
  tags: ['Network'],
  summary: 'The genesis',
  description: 'Its ETag is the network id.',
  responses: {
    200: jsonAnswer('The genesis object.', genesisSchema),
    304: { description: 'As you have it.' },
    ...problemAnswers(...anyTime),
  },
})

export const mountGenesis = (app: OpenAPIHono, node: NodeService): void => {
  app.openapi(genesisRoute, (c) =>
    respondTagged(c, node.network, immutable, () => JSON.stringify(node.genesis)),
  )
}
