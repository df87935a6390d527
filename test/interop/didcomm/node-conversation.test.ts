/** A whole connection between a real node and a process that shares no code with it, over HTTP. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ConnectionView } from '../../../src/connections/connections.ts'
import { acceptType, acknowledgeType, confirmType, requestType } from '../../../src/connections/headers.ts'
import { basicMessageType, pingResponseType, pingType } from '../../../src/didcomm/didcomm.ts'
import { type Member, startMember } from '../../api/connected-nodes.ts'
import { AgentProcess, type Answer, type Received } from './agent-process.ts'

/** One for all conversations, one after the other: its libraries take seconds to load, and minutes on a busy machine. */
const agent = new AgentProcess()
beforeAll(() => agent.call('state'), 300_000)
afterAll(() => agent.end())

const post = (type: string, body: object, headers: object): Promise<Answer> =>
  agent.call<Answer>('send', { type, body, headers })

/** The next message of this type: acknowledgements come when they come. */
const next = async (type: string): Promise<Received> => {
  for (;;) {
    const received = await agent.next()
    if (received.kind === 'end' || received.message.type === type) return received
    expect(received.message.type).toBe(acknowledgeType)
  }
}

/** The agent accepts, checks the record that the node has signed, and signs it too. */
const connect = async (node: Member, method: 2 | 4): Promise<string> => {
  const invitation = await node.call<{ id: string; url: string }>('POST', '/v1/connections/invitations', {})
  expect(await agent.call('accept', { url: invitation.url, method, type: requestType })).toMatchObject({
    status: 202,
  })
  const accepted = await next(acceptType)
  expect(accepted).toMatchObject({ authenticated: true, rotation: { sub: accepted.message.from } })
  const [{ data }] = accepted.message.attachments as unknown as [{ data: { json: object } }]
  const { header, payload } = await agent.call<{ header: { typ: string }; payload: object }>('verify', {
    jws: data.json,
  })
  expect(header.typ).toBe('tautline-connection')
  expect(payload).toMatchObject({ version: 1, invitationId: expect.any(String), created: expect.any(Number) })
  const signed = await agent.call<object>('sign', { typ: header.typ, statement: payload })
  const confirmed = await post(confirmType, {}, { attachments: [{ id: 'record', data: { json: signed } }] })
  expect(confirmed.status).toBe(202)
  expect(await node.call('GET', `/v1/connections/${invitation.id}`)).toMatchObject({ state: 'active' })
  return invitation.id
}

it.each([2, 4] as const)(
  'from the invitation over messages and rotations to the end by the other (did:peer:%d)',
  async (method) => {
    const node = await startMember()
    const id = await connect(node, method)

    const place = (sequence: number, previous?: string) => ({
      tautline_place: { stream: 1, sequence, oldest: 1, ...(previous !== undefined && { previous }) },
    })
    const first = await agent.call<Answer & { id: string }>('send', {
      type: basicMessageType,
      body: { content: 'hello from elsewhere' },
      headers: place(1),
    })
    expect(first.status).toBe(202)
    expect((await post(basicMessageType, { content: 'and again' }, place(2, first.id))).status).toBe(202)
    expect(await node.heard(id)).toMatchObject([{ text: 'hello from elsewhere' }, { text: 'and again' }])

    await node.ask('POST', `/v1/connections/${id}/messages`, {
      body: 'hello from the node',
      headers: { 'content-type': 'text/plain' },
    })
    const heard = await next(basicMessageType)
    expect(heard).toMatchObject({
      authenticated: true,
      message: {
        body: { content: 'hello from the node' },
        tautline_received: { stream: 1, sequence: 2 },
        tautline_place: { stream: 1, sequence: 1 },
      },
    })
    await post(acknowledgeType, {}, { tautline_received: { stream: 1, sequence: 1, id: heard.message.id } })
    expect(await node.call('GET', `/v1/connections/${id}`)).toMatchObject({ unacknowledged: 0 })

    await node.call('POST', `/v1/connections/${id}/rotate`)
    const rotated = await next(pingType)
    const view = await node.call<ConnectionView>('GET', `/v1/connections/${id}`)
    expect(rotated.rotation?.sub).toContain(view.ours)
    expect((await post(pingResponseType, {}, { thid: rotated.message.id })).status).toBe(202)

    expect(await agent.call('rotate', { type: pingType, body: { response_requested: true } })).toMatchObject({
      status: 202,
    })
    await next(pingResponseType)
    expect((await node.call<ConnectionView>('GET', `/v1/connections/${id}`)).theirs).not.toBe(view.theirs)

    expect(await agent.call('end')).toMatchObject({ status: 202 })
    expect(await node.call('GET', `/v1/connections/${id}`)).toMatchObject({ state: 'ended', endedBy: 'them' })
    const late = await post(basicMessageType, { content: 'too late' }, place(3))
    expect(late.status).toBe(410)
    expect(JSON.parse(late.body)).toHaveProperty('ciphertext')
  },
  60_000,
)

it('the end by the node, which other libraries verify', async () => {
  const node = await startMember()
  const id = await connect(node, 4)
  const { ours } = await node.call<ConnectionView>('GET', `/v1/connections/${id}`)
  await node.call('DELETE', `/v1/connections/${id}`)
  const end = await next('an END')
  expect(end.kind).toBe('end')
  expect(end.payload?.iss).toContain(ours)
  await node.until('ended')
}, 60_000)
