/** Accounts: what one holds, and what it did. */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { canonicalize, type Json } from '../src/codec/json.ts'
import { maxHistoryPage, type NodeService } from '../src/node/service.ts'
import { addressField } from '../src/objects/fields.ts'
import { respondFresh } from './caching.ts'
import { proofParameter } from './proof-parameter.ts'
import { anyTime, defineRoute, jsonAnswer, problemAnswers } from './route.ts'
import { accountSchema, historySchema } from './schemas.ts'
import { wholeParameter } from './whole-parameter.ts'

const params = z.object({ address: addressField })

export const accountRoute = defineRoute({
  method: 'get',
  path: '/v1/accounts/{address}',
  operationId: 'getAccount',
  tags: ['Ledger'],
  summary: 'An account',
  description: 'Zeros for one that was never seen.',
  request: { params, query: z.object({ proof: proofParameter }) },
  responses: {
    200: jsonAnswer('The account.', accountSchema),
    ...problemAnswers('malformed-request', ...anyTime),
  },
})

export const historyRoute = defineRoute({
  method: 'get',
  path: '/v1/accounts/{address}/transactions',
  operationId: 'getAccountTransactions',
  tags: ['Ledger'],
  summary: "An account's transactions",
  description: 'Those that it sent and those that name it, newest first.',
  request: {
    params,
    query: z.object({
      cursor: z
        .string()
        .max(100, 'expected the `cursor` of the page before')
        .optional()
        .meta({ description: 'The `cursor` of the page before; none for the first.' }),
      limit: wholeParameter({ min: 1, max: maxHistoryPage, description: 'Most transactions of the page.' })
        .default(50)
        .meta({ default: 50 }),
    }),
  },
  responses: {
    200: jsonAnswer('A page of the history.', historySchema),
    ...problemAnswers('malformed-request', ...anyTime),
  },
})

export const mountAccounts = (app: OpenAPIHono, node: NodeService): void => {
  app.openapi(accountRoute, async (c) => {
    const proof = c.req.valid('query').proof === 'true'
    const account = await node.account(c.req.valid('param').address, { proof })
    return respondFresh(proof ? canonicalize(account as unknown as Json) : JSON.stringify(account))
  })
  app.openapi(historyRoute, async (c) => {
    const { cursor, limit } = c.req.valid('query')
    const page = await node.history(
      c.req.valid('param').address,
      cursor === undefined ? { limit } : { cursor, limit },
    )
    return respondFresh(JSON.stringify(page))
  })
}
