/** Real nodes that are linked over real sockets of this machine. */
import { WebSocket } from 'undici'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { peersSchema } from '../../routes/schemas.ts'
import { pongText } from '../../src/messages/frame.ts'
import { Handshake, type HandshakeEffect } from '../../src/messages/handshake.ts'
import { maxFrameBytes } from '../../src/messages/limits.ts'
import { inboundRate } from '../../src/node/links/limits.ts'
import type { PeersView } from '../../src/node/service.ts'
import type { Signer } from '../../src/ports/keys.ts'
import type { Wire, WireListener } from '../../src/ports/transport.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { createTransport } from '../../src/runtime/node/engine.ts'
import { systemRandom } from '../../src/runtime/random.ts'
import type { Hash, Signature } from '../../src/units.ts'
import { openRaw } from './raw-client.ts'
import {
  createLedger,
  friend,
  hostUrl,
  jsonInit,
  keyOf,
  openWorld,
  problemOf,
  rich,
  serveWorld,
  testGenesis,
  token,
} from './world.ts'

type Served = Awaited<ReturnType<typeof serveWorld>>

const genesis = testGenesis()
const third = keyOf(9)
const servePeer = async (
  signer: Signer,
  { parts = {}, ...options }: Parameters<typeof serveWorld>[0] = {},
) => {
  const transport = createTransport()
  onTestFinished(() => transport.close())
  const network = { signer, transport, random: systemRandom, ...(await createLedger(genesis)) }
  return serveWorld({ parts: { ...network, ...parts }, ...options })
}

const peersOf = ({ node }: Served) => node.peers().peers.map(({ id }) => id)
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 20_000, interval: 20 })
const areLinked = (...served: readonly Served[]) =>
  eventually(() => {
    for (const one of served) expect(peersOf(one)).toHaveLength(served.length - 1)
  })
const complaintsOf = ({ complaints }: Served): string => JSON.stringify(complaints)

const operator = (url: string, path: string, init: RequestInit = {}) =>
  fetch(`${url}${path}`, {
    ...init,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
  })

describe('real nodes', () => {
  it('two, of which one dials, are linked and pass on transactions', async () => {
    const [one, other] = [await servePeer(rich), await servePeer(friend)]
    const added = await operator(other.url, '/v1/peers', {
      method: 'POST',
      body: JSON.stringify({ url: one.url }),
    })
    expect([added.status, await added.json()]).toEqual([202, { url: one.url }])
    await areLinked(one, other)
    const view = (await (await fetch(`${other.url}/v1/peers`)).json()) as PeersView
    expect(peersSchema.parse(view)).toMatchObject({
      peers: [{ id: rich.address, url: one.url, direction: 'outbound', version: '0.1.0' }],
      dialled: [],
      bans: [],
    })
    expect(one.node.status().peers).toBe(1)
  })

  it('three, all of whom dial all at once, have one link for each pair', async () => {
    const all = [await servePeer(rich), await servePeer(friend), await servePeer(third)]
    for (const one of all) for (const other of all) if (one !== other) one.node.addPeer(other.url)
    await areLinked(...all)
    const links = () => all.map(({ node }) => node.peers().peers.map(({ id, since }) => `${id} ${since}`))
    const stay = async (ms: number) => {
      const before = links()
      await new Promise((resolve) => setTimeout(resolve, ms))
      expect(links()).toEqual(before)
    }
    // Two that dial each other at once are linked by the one call until the other takes its place.
    await vi.waitFor(() => stay(300), 10_000)
    await stay(2_000) // longer than the first pauses before redialling
    const directions = all.flatMap(({ node }) => node.peers().peers.map(({ direction }) => direction))
    expect(directions.sort()).toEqual(['inbound', 'inbound', 'inbound', 'outbound', 'outbound', 'outbound'])
  })

  it('find each other again when one of them was away', async () => {
    const one = await servePeer(rich)
    const other = await servePeer(friend)
    one.node.addPeer(other.url)
    await areLinked(one, other)
    await other.end()
    await eventually(() => expect(peersOf(one)).toEqual([]))
    await eventually(() =>
      expect(one.node.peers().dialled).toMatchObject([{ url: other.url, failure: /REFUSED/ }]),
    )
    const again = await servePeer(friend, { port: other.port })
    await areLinked(one, again)
  })

  it('of two networks refuse each other, and both say why', async () => {
    const [one, other] = [await servePeer(rich), await servePeer(friend, { parts: await createLedger() })]
    one.node.addPeer(other.url)
    await eventually(() => expect(complaintsOf(one)).toContain('wrong-network'))
    await eventually(() => expect(complaintsOf(other)).toContain('wrong-network'))
    expect(peersOf(one)).toEqual([])
  })

  it('of a private network let in no key that isn’t listed', async () => {
    const host = await servePeer(rich, { parts: { allowedPeers: new Set([friend.address]) } })
    const [member, stranger] = [await servePeer(friend), await servePeer(third)]
    for (const { node } of [member, stranger]) node.addPeer(host.url)
    await eventually(() => expect(complaintsOf(stranger)).toContain('not-allowed'))
    await areLinked(host, member)
    await eventually(() => expect(complaintsOf(host)).toContain('not-allowed'))
  })

  it('stay apart when the operator removes one, until the ban ends', async () => {
    const [one, other] = [await servePeer(rich), await servePeer(friend)]
    one.node.addPeer(other.url)
    other.node.addPeer(one.url)
    await areLinked(one, other)
    const removed = await operator(one.url, `/v1/peers/${friend.address}`, { method: 'DELETE' })
    expect(await removed.json()).toMatchObject({ id: friend.address, reason: 'removed by the operator' })
    await eventually(() => expect(complaintsOf(other)).toContain('banned'))
    expect(peersOf(one)).toEqual([])
    expect(one.node.peers()).toMatchObject({ dialled: [], bans: [{ id: friend.address }] })
    const again = await operator(one.url, `/v1/peers/${third.address}`, { method: 'DELETE' })
    expect((await problemOf(again)).code).toBe('not-found')
  })

  it('end without waiting for those that they are linked with', async () => {
    const [one, other] = [await servePeer(rich), await servePeer(friend)]
    one.node.addPeer(other.url)
    await areLinked(one, other)
    await one.end()
    await eventually(() => expect(peersOf(other)).toEqual([]))
  })
})

/** A peer that proves a key and then does what a test wants. */
const rogueTo = async (served: Served, signer = third, origin = served.url) => {
  const transport = createTransport()
  const heard: string[] = []
  const closed: string[] = []
  let wire!: Wire
  let isWelcome = false
  const machine = new Handshake({
    role: 'dialler',
    network: served.node.network,
    key: signer.address,
    nonce: 'ab'.repeat(32) as Hash,
    version: '0.0.0',
    origins: [origin],
    objection: () => undefined,
  })
  const apply = (effects: readonly HandshakeEffect[]): void => {
    for (const effect of effects) {
      if (effect.kind === 'send') wire.send(effect.text)
      if (effect.kind === 'welcome') isWelcome = true
      if (effect.kind === 'sign')
        apply(machine.step({ kind: 'signed', signature: signer.sign(effect.text) as Signature }))
      if (effect.kind === 'verify') apply(machine.step({ kind: 'verified', isValid: true }))
    }
  }
  const listener: WireListener = {
    onText: (text) => {
      if (isWelcome) heard.push(text)
      else apply(machine.step({ kind: 'text', text }))
    },
    onClose: (reason) => closed.push(reason),
  }
  await transport.dial(served.url, (opened) => {
    wire = opened
    queueMicrotask(() => apply(machine.begin()))
    return listener
  })
  onTestFinished(async () => {
    wire.close('the test is over')
    await transport.close()
  })
  return { wire, heard, closed, isWelcome: () => isWelcome }
}

describe('a liar', () => {
  it('who dialled another origin is refused, and told which are right', async () => {
    const victim = await servePeer(rich)
    const { closed } = await rogueTo(victim, third, 'https://mallory.example')
    await eventually(() => expect(closed).toHaveLength(1))
    expect(closed[0]).toContain('wrong-origin')
    expect(complaintsOf(victim)).toContain(`dial one of ${victim.url}`)
  })

  it('who can’t sign for the key is refused', async () => {
    const victim = await servePeer(rich)
    const { closed } = await rogueTo(victim, { address: friend.address, sign: (text) => third.sign(text) })
    await eventually(() => expect(closed[0]).toContain('wrong-signature'))
    expect(peersOf(victim)).toEqual([])
  })

  it('who has the node’s own key is refused', async () => {
    const victim = await servePeer(rich)
    const { closed } = await rogueTo(victim, rich)
    await eventually(() => expect(closed[0]).toContain('self'))
  })

  it('who sends frames that are none loses score, then the link, then may not come back', async () => {
    const victim = await servePeer(rich)
    const first = await rogueTo(victim)
    await eventually(() => expect(peersOf(victim)).toEqual([third.address]))
    first.wire.send('[{"kind":"gossip"}]')
    await eventually(() => expect(victim.node.peers().peers[0]?.score).toBeLessThan(80))
    first.wire.send('[{"kind":"gossip"}]')
    await eventually(() => expect(first.closed).toHaveLength(1))
    const second = await rogueTo(victim)
    await eventually(() => expect(second.isWelcome()).toBe(true))
    for (const _ of [1, 2]) second.wire.send('nonsense')
    await eventually(() => expect(second.closed).toHaveLength(1))
    while (victim.node.peers().bans.length === 0) {
      const next = await rogueTo(victim)
      await eventually(() => expect(next.isWelcome()).toBe(true))
      next.wire.send('nonsense')
      await eventually(() => expect(next.closed).toHaveLength(1))
    }
    const banned = await rogueTo(victim)
    await eventually(() => expect(banned.closed[0]).toContain('banned'))
  })

  it('who floods is cut off, and the node answers others meanwhile', async () => {
    // Its clock stands still, so that it doesn't depend on this machine's speed what is too much.
    const started = systemClock.now()
    const victim = await servePeer(rich, { parts: { clock: { ...systemClock, now: () => started } } })
    const { wire, closed, isWelcome } = await rogueTo(victim)
    await eventually(() => expect(isWelcome()).toBe(true))
    for (let at = 0; at <= inboundRate.messages * inboundRate.burstSeconds; at++) wire.send(pongText)
    expect((await fetch(`${victim.url}/v1/status`)).status).toBe(200)
    await eventually(() => expect(closed).toEqual(['too much at once']))
    expect(complaintsOf(victim)).toContain('a second')
  })

  it('whose frame is larger than any may be is cut off by the socket', async () => {
    const victim = await servePeer(rich)
    const { wire, closed, isWelcome } = await rogueTo(victim)
    await eventually(() => expect(isWelcome()).toBe(true))
    wire.send('x'.repeat(maxFrameBytes + 1))
    await eventually(() => expect(closed).toHaveLength(1))
    await eventually(() => expect(peersOf(victim)).toEqual([]))
  })
})

describe('the peers’ door', () => {
  it('takes sockets of pages from anywhere, and plain requests of nobody', async () => {
    const { url } = await servePeer(rich)
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/peer`, {
      headers: { origin: 'https://any.example' },
    })
    const hello = await new Promise<string>((resolve, reject) => {
      socket.addEventListener('message', ({ data }) => resolve(String(data)))
      socket.addEventListener('error', reject)
    })
    expect(JSON.parse(hello)).toMatchObject({ kind: 'hello', key: rich.address, network: expect.any(String) })
    socket.close()
    const plain = await fetch(`${url}/v1/peer`)
    expect([plain.status, (await problemOf(plain)).code]).toEqual([426, 'upgrade-required'])
  })

  it('closes on binary frames', async () => {
    const { url } = await servePeer(rich)
    const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/peer`)
    socket.addEventListener('open', () => socket.send(new Uint8Array([1, 2, 3])))
    const code = await new Promise((resolve) =>
      socket.addEventListener('close', (event) => resolve(event.code)),
    )
    expect(code).toBe(1003)
  })

  it('survives a peer that vanishes in the middle of the handshake', async () => {
    const served = await servePeer(rich)
    for (let at = 0; at < 20; at++) {
      const raw = openRaw(served.port)
      raw.send(
        `GET /v1/peer HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n`,
      )
      await vi.waitFor(() => expect(raw.received()).toContain('hello'))
      raw.destroy()
    }
    const other = await servePeer(friend)
    other.node.addPeer(served.url)
    await areLinked(served, other)
  })
})

describe('messages by POST', () => {
  it('bring transactions that then get into a block', async () => {
    const world = await openWorld()
    const transaction = await world.sign()
    const answer = await world.ask(
      '/v1/peer/messages',
      jsonInit([{ kind: 'transactions', transactions: [transaction] }]),
    )
    expect([answer.status, await answer.json()]).toEqual([200, { wanted: [] }])
    await eventually(() => expect(world.node.status().head.height).toBe(1))
  })

  it('are refused when they aren’t readable, and leave nothing behind', async () => {
    const world = await openWorld({ limits: { peerBytes: 1_000 } })
    const vote = { kind: 'vote', vote: { kind: 'prevote' } }
    const refused: readonly (readonly [string, unknown])[] = [
      ['malformed-json', '['],
      ['malformed-request', '{}'],
      ['malformed-request', []],
      ['malformed-request', [{ kind: 'status' }]],
      ['malformed-request', [{ kind: 'announce', hashes: ['ab'.repeat(32)] }]],
      ['malformed-request', [vote]],
      ['malformed-request', [{ kind: 'transactions', transactions: [] }]],
      ['malformed-request', Array.from({ length: 257 }, () => 1)],
      ['request-too-large', [`${'x'.repeat(1_000)}`]],
    ]
    for (const [code, body] of refused) {
      const answer = await world.ask('/v1/peer/messages', jsonInit(body))
      expect([body, (await problemOf(answer)).code]).toEqual([body, code])
    }
    const text = { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '[]' }
    expect((await problemOf(await world.ask('/v1/peer/messages', text))).code).toBe('unsupported-media-type')
    const none = await openWorld({ limits: { peerPosts: 0 } })
    expect((await problemOf(await none.ask('/v1/peer/messages', jsonInit([])))).code).toBe(
      'too-many-requests',
    )
  })
})

describe('the operator’s doors to peers', () => {
  const host = new URL(hostUrl).host
  const credentials = { host, authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const post = (body: unknown, headers: Record<string, string> = credentials) => ({
    ...jsonInit(body),
    headers,
  })
  const id = friend.address

  it('open to nobody else', async () => {
    const world = await openWorld()
    const { authorization: _, ...stranger } = credentials
    const foreign = { ...credentials, origin: 'https://evil.example' }
    const rebound = { ...credentials, host: 'evil.example' }
    for (const [code, headers] of [
      ['unauthorized', stranger],
      ['forbidden-origin', foreign],
      ['forbidden-origin', rebound],
    ] as const) {
      const added = await world.ask('/v1/peers', post({ url: hostUrl }, headers))
      const removed = await world.ask(`/v1/peers/${id}`, { method: 'DELETE', headers })
      expect(added.headers.get('access-control-allow-origin')).toBeNull()
      expect([(await problemOf(added)).code, (await problemOf(removed)).code]).toEqual([code, code])
    }
    expect(world.node.peers()).toEqual({ peers: [], dialled: [], bans: [], known: 0 })
    const read = await world.ask('/v1/peers')
    expect([read.status, read.headers.get('access-control-allow-origin')]).toEqual([200, '*'])
  })

  it('refuse what is no URL of a node, and what is no key', async () => {
    const world = await openWorld()
    for (const url of [
      '',
      'node.example',
      'ftp://node.example',
      'https://me:secret@node.example',
      'https://node.example/?x=1',
      `https://node.example/#${'ab'.repeat(32)}`,
      `https://${'x'.repeat(3_000)}.example`,
      7,
    ]) {
      const answer = await world.ask('/v1/peers', post({ url }))
      expect([url, (await problemOf(answer)).code]).toEqual([url, 'malformed-request'])
    }
    const extra = await world.ask('/v1/peers', post({ url: hostUrl, trusted: true }))
    expect((await problemOf(extra)).code).toBe('malformed-request')
    const removed = await world.ask('/v1/peers/taut1', { method: 'DELETE', headers: credentials })
    expect((await problemOf(removed)).code).toBe('malformed-request')
    expect(world.node.peers().dialled).toEqual([])
  })
})

describe('a network whose reads are closed', () => {
  const readToken = 'a-token-that-all-members-know'
  const paths = [
    '/v1/status',
    '/v1/genesis',
    '/v1/blocks',
    '/v1/peers',
    '/v1/validators',
    '/v1/events',
    '/metrics',
  ]

  it('tells strangers nothing of the network, and members everything', async () => {
    const world = await openWorld({ readToken })
    const closed = [...paths, `/v1/accounts/${rich.address}`, '/v1/blocks/latest', '/v1/consensus']
    for (const path of closed) {
      for (const init of [{}, { method: 'HEAD' }, { headers: { authorization: 'Bearer wrong' } }]) {
        expect([path, init, (await world.ask(path, init)).status]).toEqual([path, init, 401])
      }
    }
    for (const shown of [readToken, token]) {
      const answer = await world.ask('/v1/status', { headers: { authorization: `Bearer ${shown}` } })
      expect(answer.status).toBe(200)
    }
    expect((await world.ask('/healthz')).status).toBe(200)
    expect((await world.ask('/docs')).status).toBe(200)
  })

  it('lets no cache between keep what it answers, not even what never changes', async () => {
    const world = await openWorld({ readToken })
    await world.commit(await world.sign())
    const headers = { authorization: `Bearer ${readToken}` }
    const { hash } = world.node.status().head
    for (const path of ['/v1/genesis', '/v1/blocks/1', `/v1/blocks/${hash}`, '/v1/blocks?limit=1']) {
      const kept = (await world.ask(path, { headers })).headers.get('cache-control')
      expect([path, kept]).not.toEqual([path, expect.stringContaining('public')])
    }
    const block = await world.ask('/v1/blocks/1', { headers })
    expect(block.headers.get('cache-control')).toBe('private, max-age=31536000, immutable')
    const tag = block.headers.get('etag')!
    const again = await world.ask('/v1/blocks/1', { headers: { ...headers, 'if-none-match': tag } })
    expect([again.status, again.headers.get('cache-control')]).toEqual([
      304,
      'private, max-age=31536000, immutable',
    ])
  })

  it('doesn’t let the read token act for the operator', async () => {
    const world = await openWorld({ readToken })
    const headers = {
      host: new URL(hostUrl).host,
      authorization: `Bearer ${readToken}`,
      'content-type': 'application/json',
    }
    const answer = await world.ask('/v1/peers', { ...jsonInit({ url: hostUrl }), headers })
    expect((await problemOf(answer)).code).toBe('unauthorized')
  })

  it('links its members, who may read from one another', async () => {
    const host = await servePeer(rich, { readToken })
    const transport = createTransport({ readToken })
    onTestFinished(() => transport.close())
    const member = await servePeer(friend, { readToken, parts: { transport } })
    member.node.addPeer(host.url)
    await areLinked(host, member)
    const request = { method: 'GET', path: '/v1/status', maxBytes: 10_000, timeoutMs: 10_000 } as const
    expect((await transport.request(host.url, request)).status).toBe(200)
    const stranger = createTransport()
    onTestFinished(() => stranger.close())
    expect((await stranger.request(host.url, request)).status).toBe(401)
  })
})
