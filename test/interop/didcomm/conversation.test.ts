import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  type Correspondent,
  createIdentity,
  type DidDocument,
  encryptedMediaType,
  type Identity,
  idEntropyBytes,
  identityEntropyBytes,
  invitationUrl,
  isRefused,
  type Message,
  makeBasicMessage,
  makeId,
  makeInvitation,
  makePingResponse,
  openEnvelope,
  pingType,
  readBasicMessage,
  readEnvelope,
  readStatement,
  sealEnd,
  sealEntropyBytes,
  sealMessage,
  shortDid,
  signFromPrior,
  signStatement,
  type Verdict,
} from '../../../src/didcomm/didcomm.ts'
import { AgentProcess, type Answer } from './agent-process.ts'

const now = (): number => Math.floor(Date.now() / 1_000)
const newIdentity = (endpoint: string): Identity =>
  createIdentity(randomBytes(identityEntropyBytes), endpoint)
const newId = (): string => makeId(randomBytes(idEntropyBytes))

/** One end of one connection: the library behind an HTTP server, and the little state that it wants to be told. */
class End {
  readonly server: Server
  readonly verdicts: Verdict[] = []
  endpoint = ''
  identity!: Identity
  correspondent!: Correspondent
  /** The long form until the peer has answered. */
  isKnown = false
  #lastIssuedAt = 0

  constructor() {
    this.server = createServer(async (request, response) => {
      let text = ''
      for await (const chunk of request) text += chunk
      const verdict = this.receive(text)
      this.verdicts.push(verdict)
      response.writeHead(isRefused(verdict) ? 422 : 202).end(isRefused(verdict) ? verdict.code : '')
    })
  }

  async listen(): Promise<this> {
    this.server.listen(0, '127.0.0.1')
    await once(this.server, 'listening')
    this.endpoint = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1/didcomm`
    this.identity = newIdentity(this.endpoint)
    return this
  }

  receive(text: string): Verdict {
    const envelope = readEnvelope(text)
    if (isRefused(envelope)) return envelope
    const verdict = openEnvelope(envelope, { identity: this.identity, now: now(), from: this.correspondent })
    if (verdict.kind === 'message') {
      const { sender, rotation } = verdict
      this.correspondent = {
        kind: 'peer',
        peer: sender,
        ...(rotation ? { rotatedAt: rotation.issuedAt } : {}),
      }
      this.isKnown = true
    }
    return verdict
  }

  get peer(): DidDocument {
    if (this.correspondent.kind !== 'peer') throw new Error('nobody has written yet')
    return this.correspondent.peer
  }

  /** The DID as the peer knows it. */
  get did(): string {
    return this.isKnown ? shortDid(this.identity.did) : this.identity.did
  }

  get heading() {
    return { id: newId(), from: this.did, to: [this.peer.did], created_time: now() }
  }

  send(message: Message): Promise<number> {
    const entropy = randomBytes(sealEntropyBytes)
    return this.post(sealMessage(message, this.identity, { recipient: this.peer, entropy }))
  }

  async post(body: string): Promise<number> {
    const headers = { 'content-type': encryptedMediaType }
    return (await fetch(this.peer.endpoint!, { method: 'POST', headers, body })).status
  }

  /** A fresh identity, and what says so to the peer. */
  rotate(): string {
    const prior = { identity: this.identity, issuer: this.did }
    this.identity = newIdentity(this.endpoint)
    this.isKnown = false
    return signFromPrior(prior.identity, {
      issuer: prior.issuer,
      subject: this.identity.did,
      issuedAt: this.issueTime(),
    })
  }

  sealEnd(): string {
    const ending = { id: newId(), issuer: this.did, issuedAt: this.issueTime() }
    return sealEnd(this.identity, ending, { recipient: this.peer, entropy: randomBytes(sealEntropyBytes) })
  }

  issueTime(): number {
    this.#lastIssuedAt = Math.max(now(), this.#lastIssuedAt + 1)
    return this.#lastIssuedAt
  }
}

const ends: End[] = []
afterEach(() => {
  for (const { server } of ends.splice(0)) server.close()
})

/** One for all conversations, one after the other: its libraries take seconds to load, and minutes on a busy machine. */
const agent = new AgentProcess()
beforeAll(() => agent.call('state'), 300_000)
afterAll(() => agent.end())

/** An invitation, its acceptance by the agent, and our answer from a DID that nobody but the agent knows. */
const connect = async (method: number) => {
  const ours = await new End().listen()
  ends.push(ours)
  const invitation = makeInvitation({ id: newId(), from: ours.identity.did, expiresTime: now() + 600 })
  ours.correspondent = { kind: 'invited', invitationId: invitation.id }
  const url = invitationUrl(ours.endpoint, invitation)
  expect(await agent.call<Answer>('accept', { url, method })).toMatchObject({ status: 202 })
  const [accepted] = ours.verdicts
  if (accepted?.kind !== 'message') throw new Error(`not accepted: ${JSON.stringify(accepted)}`)
  expect(accepted.message).toMatchObject({ type: pingType, pthid: invitation.id })

  const from_prior = ours.rotate()
  const answer = makePingResponse({ ...ours.heading, from_prior }, accepted.message)
  expect(await ours.send(answer)).toBe(202)
  const received = await agent.next()
  expect(received).toMatchObject({ authenticated: true, message: answer })
  expect(received.rotation).toMatchObject({
    iss: shortDid(invitation.from!),
    sub: ours.identity.did,
  })
  return { ours, invitation }
}

const say = (content: string): Promise<Answer> =>
  agent.call('send', { type: 'https://didcomm.org/basicmessage/2.0/message', body: { content } })
const lastOf = ({ verdicts }: End): Verdict => verdicts.at(-1)!
const heardBy = (end: End): string | undefined => {
  const verdict = lastOf(end)
  return verdict.kind === 'message' ? readBasicMessage(verdict.message) : undefined
}

test.for([4, 2])(
  'a conversation by HTTP with a did:peer:%i of others, to the end that we make',
  async (method) => {
    const { ours } = await connect(method)
    expect(await say('Grüße!')).toMatchObject({ status: 202 })
    expect(heardBy(ours)).toBe('Grüße!')
    expect(await ours.send(makeBasicMessage(ours.heading, 'To you too'))).toBe(202)
    expect((await agent.next()).message).toMatchObject({
      body: { content: 'To you too' },
      from: shortDid(ours.did),
    })

    const body = { content: 'I have moved' }
    const type = 'https://didcomm.org/basicmessage/2.0/message'
    expect(await agent.call('rotate', { type, body })).toMatchObject({ status: 202 })
    expect(lastOf(ours)).toMatchObject({ kind: 'message', rotation: {} })
    expect(heardBy(ours)).toBe('I have moved')
    expect(await ours.send(makeBasicMessage(ours.heading, 'Seen'))).toBe(202)
    expect((await agent.next()).message).toMatchObject({ to: [ours.peer.did] })

    const from_prior = ours.rotate()
    expect(await ours.send(makeBasicMessage({ ...ours.heading, from_prior }, 'I too'))).toBe(202)
    expect((await agent.next()).rotation).toMatchObject({ sub: ours.identity.did })
    expect(await say('Seen as well')).toMatchObject({ status: 202 })
    expect(heardBy(ours)).toBe('Seen as well')

    expect(await ours.post(ours.sealEnd())).toBe(202)
    const end = await agent.next()
    expect(end.kind).toBe('end')
    expect(shortDid(end.payload!.iss)).toBe(shortDid(ours.identity.did))
  },
)

test('a conversation by HTTP that the agent of others ends', async () => {
  const { ours } = await connect(4)
  expect(await agent.call('end')).toMatchObject({ status: 202 })
  expect(lastOf(ours)).toMatchObject({ kind: 'end' })
})

test('each end signs the record of the connection, and the other one verifies it', async () => {
  const { ours, invitation } = await connect(4)
  const record = {
    version: 1,
    didA: shortDid(ours.identity.did),
    didB: shortDid(ours.peer.did),
    invitationId: invitation.id,
    created: now(),
  } as const
  const jws = signStatement('connection', record, {
    identity: ours.identity,
    did: shortDid(ours.identity.did),
  })
  expect(await agent.call('verify', { jws })).toMatchObject({ payload: record })
  const theirs = await agent.call('sign', { typ: 'tautline-connection', statement: record })
  expect(readStatement('connection', theirs, ours.peer)).toEqual({
    kind: 'statement',
    statement: record,
    jws: theirs,
  })
})
