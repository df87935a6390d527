/** Where envelopes come in, from whoever brings them: what they hold is judged by the connection that they are for. */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { decodeUtf8 } from '../src/codec/bytes.ts'
import { encryptedMediaType, maxEnvelopeBytes } from '../src/didcomm/didcomm.ts'
import type { ConnectionsService } from '../src/node/connections/service.ts'
import { readBytes } from './body.ts'
import type { Budget, Limits } from './limits.ts'
import { requireMediaType } from './media-type.ts'
import { anyTime, defineRoute, problemAnswers } from './route.ts'

const envelope = { [encryptedMediaType]: { schema: z.looseObject({ ciphertext: z.string() }) } }

export const didcommRoute = defineRoute({
  method: 'post',
  path: '/v1/didcomm',
  operationId: 'bringEnvelope',
  tags: ['Connections'],
  summary: 'Bring an envelope for a connection of this node',
  description: `A DIDComm v2.1 envelope: a JWE in general JSON, at most ${maxEnvelopeBytes} bytes. 202 says that what it holds has taken effect, or had before. 410 says that the connection has ended, with an envelope that proves it: anything without that proof proves nothing. A refusal's \`reason\` says which check failed.`,
  request: { body: { required: true, content: envelope } },
  responses: {
    202: { description: 'Taken, for good.' },
    410: { description: 'The connection has ended: the sealed END, if there is one.', content: envelope },
    ...problemAnswers(
      'malformed-json',
      'envelope-refused',
      'request-timeout',
      'request-too-large',
      'unsupported-media-type',
      ...anyTime,
    ),
  },
})

export interface DidcommDoorParts {
  readonly connections: ConnectionsService
  readonly limits: Limits
  readonly bodies: Budget
}

export const mountDidcomm = (app: OpenAPIHono, { connections, limits, bodies }: DidcommDoorParts): void => {
  app.post(didcommRoute.path, async (c) => {
    requireMediaType(c.req.raw.headers, [encryptedMediaType])
    const bytes = await readBytes(c.req.raw, { bytes: maxEnvelopeBytes, ms: limits.jsonMs }, bodies)
    const reception = await connections.receive(decodeUtf8(bytes))
    if (reception.kind === 'accepted') return c.body(null, 202)
    const { farewell } = reception
    return farewell === undefined
      ? c.body(null, 410)
      : c.body(farewell, 410, { 'content-type': encryptedMediaType })
  })
}
