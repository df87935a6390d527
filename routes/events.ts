/** The stream of what is committed, over Server-Sent Events or WebSocket. */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import type { UpgradeWebSocket } from 'hono/ws'
import type { EventFilter, NodeService } from '../src/node/service.ts'
import { addressField } from '../src/objects/fields.ts'
import type { FeedParts } from './event-feed.ts'
import { eventSocket, type SocketParts } from './event-socket.ts'
import { eventStream, respondEventStream } from './event-stream.ts'
import { anyTime, defineRoute, problemAnswers } from './route.ts'
import { eventFrameSchema } from './schemas.ts'

const eventId = z
  .string()
  .regex(
    /^[0-9]{1,15}(\.[0-9]{1,9})?$/,
    'expected the id of an event: a height, or a height and an index as in `7.0`',
  )

export const eventsRoute = defineRoute({
  method: 'get',
  path: '/v1/events',
  operationId: 'getEvents',
  tags: ['Ledger'],
  summary: 'Committed blocks and transactions, as they come',
  description: `Server-Sent Events; or, when the request asks to be upgraded, the same over WebSocket as JSON text frames \`{id, type, data}\`.

The id of an event is its place in the ledger, the same on every node: the height for a block, and height and index, as in \`7.0\`, for a transaction in it. A block's own event comes before those of its transactions. So \`Last-Event-ID\` or \`from\` resumes without a gap, on any node. Without either, the stream begins with what is committed from now on.

A reader that reads too slowly for too long is cut off: a last event \`cut-off\` (over WebSocket also close code 1013) names the event to resume after. A reader over WebSocket sends nothing.`,
  request: {
    query: z.object({
      account: addressField.optional().meta({
        description: 'Only transactions that this account sent or that name it, and no block events.',
      }),
      from: eventId
        .optional()
        .meta({ description: 'Resume after this event; `0` is before the first block.', example: '0' }),
    }),
    headers: z.object({
      'last-event-id': eventId
        .optional()
        .meta({ description: 'As `from`, and before it: what browsers send when they reconnect.' }),
    }),
  },
  responses: {
    200: { description: 'The stream.', content: { [eventStream]: { schema: eventFrameSchema } } },
    ...problemAnswers('malformed-request', 'pruned', ...anyTime),
  },
})

/** How a runtime upgrades to WebSocket. */
export interface WebSocketDoor {
  readonly upgrade: UpgradeWebSocket
  readonly unsentBytes: SocketParts['unsentBytes']
}

export const mountEvents = (
  app: OpenAPIHono,
  { node, ...parts }: FeedParts & { readonly node: NodeService },
  webSocket: WebSocketDoor | undefined,
): void => {
  app.openapi(eventsRoute, async (c) => {
    const { account, from } = c.req.valid('query')
    const after = c.req.valid('header')['last-event-id'] ?? from
    const filter: EventFilter = {
      ...(account === undefined ? {} : { account }),
      ...(after === undefined ? {} : { after }),
    }
    const source = { open: (signal: AbortSignal) => node.events(filter, signal), after }
    if (!webSocket || c.req.header('upgrade')?.toLowerCase() !== 'websocket')
      return respondEventStream(parts, source)
    return webSocket.upgrade(c, eventSocket({ ...parts, unsentBytes: webSocket.unsentBytes }, source))
  })
}
