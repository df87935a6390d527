/** Each check on receipt, tried over the wire by somebody who holds real keys and forges with them. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import type { ConnectionView } from '../../src/connections/connections.ts'
import {
  createIdentity,
  type Identity,
  identityEntropyBytes,
  type Message,
  resolveDid,
  sealAnonymously,
  sealEnd,
  sealEntropyBytes,
  sealMessage,
  shortDid,
  signFromPrior,
} from '../../src/didcomm/didcomm.ts'
import { sealContent } from '../../src/didcomm/seal.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { systemRandom } from '../../src/runtime/random.ts'
import { type End, makeAcceptor as makeEnd } from '../unit/connections/two-ends.ts'
import { connect, type Member, startMember } from './connected-nodes.ts'
import { problemOf } from './world.ts'

const makeAcceptor = (url: string, name: string, endpoint: string): End =>
  makeEnd(url, name, endpoint, Date.now())

/** Whoever is at the other end, in this test's hand: a machine with its keys, and the server that its letters come to. */
interface Forger {
  readonly end: End
  readonly url: string
  /** Resolves with the next letter of the node. */
  next(): Promise<string>
  /** How it answers. */
  status: number
}

const startForger = async (make: (endpoint: string) => End): Promise<Forger> => {
  const letters: string[] = []
  let wake = (): void => undefined
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    letters.push(Buffer.concat(chunks).toString())
    wake()
    response.writeHead(forger.status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  const forger: Forger = {
    end: make(url),
    url,
    status: 202,
    next: async () => {
      while (letters.length === 0) await new Promise<void>((resolve) => (wake = resolve))
      return letters.shift()!
    },
  }
  return forger
}

const entropy = () => systemRandom.bytes(sealEntropyBytes)
const makeIdentity = (): Identity => createIdentity(systemRandom.bytes(identityEntropyBytes))
const makeId = (): string => crypto.randomUUID()

describe('over the wire', () => {
  let node: Member
  let forger: Forger
  let id: string
  let before: ConnectionView

  /** The state of the connection, but for when somebody was seen. */
  const view = async (): Promise<ConnectionView> => {
    const { lastSeen, ...rest } = await node.call<ConnectionView & { lastSeen: number }>(
      'GET',
      `/v1/connections/${id}`,
    )
    return rest
  }
  const ours = (): Identity => forger.end.connection.identity!
  const recipient = () => {
    const { document } = forger.end.connection.peer!
    return { ...document, did: shortDid(document.did) }
  }
  const plain = (parts: Partial<Message> = {}): Message => ({
    id: makeId(),
    type: 'urn:tautline:content/1.0/json',
    from: shortDid(ours().did),
    to: [recipient().did],
    body: { value: 'forged' },
    tautline_received: { stream: 1, sequence: 0 },
    tautline_place: { stream: 1, sequence: 1, oldest: 1 },
    ...parts,
  })
  const seal = (message: Message, sender = ours()): string =>
    sealMessage(message, sender, { recipient: recipient(), entropy: entropy() })

  beforeEach(async () => {
    node = await startMember()
    const invitation = await node.call<{ id: string; url: string }>('POST', '/v1/connections/invitations', {})
    id = invitation.id
    forger = await startForger((endpoint) => makeAcceptor(invitation.url, 'forger', endpoint))
    const { end } = forger
    expect((await node.bring(end.sent.shift()!)).status).toBe(202)
    end.hear(await forger.next())
    for (const text of end.sent.splice(0)) expect((await node.bring(text)).status).toBe(202)
    end.hear(await forger.next())
    expect(end.connection).toMatchObject({ phase: { state: 'active' }, confirmed: true })
    before = await view()
    expect(before).toMatchObject({ state: 'active', unacknowledged: 0 })
  })

  afterEach(async () => {
    // What was refused has changed nothing, and the honest word still comes through.
    expect(await view()).toEqual(before)
    expect(await node.heard(id)).toEqual([])
    expect((await node.bring(seal(plain({ body: { value: 'honest' } })))).status).toBe(202)
    expect(await node.heard(id)).toMatchObject([{ json: 'honest' }])
  })

  const expectRefused = async (text: string, reason: string, status = 403): Promise<void> => {
    for (let times = 0; times < 3; times++) {
      const answer = await node.bring(text)
      expect(answer.status).toBe(status)
      expect((await problemOf(answer)).problem.reason).toBe(reason)
    }
    const logged = node.complaints.filter(
      ({ details }) => (details as { reason?: string } | undefined)?.reason === reason,
    )
    expect(logged).toHaveLength(1)
  }

  it('a spoofed from is refused', async () => {
    const stranger = makeIdentity()
    const text = sealContent(
      'ECDH-1PU+A256KW',
      plain(),
      { recipient: recipient(), entropy: entropy() },
      { kid: `${stranger.did}#key-2`, identity: stranger },
    )
    await expectRefused(text, 'spoofed-from')
  })

  it('a stranger with keys of his own is refused', async () => {
    const stranger = makeIdentity()
    await expectRefused(seal(plain({ from: stranger.did }), stranger), 'stranger')
  })

  it('a from_prior by a foreign DID is refused', async () => {
    const [old, stranger] = [makeIdentity(), makeIdentity()]
    const from_prior = signFromPrior(old, {
      issuer: old.did,
      subject: stranger.did,
      issuedAt: Math.floor(Date.now() / 1_000) + 5,
    })
    await expectRefused(seal(plain({ from: stranger.did, from_prior }), stranger), 'foreign-from-prior')
  })

  it("a from_prior that names our peer, and isn't signed by it, is refused", async () => {
    const stranger = makeIdentity()
    const from_prior = signFromPrior(
      { ...stranger, did: ours().did },
      { issuer: ours().did, subject: stranger.did, issuedAt: Math.floor(Date.now() / 1_000) + 5 },
    )
    await expectRefused(seal(plain({ from: stranger.did, from_prior }), stranger), 'invalid-signature')
  })

  it('a message to somebody else is refused', async () => {
    await expectRefused(seal(plain({ to: [shortDid(makeIdentity().did)] })), 'wrong-to')
  })

  it('an expired message is refused', async () => {
    await expectRefused(seal(plain({ expires_time: Math.floor(Date.now() / 1_000) - 1 })), 'expired')
  })

  it('a plaintext message is refused', async () => {
    await expectRefused(JSON.stringify(plain()), 'not-encrypted')
  })

  it('an oversized envelope is refused before it is read', async () => {
    const answer = await node.bring(JSON.stringify({ ciphertext: 'A'.repeat(200_000) }))
    expect((await problemOf(answer)).code).toBe('request-too-large')
  })

  it('an envelope for a key that nobody has is refused', async () => {
    const other = resolveDid(makeIdentity().did)!
    const text = sealMessage(plain({ to: [other.did] }), ours(), { recipient: other, entropy: entropy() })
    await expectRefused(text, 'unknown-key')
  })

  it('an envelope that was changed on its way is refused', async () => {
    const envelope = JSON.parse(seal(plain())) as { ciphertext: string }
    const changed = `${envelope.ciphertext.startsWith('A') ? 'B' : 'A'}${envelope.ciphertext.slice(1)}`
    await expectRefused(JSON.stringify({ ...envelope, ciphertext: changed }), 'undecryptable')
  })

  it('an anonymous message is refused, whatever its from says', async () => {
    const text = sealAnonymously(plain(), { recipient: recipient(), entropy: entropy() })
    await expectRefused(text, 'anonymous')
  })

  it('an END that somebody else has signed is refused', async () => {
    const stranger = makeIdentity()
    const issuedAt = Math.floor(Date.now() / 1_000) + 5
    const sealing = { recipient: recipient(), entropy: entropy() }
    const foreign = sealEnd(stranger, { id: makeId(), issuer: stranger.did, issuedAt }, sealing)
    await expectRefused(foreign, 'foreign-from-prior')
    const forged = sealEnd(
      { ...stranger, did: ours().did },
      { id: makeId(), issuer: ours().did, issuedAt },
      sealing,
    )
    await expectRefused(forged, 'invalid-signature')
  })

  it('another media type than that of envelopes is refused', async () => {
    const answer = await node.bring(seal(plain()), 'text/plain')
    expect((await problemOf(answer)).code).toBe('unsupported-media-type')
  })

  it('a place that is none is refused', async () => {
    await expectRefused(
      seal(plain({ tautline_place: { stream: 1, sequence: 0, oldest: 1 } })),
      'malformed-place',
    )
  })
})

it('whoever is refused again and again is asked to wait', async () => {
  const now = systemClock.now()
  const node = await startMember({ clock: { ...systemClock, now: () => now } })
  const { url } = await node.call<{ url: string }>('POST', '/v1/connections/invitations', {})
  const stranger = makeAcceptor(url, 'stranger', 'http://127.0.0.1:1/')
  const sealing = { recipient: stranger.connection.peer!.document, entropy: entropy() }
  const message = { id: makeId(), type: 'urn:test/1.0/nothing', to: [sealing.recipient.did], body: {} }
  const text = sealAnonymously(message, sealing)
  let last = await node.bring(text)
  for (let times = 0; last.status === 403; times++) {
    expect(times).toBeLessThan(100)
    last = await node.bring(text)
  }
  expect((await problemOf(last)).code).toBe('too-many-requests')
})

it('what is replayed has been taken, and takes effect no second time', async () => {
  const node = await startMember()
  const seen: string[] = []
  const recorder = await startMember({
    courier: (courier) => ({
      deliver: (endpoint, delivery, reach) => {
        seen.push(delivery.text)
        return courier.deliver(endpoint, delivery, reach)
      },
    }),
  })
  const { atA, atB } = await connect(node, recorder)
  await recorder.call('POST', `/v1/connections/${atB}/messages`, 'once')
  await node.until('message')
  const before = await node.call<ConnectionView>('GET', `/v1/connections/${atA}`)
  for (const text of seen) await node.bring(text)
  expect(await node.heard(atA)).toMatchObject([{ json: 'once' }])
  expect(await node.call('GET', `/v1/connections/${atA}`)).toMatchObject({
    state: before.state,
    theirs: before.theirs,
  })
})

it('an acceptance of another invitation is refused by the key of this one', async () => {
  const node = await startMember()
  const [first, second] = await Promise.all(
    [1, 2].map(() => node.call<{ id: string; url: string }>('POST', '/v1/connections/invitations', {})),
  )
  const swapped = makeAcceptor(first!.url, 'swapper', 'http://127.0.0.1:1/')
  const other = makeAcceptor(second!.url, 'other', 'http://127.0.0.1:1/')
  swapped.connection = { ...swapped.connection, terms: other.connection.terms }
  swapped.sent = []
  swapped.step({ kind: 'resume' })
  const answer = await node.bring(swapped.sent[0]!)
  expect((await problemOf(answer)).problem.reason).toBe('wrong-invitation')
  expect(await node.call('GET', `/v1/connections/${first!.id}`)).toMatchObject({ state: 'invited' })
  expect(await node.call('GET', `/v1/connections/${second!.id}`)).toMatchObject({ state: 'invited' })
})

it('an invitation that was accepted is taken by nobody else', async () => {
  const node = await startMember()
  const { id, url } = await node.call<{ id: string; url: string }>('POST', '/v1/connections/invitations', {})
  const [one, two] = ['one', 'two'].map((name) => makeAcceptor(url, name, 'http://127.0.0.1:1/'))
  expect((await node.bring(one!.sent[0]!)).status).toBe(202)
  const before = await node.call<ConnectionView>('GET', `/v1/connections/${id}`)
  expect((await problemOf(await node.bring(two!.sent[0]!))).problem.reason).toBe('invitation-used')
  expect(await node.call('GET', `/v1/connections/${id}`)).toMatchObject({ theirs: before.theirs })
})

it.each([
  'http://127.0.0.1:9/',
  'http://10.1.2.3/',
  'http://[::1]/',
  'http://169.254.169.254/latest',
  'http://localhost:9/',
])('an endpoint into a private range is never dialled: %s', async (endpoint) => {
  let dialled = 0
  const node = await startMember({
    reach: 'public',
    courier: (courier) => ({
      deliver: async (...delivery) => {
        const answer = await courier.deliver(...delivery)
        dialled++
        return answer
      },
    }),
  })
  const { id, url } = await node.call<{ id: string; url: string }>('POST', '/v1/connections/invitations', {})
  const acceptor = makeAcceptor(url, 'insider', endpoint)
  expect((await node.bring(acceptor.sent[0]!)).status).toBe(202)
  let view = await node.call<ConnectionView>('GET', `/v1/connections/${id}`)
  while (view.reachable !== false) view = await node.call<ConnectionView>('GET', `/v1/connections/${id}`)
  expect(view.state).toBe('requested')
  expect(dialled).toBe(0)

  const inviter = await startMember()
  const insiders = await inviter.call<{ url: string }>('POST', '/v1/connections/invitations', {})
  const refused = await node.ask('POST', '/v1/connections', {
    body: JSON.stringify({ url: insiders.url }),
    headers: { 'content-type': 'application/json' },
  })
  expect(await problemOf(refused)).toMatchObject({
    code: 'invitation-refused',
    problem: { reason: 'private-endpoint' },
  })
})

it('a bare 410 ends nothing', async () => {
  const node = await startMember()
  const invitation = await node.call<{ id: string; url: string }>('POST', '/v1/connections/invitations', {})
  const forger = await startForger((endpoint) => makeAcceptor(invitation.url, 'forger', endpoint))
  await node.bring(forger.end.sent.shift()!)
  forger.end.hear(await forger.next())
  for (const text of forger.end.sent.splice(0)) await node.bring(text)
  await forger.next()
  forger.status = 410
  await node.call('POST', `/v1/connections/${invitation.id}/messages`, 'are you there?')
  let view: ConnectionView
  do view = await node.call<ConnectionView>('GET', `/v1/connections/${invitation.id}`)
  while (view.trouble === undefined)
  expect(view).toMatchObject({ state: 'active', trouble: { code: 'gone-unproven' }, unacknowledged: 1 })
})
