/** Real nodes that hold connections, on free ports of this machine, reaching each other as nodes do. */
import { onTestFinished } from 'vitest'
import type { Json } from '../../src/codec/json.ts'
import type { ConnectionView } from '../../src/connections/connections.ts'
import { type Connections, wirePath } from '../../src/node/connections/connections.ts'
import type { ConnectionEvent, InboxMessage } from '../../src/node/connections/service.ts'
import type { Node } from '../../src/node/node.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Courier, Reach } from '../../src/ports/transport.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { createTransport } from '../../src/runtime/node/engine.ts'
import { serve } from '../../src/runtime/node/serve.ts'
import { type Complaint, MemoryKeys, openConnections, startNode, token } from './world.ts'

export interface Member {
  readonly node: Node
  readonly url: string
  readonly complaints: readonly Complaint[]
  readonly connections: Connections
  readonly keys: MemoryKeys
  /** As the operator. @throws with the problem when the answer is none of 2xx */
  call<Answer>(method: string, path: string, body?: Json): Promise<Answer>
  /** As the operator, whatever comes of it. */
  ask(method: string, path: string, init?: RequestInit): Promise<Response>
  /** As somebody who brings an envelope. */
  bring(text: string, mediaType?: string): Promise<Response>
  /** Resolves with the first event of this type at or after a position. */
  until(type: ConnectionEvent['type'], from?: number): Promise<ConnectionEvent>
  heard(id: string): Promise<readonly InboxMessage[]>
  /** Resolves with all that it has taken over a connection, once there are so many. */
  untilHeard(id: string, count: number): Promise<readonly InboxMessage[]>
}

export interface MemberOptions {
  readonly reach?: Reach
  /** Between this node and the others. */
  readonly courier?: (courier: Courier) => Courier
  /** Of the connections. */
  readonly clock?: Clock
  /** Of a network that is there already; by default one of its own. */
  readonly node?: Node
}

export const startMember = async ({
  reach = 'anywhere',
  courier = (direct) => direct,
  clock = systemClock,
  node: given,
}: MemberOptions = {}): Promise<Member> => {
  const complaints: Complaint[] = []
  const complain = (message: string, details: unknown) => complaints.push({ message, details })
  const log = { debug() {}, info() {}, warn: complain, error: complain }
  const node = given ?? (await startNode(log))
  const keys = new MemoryKeys()
  const transport = createTransport()
  let url = ''
  const connections = await openConnections(
    { node, log, url: () => url, courier: courier(transport), reach, clock },
    keys,
  )
  const server = await serve({
    node,
    connections,
    operatorToken: token,
    host: '127.0.0.1',
    port: 0,
    urls: [],
    log,
  })
  url = server.url
  onTestFinished(async () => {
    await connections.close()
    await server.close()
    await transport.close()
    if (!given) await node.close()
  })
  const ask = (method: string, path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, {
      method,
      ...init,
      headers: { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) },
    })
  const call = async <Answer>(method: string, path: string, body?: Json): Promise<Answer> => {
    const answer = await ask(
      method,
      path,
      body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } },
    )
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as Answer
  }
  const heard = async (id: string) => (await connections.messages(id, 1, 100)).messages
  return {
    node,
    url,
    complaints,
    connections,
    keys,
    call,
    ask,
    bring: (text, mediaType = 'application/didcomm-encrypted+json') =>
      fetch(`${url}${wirePath}`, { method: 'POST', body: text, headers: { 'content-type': mediaType } }),
    until: async (type, from = 1) => {
      const ended = new AbortController()
      for await (const event of connections.events(from, ended.signal)) {
        if (event.type !== type) continue
        ended.abort()
        return event
      }
      throw new Error('the node is closing')
    },
    heard,
    untilHeard: async (id, count) => {
      const ended = new AbortController()
      for await (const { connection, message } of connections.events(1, ended.signal))
        if (connection === id && message === count) ended.abort()
      return heard(id)
    },
  }
}

export interface Pair {
  readonly a: Member
  readonly b: Member
  /** The connection's id at each of them. */
  readonly atA: string
  readonly atB: string
}

export const connect = async (a: Member, b: Member): Promise<Pair> => {
  const from = [a, b].map(({ connections }) => nextEventOf(connections))
  const invitation = await a.call<{ id: string; url: string }>('POST', '/v1/connections/invitations', {})
  const accepted = await b.call<ConnectionView>('POST', '/v1/connections', { url: invitation.url })
  await a.until('active', from[0])
  await b.until('active', from[1])
  return { a, b, atA: invitation.id, atB: accepted.id }
}

const nextEventOf = (connections: Connections): number => connections.nextEvent

export const startPair = async (options: { a?: MemberOptions; b?: MemberOptions } = {}): Promise<Pair> =>
  connect(await startMember(options.a), await startMember(options.b))
