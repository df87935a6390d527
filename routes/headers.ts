/** Headers: what a light client follows the network by, without its transactions. */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { TautlineError } from '../src/errors.ts'
import type { NodeService } from '../src/node/service.ts'
import { hashHeader } from '../src/objects/block.ts'
import type { HeaderView } from '../src/objects/light-block.ts'
import { height } from '../src/units.ts'
import { immutable, respondTagged, revalidate } from './caching.ts'
import { anyTime, defineRoute, jsonAnswer, problemAnswers } from './route.ts'
import { headerViewSchema } from './schemas.ts'

export const headerRoute = defineRoute({
  method: 'get',
  path: '/v1/headers/{at}',
  operationId: 'getHeader',
  tags: ['Ledger'],
  summary: 'A header, and who signed it',
  description:
    'Header, certificate and validators of a block, without its transactions: what `tautline light` follows a network by. Height 0 is the genesis. By height it never changes, and may be cached forever. Of a pruned block there is a problem whose `next` is the height of the next header that is kept.',
  request: {
    params: z.object({
      at: z
        .string()
        .regex(/^(latest|[0-9]{1,15})$/, 'expected a height, or `latest`')
        .meta({ description: 'A height, or `latest`.', example: 'latest' }),
    }),
    query: z.object({
      proof: z.enum(['true', 'false'], 'expected `true` or `false`').default('false').meta({
        description: 'With `true` the answer holds what leads from the network id to the header.',
        default: 'false',
      }),
    }),
  },
  responses: {
    200: jsonAnswer('The header, or the genesis.', headerViewSchema),
    304: { description: 'As you have it.' },
    ...problemAnswers('malformed-request', 'not-found', 'pruned', ...anyTime),
  },
})

export const mountHeaders = (app: OpenAPIHono, node: NodeService): void => {
  app.openapi(headerRoute, async (c) => {
    const { at } = c.req.valid('param')
    const proof = c.req.valid('query').proof === 'true'
    const view = await node.header(at === 'latest' ? at : height(Number(at)), { proof })
    if (!view)
      throw new TautlineError(
        'not-found',
        `this node has no block ${at} yet: /v1/status says how far its ledger goes`,
      )
    return respondTagged(c, tagOf(view, node), at === 'latest' ? revalidate : immutable, () =>
      JSON.stringify(view),
    )
  })
}

const tagOf = (view: HeaderView, { network }: NodeService): string =>
  'genesis' in view ? network : hashHeader(view.header)
