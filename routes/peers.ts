/** Who this node is linked with: for all to see, for the operator to change. */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { TautlineError } from '../src/errors.ts'
import type { NodeService } from '../src/node/service.ts'
import { addressField } from '../src/objects/fields.ts'
import { nodeUrlField } from '../src/objects/join-string.ts'
import { readJson } from './body.ts'
import { respondFresh } from './caching.ts'
import type { Budget, Limits } from './limits.ts'
import { json, requireMediaType } from './media-type.ts'
import { operatorScheme } from './operator.ts'
import { anyTime, defineRoute, jsonAnswer, parseBody, problemAnswers } from './route.ts'
import { banSchema, peersSchema } from './schemas.ts'

export const peersRoute = defineRoute({
  method: 'get',
  path: '/v1/peers',
  operationId: 'getPeers',
  tags: ['Peers'],
  summary: 'Who this node is linked with',
  responses: {
    200: jsonAnswer('Open links, URLs that are dialled without one yet, and bans.', peersSchema),
    ...problemAnswers(...anyTime),
  },
})

const addedSchema = z
  .strictObject({ url: nodeUrlField })
  .openapi('PeerUrl', { example: { url: 'https://node.example' } })

export const addPeerRoute = defineRoute({
  method: 'post',
  path: '/v1/peers',
  operationId: 'addPeer',
  tags: ['Peers'],
  summary: 'Dial a node',
  description:
    'At once, and again for as long as this process runs: `GET /v1/peers` tells what came of it. Whom to dial after a restart too is said at the start.',
  security: [{ [operatorScheme]: [] }],
  request: { body: { required: true, content: { 'application/json': { schema: addedSchema } } } },
  responses: {
    202: jsonAnswer('It is being dialled.', addedSchema),
    ...problemAnswers(
      'malformed-json',
      'malformed-request',
      'unauthorized',
      'forbidden-origin',
      'request-timeout',
      'request-too-large',
      'unsupported-media-type',
      'too-many-peers',
      ...anyTime,
    ),
  },
})

const idParameter = addressField.meta({ description: 'Node key of the peer.' })

export const removePeerRoute = defineRoute({
  method: 'delete',
  path: '/v1/peers/{id}',
  operationId: 'removePeer',
  tags: ['Peers'],
  summary: 'Let go of a peer',
  description: 'Ends its link, dials it no more, and refuses it until the ban ends.',
  security: [{ [operatorScheme]: [] }],
  request: { params: z.object({ id: idParameter }) },
  responses: {
    200: jsonAnswer('It is gone.', banSchema),
    ...problemAnswers('malformed-request', 'unauthorized', 'forbidden-origin', 'not-found', ...anyTime),
  },
})

export interface PeersParts {
  readonly node: NodeService
  readonly limits: Limits
  readonly bodies: Budget
}

export const mountPeers = (app: OpenAPIHono, { node, limits, bodies }: PeersParts): void => {
  app.openapi(peersRoute, () => respondFresh(JSON.stringify(node.peers())))
  app.post(addPeerRoute.path, async (c) => {
    requireMediaType(c.req.raw.headers, [json])
    const { url } = parseBody(addedSchema, await readJson(c.req.raw, limits, bodies))
    node.addPeer(url)
    return respondFresh(JSON.stringify({ url }), 202)
  })
  app.openapi(removePeerRoute, (c) => {
    const { id } = c.req.valid('param')
    const ban = node.removePeer(id)
    if (!ban)
      throw new TautlineError('not-found', `${id} is no peer of this node: /v1/peers lists those that are`)
    return respondFresh(JSON.stringify(ban))
  })
}
