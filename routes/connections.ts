/** Private lines to other nodes: for the operator alone. */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { decodeUtf8 } from '../src/codec/bytes.ts'
import { type Json, parseJson } from '../src/codec/json.ts'
import { TautlineError } from '../src/errors.ts'
import { maxContentBytes, maxPage } from '../src/node/connections/limits.ts'
import type { ConnectionsService, Saying } from '../src/node/connections/service.ts'
import { hashField } from '../src/objects/fields.ts'
import { readBytes, readJson } from './body.ts'
import { respondFresh } from './caching.ts'
import {
  acceptanceSchema,
  connectionEventSchema,
  connectionSchema,
  eventPosition,
  exportOptions,
  idParameter,
  importSchema,
  invitationSchema,
  messageSchema,
  revealedSchema,
  saidSchema,
  termsSchema,
} from './connection-schemas.ts'
import type { FeedParts } from './event-feed.ts'
import { eventStream, respondEventStream } from './event-stream.ts'
import type { Budget, Limits } from './limits.ts'
import { json, requireMediaType } from './media-type.ts'
import { operatorScheme } from './operator.ts'
import { anyTime, defineRoute, jsonAnswer, parseBody, problemAnswers } from './route.ts'
import { wholeParameter } from './whole-parameter.ts'

const security = [{ [operatorScheme]: [] }]
const tags = ['Connections']
const operatorProblems = ['unauthorized', 'forbidden-origin', ...anyTime] as const
const bodyProblems = [
  'malformed-json',
  'malformed-request',
  'request-timeout',
  'request-too-large',
  'unsupported-media-type',
] as const

export const inviteRoute = defineRoute({
  method: 'post',
  path: '/v1/connections/invitations',
  operationId: 'invite',
  tags,
  summary: 'Invite somebody to a connection',
  security,
  request: { body: { required: true, content: { [json]: { schema: termsSchema } } } },
  responses: {
    200: jsonAnswer('The invitation.', invitationSchema),
    ...problemAnswers(...bodyProblems, 'too-many-connections', ...operatorProblems),
  },
})

export const acceptRoute = defineRoute({
  method: 'post',
  path: '/v1/connections',
  operationId: 'acceptInvitation',
  tags,
  summary: 'Accept an invitation',
  description:
    'Answers at once; the connection is `active` when the other end has answered. Accepting the same one again changes nothing.',
  security,
  request: { body: { required: true, content: { [json]: { schema: acceptanceSchema } } } },
  responses: {
    202: jsonAnswer('The other end is being asked.', connectionSchema),
    ...problemAnswers(...bodyProblems, 'invitation-refused', 'too-many-connections', ...operatorProblems),
  },
})

export const connectionsRoute = defineRoute({
  method: 'get',
  path: '/v1/connections',
  operationId: 'getConnections',
  tags,
  summary: 'All connections, ended ones too',
  security,
  responses: {
    200: jsonAnswer(
      'In the order in which they began.',
      z.strictObject({ connections: z.array(connectionSchema) }),
    ),
    ...problemAnswers(...operatorProblems),
  },
})

const params = z.object({ id: idParameter })
const oneOfThem = {
  200: jsonAnswer('The connection as it is now.', connectionSchema),
  ...problemAnswers('malformed-request', 'not-found', ...operatorProblems),
}

export const connectionRoute = defineRoute({
  method: 'get',
  path: '/v1/connections/{id}',
  operationId: 'getConnection',
  tags,
  summary: 'One connection',
  security,
  request: { params },
  responses: oneOfThem,
})

export const endRoute = defineRoute({
  method: 'delete',
  path: '/v1/connections/{id}',
  operationId: 'endConnection',
  tags,
  summary: 'Let go of a connection',
  description:
    'Its private keys and unsent messages are erased at once. The other end is told until it has heard; or, with `notify=false`, when it writes.',
  security,
  request: {
    params,
    query: z.object({
      notify: z
        .enum(['true', 'false'])
        .optional()
        .meta({ description: 'Whether to tell the other end; `true` when left out.' }),
    }),
  },
  responses: oneOfThem,
})

const actRoute = <Path extends string>(
  method: 'post' | 'put' | 'delete',
  path: Path,
  operationId: string,
  summary: string,
) =>
  defineRoute({
    method,
    path: `/v1/connections/{id}/${path}`,
    operationId,
    tags,
    summary,
    security,
    request: { params },
    responses: {
      200: jsonAnswer('The connection as it is now.', connectionSchema),
      ...problemAnswers('malformed-request', 'not-found', 'connection-inactive', ...operatorProblems),
    },
  })

export const pingRoute = actRoute('post', 'ping', 'pingConnection', 'Ask the other end for a word')
export const rotateRoute = actRoute('post', 'rotate', 'rotateConnection', 'Take new keys for this end')
export const blockRoute = actRoute('put', 'block', 'blockConnection', 'Hear and say nothing for a while')
export const unblockRoute = actRoute('delete', 'block', 'unblockConnection', 'Hear and speak again')

export const messagesRoute = defineRoute({
  method: 'get',
  path: '/v1/connections/{id}/messages',
  operationId: 'getMessages',
  tags,
  summary: 'What the other end has said',
  security,
  request: {
    params,
    query: z.object({
      from: wholeParameter({ min: 1, description: 'Position to begin at; 1 when left out.' }).optional(),
      limit: wholeParameter({
        min: 1,
        max: maxPage,
        description: `At most so many; ${maxPage} when left out.`,
      }).optional(),
    }),
  },
  responses: {
    200: jsonAnswer(
      'In their order.',
      z.strictObject({
        messages: z.array(messageSchema),
        next: z.int().meta({ description: 'Position to go on from.' }),
      }),
    ),
    ...problemAnswers('malformed-request', 'not-found', ...operatorProblems),
  },
})

export const sayRoute = defineRoute({
  method: 'post',
  path: '/v1/connections/{id}/messages',
  operationId: 'say',
  tags,
  summary: 'Say something to the other end',
  description: `Text or JSON, at most ${maxContentBytes} bytes. It is in the outbox, on the disk, when this answers, and goes out when the other end is reachable: once, and in order. With \`commit=true\` the body, of any type, becomes a private payload: its commitment is anchored on the ledger first, by a transaction of the node's own account.`,
  security,
  request: {
    params,
    query: z.object({
      commit: z.literal('true').optional().meta({ description: 'Put a commitment to it on the ledger.' }),
    }),
    body: {
      required: true,
      content: {
        'text/plain': { schema: z.string() },
        [json]: { schema: z.unknown() },
      },
    },
  },
  responses: {
    202: jsonAnswer('It will be delivered.', saidSchema),
    ...problemAnswers(
      ...bodyProblems,
      'not-found',
      'connection-inactive',
      'outbox-full',
      'insufficient-funds',
      'transaction-dropped',
      'mempool-full',
      'signing-refused',
      ...operatorProblems,
    ),
  },
})

export const exportRoute = defineRoute({
  method: 'post',
  path: '/v1/connections/export',
  operationId: 'exportConnections',
  tags,
  summary: 'All connections that have not ended, sealed by a passphrase',
  description:
    'With their private keys and what waits to be sent; without what was received. Once a key of a connection was rotated, exports from before that are of no use for it: make a new one.',
  security,
  request: { body: { required: true, content: { [json]: { schema: exportOptions } } } },
  responses: {
    200: jsonAnswer('To be kept somewhere else.', z.looseObject({ kind: z.string() })),
    ...problemAnswers(...bodyProblems, ...operatorProblems),
  },
})

export const importRoute = defineRoute({
  method: 'post',
  path: '/v1/connections/import',
  operationId: 'importConnections',
  tags,
  summary: 'Take connections up again from an export',
  description:
    'Each other end is pinged, and told of new keys. What it has let go of meanwhile ends here too. Connections that are here already are left as they are.',
  security,
  request: { body: { required: true, content: { [json]: { schema: importSchema } } } },
  responses: {
    200: jsonAnswer(
      'Their ids.',
      z.strictObject({ imported: z.array(z.string()), skipped: z.array(z.string()) }),
    ),
    ...problemAnswers(...bodyProblems, 'export-refused', 'too-many-connections', ...operatorProblems),
  },
})

export const revealRoute = defineRoute({
  method: 'post',
  path: '/v1/commitments/{id}/reveal',
  operationId: 'reveal',
  tags,
  summary: 'Everything that somebody else needs to check a private payload',
  security,
  request: { params: z.object({ id: hashField.meta({ description: 'The commitment.' }) }) },
  responses: {
    200: jsonAnswer('To be shown to whomever you like.', revealedSchema),
    ...problemAnswers('malformed-request', 'not-found', ...operatorProblems),
  },
})

export const connectionEventsRoute = defineRoute({
  method: 'get',
  path: '/v1/connections/events',
  operationId: 'getConnectionEvents',
  tags,
  summary: 'What happens to connections, as it happens',
  description:
    'Server-Sent Events whose ids grow by one. `Last-Event-ID` or `from` resumes after one; without either, the stream begins with what happens from now on.',
  security,
  request: {
    query: z.object({
      from: eventPosition.optional().meta({ description: 'Resume after this event; `0` is the beginning.' }),
    }),
    headers: z.object({
      'last-event-id': eventPosition
        .optional()
        .meta({ description: 'As `from`, and before it: what browsers send when they reconnect.' }),
    }),
  },
  responses: {
    200: {
      description: 'The stream.',
      content: {
        [eventStream]: {
          schema: connectionEventSchema,
        },
      },
    },
    ...problemAnswers('malformed-request', ...operatorProblems),
  },
})

export const connectionRoutes = [
  inviteRoute,
  acceptRoute,
  connectionsRoute,
  connectionEventsRoute,
  connectionRoute,
  endRoute,
  messagesRoute,
  sayRoute,
  pingRoute,
  rotateRoute,
  blockRoute,
  unblockRoute,
  exportRoute,
  importRoute,
  revealRoute,
]

export interface ConnectionsDoorParts {
  readonly connections: ConnectionsService
  readonly limits: Limits
  readonly bodies: Budget
  readonly feed: FeedParts
}

/** An export of a thousand connections. */
const maxImportBytes = 32 * 1024 * 1024

export const mountConnections = (app: OpenAPIHono, parts: ConnectionsDoorParts): void => {
  const { connections, limits, bodies, feed } = parts
  const readOptions = async <Schema extends z.ZodType>(
    request: Request,
    schema: Schema,
    jsonBytes = limits.jsonBytes,
  ): Promise<z.output<Schema>> => {
    requireMediaType(request.headers, [json])
    return parseBody(schema, await readJson(request, { ...limits, jsonBytes }, bodies))
  }

  app.post(inviteRoute.path, async (c) => {
    const { label, goal, seconds } = await readOptions(c.req.raw, termsSchema)
    const invitation = await connections.invite({
      ...(label !== undefined && { label }),
      ...(goal !== undefined && { goal }),
      ...(seconds !== undefined && { seconds }),
    })
    return respondFresh(JSON.stringify(invitation))
  })
  app.post(acceptRoute.path, async (c) => {
    const { url, label } = await readOptions(c.req.raw, acceptanceSchema)
    return respondFresh(JSON.stringify(await connections.accept(url, label)), 202)
  })
  app.openapi(connectionsRoute, () => respondFresh(JSON.stringify({ connections: connections.list() })))
  app.openapi(connectionEventsRoute, (c) => {
    const after = c.req.valid('header')['last-event-id'] ?? c.req.valid('query').from
    const from = after === undefined ? undefined : Number(after) + 1
    return respondEventStream(feed, { open: (signal) => eventsOf(connections, from, signal), after })
  })
  app.post(exportRoute.path, async (c) => {
    const { passphrase } = await readOptions(c.req.raw, exportOptions)
    return respondFresh(await connections.export(passphrase))
  })
  app.post(importRoute.path, async (c) => {
    const body = await readOptions(c.req.raw, importSchema, maxImportBytes)
    return respondFresh(
      JSON.stringify(await connections.import(JSON.stringify(body.export), body.passphrase)),
    )
  })
  app.openapi(connectionRoute, (c) => respondFresh(JSON.stringify(connections.get(c.req.valid('param').id))))
  app.openapi(endRoute, async (c) => {
    const notify = c.req.valid('query').notify !== 'false'
    return respondFresh(JSON.stringify(await connections.letGo(c.req.valid('param').id, { notify })))
  })
  app.openapi(messagesRoute, async (c) => {
    const { from = 1, limit = maxPage } = c.req.valid('query')
    return respondFresh(JSON.stringify(await connections.messages(c.req.valid('param').id, from, limit)))
  })
  app.post('/v1/connections/:id/messages', async (c) => {
    const id = parseBody(idParameter, c.req.param('id'))
    const commit = c.req.query('commit')
    if (commit !== undefined && commit !== 'true')
      throw new TautlineError('malformed-request', 'commit: expected `true`, or leave it out', {
        parameter: 'commit',
      })
    const saying = await readSaying(c.req.raw, commit === 'true', limits, bodies)
    return respondFresh(JSON.stringify(await connections.say(id, saying)), 202)
  })
  app.openapi(pingRoute, async (c) =>
    respondFresh(JSON.stringify(await connections.ping(c.req.valid('param').id))),
  )
  app.openapi(rotateRoute, async (c) =>
    respondFresh(JSON.stringify(await connections.rotate(c.req.valid('param').id))),
  )
  app.openapi(blockRoute, async (c) =>
    respondFresh(JSON.stringify(await connections.block(c.req.valid('param').id, true))),
  )
  app.openapi(unblockRoute, async (c) =>
    respondFresh(JSON.stringify(await connections.block(c.req.valid('param').id, false))),
  )
  app.openapi(revealRoute, async (c) =>
    respondFresh(JSON.stringify(await connections.reveal(c.req.valid('param').id))),
  )
}

const readSaying = async (
  request: Request,
  isPayload: boolean,
  { jsonMs }: Limits,
  bodies: Budget,
): Promise<Saying> => {
  const mediaType = isPayload
    ? (request.headers.get('content-type') ?? 'application/octet-stream')
    : requireMediaType(request.headers, [json, 'text/plain'])
  const bytes = await readBytes(request, { bytes: maxContentBytes, ms: jsonMs }, bodies)
  if (isPayload) return { kind: 'payload', payload: bytes, mediaType }
  const text = decodeUtf8(bytes)
  return mediaType === json ? { kind: 'json', value: parseJson(text) as Json } : { kind: 'text', text }
}

async function* eventsOf(connections: ConnectionsService, from: number | undefined, signal: AbortSignal) {
  for await (const { position: id, type, ...data } of connections.events(from, signal))
    yield { id: String(id), type, data }
}
