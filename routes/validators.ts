/** Who votes. */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { TautlineError } from '../src/errors.ts'
import type { NodeService } from '../src/node/service.ts'
import { height } from '../src/units.ts'
import { respondFresh } from './caching.ts'
import { anyTime, defineRoute, jsonAnswer, problemAnswers } from './route.ts'
import { validatorsSchema } from './schemas.ts'
import { wholeParameter } from './whole-parameter.ts'

export const validatorsRoute = defineRoute({
  method: 'get',
  path: '/v1/validators',
  operationId: 'getValidators',
  tags: ['Network'],
  summary: 'Who votes on a block, and with how much stake',
  request: {
    query: z.object({
      height: wholeParameter({
        min: 0,
        description: 'Height of the block voted on; without it, the next one.',
      }).optional(),
    }),
  },
  responses: {
    200: jsonAnswer('The validators, sorted by address.', validatorsSchema),
    ...problemAnswers('malformed-request', 'not-found', 'pruned', ...anyTime),
  },
})

export const mountValidators = (app: OpenAPIHono, node: NodeService): void => {
  app.openapi(validatorsRoute, async (c) => {
    const { height: at } = c.req.valid('query')
    const validators = await (at === undefined ? node.validators() : node.validators(height(at)))
    if (!validators) {
      throw new TautlineError(
        'not-found',
        `who votes on block ${at} isn't known yet: /v1/status says how far the ledger goes`,
      )
    }
    return respondFresh(JSON.stringify(validators))
  })
}
