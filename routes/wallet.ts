/** The node's own account, spent by its operator. */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import type { NodeService } from '../src/node/service.ts'
import { textField } from '../src/objects/fields.ts'
import { maxOperations, operationSchema } from '../src/objects/operation.ts'
import { maxMemoBytes } from '../src/objects/transaction.ts'
import { readJson } from './body.ts'
import * as examples from './examples.ts'
import type { Budget, Limits } from './limits.ts'
import { json, requireMediaType } from './media-type.ts'
import { operatorScheme } from './operator.ts'
import {
  anyTime,
  defineRoute,
  jsonAnswer,
  parseBody,
  problemAnswers,
  waitParameter,
  wantsToWait,
} from './route.ts'
import { finalSchema, pendingSchema } from './schemas.ts'
import { respondSubmission, type Waiting } from './submission.ts'

const spendSchema = z
  .strictObject({
    operations: z.array(operationSchema).min(1, 'expected at least one operation').max(maxOperations),
    memo: textField(maxMemoBytes).optional(),
  })
  .openapi('Spend', { example: { operations: examples.operations, memo: 'for lunch' } })

export const spendRoute = defineRoute({
  method: 'post',
  path: '/v1/wallet/transactions',
  operationId: 'spend',
  tags: ['Wallet'],
  summary: "Spend from the node's own account",
  description:
    'The node fills in nonce, the least fee and the expiry, signs with its own key, and submits. Calls at the same time get nonces of their own.',
  security: [{ [operatorScheme]: [] }],
  request: {
    query: z.object({ wait: waitParameter }),
    body: { required: true, content: { 'application/json': { schema: spendSchema } } },
  },
  responses: {
    200: jsonAnswer('Final.', finalSchema),
    202: jsonAnswer('Accepted, not final yet.', pendingSchema),
    ...problemAnswers(
      'malformed-json',
      'malformed-request',
      'unauthorized',
      'forbidden-origin',
      'request-timeout',
      'transaction-dropped',
      'request-too-large',
      'transaction-too-large',
      'unsupported-media-type',
      'insufficient-funds',
      'operation-fails',
      'mempool-full',
      'signing-refused',
      ...anyTime,
    ),
  },
})

export interface WalletParts {
  readonly node: NodeService
  readonly limits: Limits
  readonly bodies: Budget
  readonly waiting: Waiting
}

export const mountWallet = (app: OpenAPIHono, { node, limits, bodies, waiting }: WalletParts): void => {
  app.post(spendRoute.path, async (c) => {
    requireMediaType(c.req.raw.headers, [json])
    const wait = wantsToWait(c)
    const { operations, memo } = parseBody(spendSchema, await readJson(c.req.raw, limits, bodies))
    const submission = await node.spend(memo === undefined ? { operations } : { operations, memo })
    return respondSubmission(node, submission, wait ? waiting : undefined)
  })
}
