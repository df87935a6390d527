/** Where peers come in: links over WebSocket, and the messages that need no link. */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { TautlineError } from '../src/errors.ts'
import { maxFrameMessages } from '../src/messages/limits.ts'
import { selfProvingMessageSchema } from '../src/messages/peer-message.ts'
import type { NodeService } from '../src/node/service.ts'
import { hashField } from '../src/objects/fields.ts'
import { readJson } from './body.ts'
import { respondFresh } from './caching.ts'
import type { WebSocketDoor } from './events.ts'
import type { Budget, Limits } from './limits.ts'
import { json, requireMediaType } from './media-type.ts'
import { peerSocket } from './peer-socket.ts'
import { anyTime, defineRoute, jsonAnswer, parseBody, problemAnswers } from './route.ts'

export const peerRoute = defineRoute({
  method: 'get',
  path: '/v1/peer',
  operationId: 'link',
  tags: ['Peers'],
  summary: 'Become a peer, over WebSocket',
  description: `Text frames of canonical JSON (RFC 8785), at most 1 MiB each. Both ends first say \`{kind: "hello", network, key, nonce, version}\`, the one that dialled also \`origin\`, which must be one that this node is reached under. Then each says \`{kind: "proof", signature}\`: Ed25519 over \`tautline/link-dialler/1\` or \`tautline/link-acceptor/1\`, a line feed, and the canonical JSON of \`{acceptor, dialler}\`, the two hellos. Either end may say \`{kind: "refusal", reason, detail}\` instead, and close. From then on every frame is an array of 1 to ${maxFrameMessages} messages, either way.`,
  responses: {
    101: { description: 'Linked, as far as the socket goes.' },
    ...problemAnswers('upgrade-required', ...anyTime),
  },
})

const messagesSchema = z.array(selfProvingMessageSchema).min(1).max(maxFrameMessages)

export const wantedSchema = z
  .strictObject({
    wanted: z
      .array(hashField)
      .meta({ description: 'Hashes of signed transactions that this node lacks to use the messages.' }),
  })
  .openapi('Wanted')

export const peerMessagesRoute = defineRoute({
  method: 'post',
  path: '/v1/peer/messages',
  operationId: 'bringMessages',
  tags: ['Peers'],
  summary: 'Bring messages of the network without being linked',
  description:
    'Proposals, votes and transactions prove themselves, and are taken from anybody. What merely comes too early or too late is left aside without a word; at the first false one the rest is left, too.',
  request: { body: { required: true, content: { 'application/json': { schema: messagesSchema } } } },
  responses: {
    200: jsonAnswer('Heard.', wantedSchema),
    ...problemAnswers(
      'malformed-json',
      'malformed-request',
      'request-timeout',
      'request-too-large',
      'unsupported-media-type',
      ...anyTime,
    ),
  },
})

export interface PeerDoorParts {
  readonly node: NodeService
  readonly limits: Limits
  readonly bodies: Budget
  readonly posts: Budget
  readonly acceptedUrls: readonly string[]
  readonly webSocket?: WebSocketDoor
}

export const mountPeer = (app: OpenAPIHono, parts: PeerDoorParts): void => {
  const { node, limits, bodies, posts, acceptedUrls, webSocket } = parts
  app.openapi(peerRoute, async (c) => {
    if (!webSocket || c.req.header('upgrade')?.toLowerCase() !== 'websocket')
      throw new TautlineError('upgrade-required', 'peers speak WebSocket here: ask to upgrade to it')
    return webSocket.upgrade(c, peerSocket({ node, acceptedUrls, unsentBytes: webSocket.unsentBytes }))
  })
  app.post(peerMessagesRoute.path, async (c) => {
    requireMediaType(c.req.raw.headers, [json])
    posts.take(1)
    try {
      const body = await readJson(c.req.raw, { ...limits, jsonBytes: limits.peerBytes }, bodies)
      return respondFresh(JSON.stringify(await node.peerMessages(parseBody(messagesSchema, body))))
    } finally {
      posts.giveBack(1)
    }
  })
}
