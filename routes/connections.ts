/** Private lines to other nodes: for the operator alone. */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { decodeUtf8 } from '../src/codec/bytes.ts'
import { type Json, parseJson } from '../src/codec/json.ts'
import { maxInvitationSeconds } from '../src/connections/limits.ts'
import { maxInvitationChars } from '../src/didcomm/didcomm.ts'
import { TautlineError } from '../src/errors.ts'
import { maxContentBytes, maxLabelChars, maxPage } from '../src/node/connections/limits.ts'
import type { ConnectionsService, Saying } from '../src/node/connections/service.ts'
import { hashField, transactionIdField } from '../src/objects/fields.ts'
import { readBytes, readJson } from './body.ts'
import { respondFresh } from './caching.ts'
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

const idParameter = z
  .string()
  .regex(/^[0-9a-f]{32}$/, 'expected the id of a connection: 32 hex digits')
  .meta({ description: 'Of the connection, at this node alone.' })
const labelField = z
  .string()
  .max(maxLabelChars)
  .meta({ description: 'What you call it. The other end never sees it.' })
const unixMs = z.int().meta({ description: 'Milliseconds since the Unix epoch.' })

const connectionSchema = z
  .strictObject({
    id: idParameter,
    label: labelField.optional(),
    goal: z.string().optional().meta({ description: 'What the invitation says that it is for.' }),
    role: z.enum(['inviter', 'acceptor']),
    state: z.enum(['invited', 'requested', 'active', 'ending', 'ended']).meta({
      description:
        '`active` once both ends have signed. `ending`: this end has let go, and the other may not know yet. A peer that can’t be reached is never taken to have ended it.',
    }),
    endedBy: z.enum(['us', 'them', 'expired']).optional(),
    expires: z.int().optional().meta({ description: 'Of the invitation, in Unix seconds.' }),
    created: unixMs,
    shortCode: z.string().optional().meta({
      description:
        'For two people to read to each other: the same at both ends, or somebody sits between them.',
      example: '52804 71169 00321 97455',
    }),
    ours: z
      .string()
      .optional()
      .meta({ description: 'Our DID for this connection, which nobody else is given.' }),
    theirs: z.string().optional(),
    endpoint: z.string().optional().meta({ description: 'Where the other end has its messages sent.' }),
    reachable: z.boolean().optional().meta({ description: 'Whether the last attempt got through.' }),
    lastSeen: unixMs.optional(),
    blocked: z.boolean(),
    trouble: z.strictObject({ code: z.string(), at: unixMs }).optional().meta({
      description:
        "Why the other end's node doesn't take our messages, as it says; nobody has signed that, so it ends nothing.",
    }),
    unacknowledged: z.int().meta({ description: 'Messages of ours that the other end hasn’t confirmed.' }),
    lost: z.array(z.strictObject({ stream: z.int(), from: z.int(), to: z.int() })).meta({
      description: 'Messages that the other end has no more, after this end was restored from a backup.',
    }),
  })
  .openapi('Connection')

const invitationSchema = z
  .strictObject({
    id: idParameter,
    url: z
      .string()
      .meta({ description: 'To be handed to one person, over a way that you trust. It works once.' }),
    expires: z.int().meta({ description: 'Unix seconds.' }),
  })
  .openapi('Invitation')

const termsSchema = z
  .strictObject({
    label: labelField.optional(),
    goal: z
      .string()
      .max(maxLabelChars)
      .optional()
      .meta({ description: 'What it is for; the other end sees it.' }),
    seconds: z
      .int()
      .min(1)
      .max(maxInvitationSeconds)
      .optional()
      .meta({ description: 'How long it holds; a day when left out.' }),
  })
  .openapi('InvitationTerms', { example: { label: 'Ada' } })

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

const acceptanceSchema = z
  .strictObject({
    url: z.string().max(maxInvitationChars).meta({ description: 'Of the invitation.' }),
    label: labelField.optional(),
  })
  .openapi('Acceptance')

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

const messageSchema = z
  .strictObject({
    position: z.int().meta({ description: 'In the order in which they took effect, from 1.' }),
    id: z.string(),
    received: unixMs,
    sent: z.int().optional().meta({ description: 'Unix seconds, as the other end says.' }),
    type: z.string().meta({ description: 'Of the DIDComm message.' }),
    text: z.string().optional(),
    json: z.unknown().optional(),
    payload: z
      .strictObject({
        mediaType: z.string(),
        base64: z.string(),
        c: hashField.meta({ description: 'The commitment.' }),
        transaction: transactionIdField,
        standing: z.enum(['verified', 'not-on-ledger', 'mismatch']).meta({
          description: "What this node's own ledger says about the commitment now.",
        }),
      })
      .optional(),
    receipt: z
      .strictObject({
        c: hashField,
        transaction: transactionIdField,
        jws: z
          .looseObject({ payload: z.string() })
          .meta({ description: 'As it was signed, to be shown to others.' }),
      })
      .optional()
      .meta({ description: 'The other end has signed that it has this payload, and found its commitment.' }),
  })
  .openapi('ConnectionMessage')

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

const saidSchema = z
  .strictObject({
    id: z.string(),
    number: z.int(),
    c: hashField.optional(),
    transaction: transactionIdField.optional(),
  })
  .openapi('Said')

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

const passphraseField = z.string().min(8, 'expected at least 8 characters').max(1_024)
const exportOptions = z.strictObject({ passphrase: passphraseField }).openapi('ExportOptions')

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

const importSchema = z
  .strictObject({ passphrase: passphraseField, export: z.looseObject({ kind: z.string() }) })
  .openapi('Import')

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

const revealedSchema = z
  .strictObject({
    kind: z.literal('reveal'),
    c: hashField,
    transaction: transactionIdField,
    salt: hashField.meta({ description: '32 bytes in hex.' }),
    mediaType: z.string(),
    base64: z.string(),
    receipt: z
      .unknown()
      .optional()
      .meta({ description: 'A JWS by this end, if it is the one that has received it.' }),
    proof: z.string().meta({ description: 'The transaction with its proof, as the node answers it.' }),
  })
  .openapi('Reveal', {
    description:
      'HMAC-SHA256 over `tautline/commitment/1`, a zero byte and the payload, with the salt as its key, gives `c`, which the transaction carries: `tautline proof check` looks at all of it, offline.',
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

const position = z.string().regex(/^[0-9]{1,15}$/, 'expected the id of an event: a whole number')

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
      from: position.optional().meta({ description: 'Resume after this event; `0` is the beginning.' }),
    }),
    headers: z.object({
      'last-event-id': position
        .optional()
        .meta({ description: 'As `from`, and before it: what browsers send when they reconnect.' }),
    }),
  },
  responses: {
    200: {
      description: 'The stream.',
      content: {
        [eventStream]: {
          schema: z
            .strictObject({
              connection: idParameter,
              at: unixMs,
              message: z.int().optional().meta({ description: 'Position of the message, of `message`.' }),
            })
            .openapi('ConnectionEvent', {
              description:
                'Types: `requested`, `active`, `ended`, `rotated`, `ponged`, `acknowledged`, `message`, `lost`.',
            }),
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
