/** Transactions: submitting one or many, and what became of one. */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { canonicalize, type Json } from '../src/codec/json.ts'
import { TautlineError } from '../src/errors.ts'
import type { NodeService } from '../src/node/service.ts'
import { transactionIdField } from '../src/objects/fields.ts'
import { decodeTransaction, transactionSchema } from '../src/objects/transaction.ts'
import type { Log } from '../src/ports/log.ts'
import { readJson } from './body.ts'
import { respondSettled } from './caching.ts'
import * as examples from './examples.ts'
import type { Budget, Limits } from './limits.ts'
import { json, ndjson, requireMediaType } from './media-type.ts'
import { proofParameter } from './proof-parameter.ts'
import { anyTime, defineRoute, jsonAnswer, problemAnswers, waitParameter, wantsToWait } from './route.ts'
import { finalSchema, pendingSchema, transactionViewSchema } from './schemas.ts'
import { respondSubmission, type Waiting } from './submission.ts'
import { respondStream } from './submission-stream.ts'

export const submitRoute = defineRoute({
  method: 'post',
  path: '/v1/transactions',
  operationId: 'submitTransaction',
  tags: ['Ledger'],
  summary: 'Submit one transaction, or many',
  description: `A transaction is its own authority: no credentials are needed. Any JSON spelling of the same value will do; unknown members are refused. What would fail against the head plus the sender's own pending transactions is refused. Submitting the same one again is harmless and gives the same id, with 200 when it is final already.

As \`${ndjson}\`, up to 10,000 lines or 8 MiB, each line a transaction: answered by one line for each, in order and as they come, either \`{id, status, …}\` or the problem with the number of its \`line\`, from 1. A bad line spoils no other. An empty line is a bad line, except after the last line feed. A full mempool slows the reading instead of failing lines. When the stream itself breaks a limit, a last line says so, and no line from its number on was taken. Read the answers while you send.`,
  request: {
    query: z.object({ wait: waitParameter }),
    body: {
      required: true,
      content: {
        [json]: { schema: transactionSchema },
        [ndjson]: {
          schema: z.string().meta({
            description: 'One transaction a line.',
            example: `${JSON.stringify(examples.transaction)}\n`,
          }),
        },
      },
    },
  },
  responses: {
    200: {
      description: 'Final; or the answers to an NDJSON stream.',
      content: {
        [json]: { schema: finalSchema },
        [ndjson]: {
          schema: z
            .string()
            .meta({ description: 'One answer a line.', example: `${JSON.stringify(examples.pending)}\n` }),
        },
      },
    },
    202: jsonAnswer('Accepted, not final yet.', pendingSchema),
    ...problemAnswers(
      'malformed-json',
      'malformed-request',
      'malformed-transaction',
      'request-timeout',
      'transaction-dropped',
      'request-too-large',
      'transaction-too-large',
      'unsupported-media-type',
      'wrong-network',
      'nonce-used',
      'nonce-too-far',
      'expired',
      'expires-too-late',
      'fee-too-low',
      'invalid-signature',
      'insufficient-funds',
      'operation-fails',
      'replacement-underpriced',
      'mempool-full',
      ...anyTime,
    ),
  },
})

export const transactionRoute = defineRoute({
  method: 'get',
  path: '/v1/transactions/{id}',
  operationId: 'getTransaction',
  tags: ['Ledger'],
  summary: 'A transaction and what became of it',
  description:
    'A proof holds the transaction, its outcome, the path to its block, and the certificate of that. What is final never changes, and may be cached forever.',
  request: { params: z.object({ id: transactionIdField }), query: z.object({ proof: proofParameter }) },
  responses: {
    200: jsonAnswer('The transaction.', transactionViewSchema),
    ...problemAnswers('malformed-request', 'not-found', 'pruned', ...anyTime),
  },
})

export interface TransactionParts {
  readonly node: NodeService
  readonly limits: Limits
  readonly bodies: Budget
  readonly streams: Budget
  readonly waiting: Waiting
  readonly log: Log
}

export const mountTransactions = (app: OpenAPIHono, parts: TransactionParts): void => {
  // Not by the validator of the description: its reading of a body knows no depth, no strict UTF-8 and no end.
  app.post(submitRoute.path, (c) => submit(c, parts))
  app.openapi(transactionRoute, async (c) => {
    const { id } = c.req.valid('param')
    const proof = c.req.valid('query').proof === 'true'
    const view = await parts.node.transaction(id, { proof })
    if (!view) {
      throw new TautlineError(
        'not-found',
        `this node knows no transaction ${id}: a pending one may have been dropped, submit it again`,
      )
    }
    const text = proof ? canonicalize(view as unknown as Json) : JSON.stringify(view)
    return respondSettled(text, view.status !== 'pending')
  })
}

const submit = async (c: Context, parts: TransactionParts): Promise<Response> => {
  const type = requireMediaType(c.req.raw.headers, [json, ndjson])
  const wait = wantsToWait(c)
  if (type === ndjson) {
    if (wait)
      throw new TautlineError('malformed-request', 'wait: a stream is answered line by line; leave it out', {
        parameter: 'wait',
      })
    return respondStream(c.req.raw, parts)
  }
  const { node, limits, bodies, waiting } = parts
  const submission = await node.submit(decodeTransaction(await readJson(c.req.raw, limits, bodies)))
  return respondSubmission(node, submission, wait ? waiting : undefined)
}
