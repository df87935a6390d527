import { describe, expect, it } from 'vitest'
import { maxFrameBytes, maxFrameMessages } from '../../../../src/messages/limits.ts'
import type { PeerMessage } from '../../../../src/messages/peer-message.ts'
import {
  answerMs,
  firstBanMs,
  fullScore,
  gatherMs,
  handshakeMs,
  inboundRate,
  maxHandshakes,
  maxInboundLinks,
  maxQueuedMessages,
  maxRedialMs,
  quietMs,
  rejectCost,
  removalMs,
  stalledMs,
} from '../../../../src/node/links/limits.ts'
import type { Wire } from '../../../../src/ports/transport.ts'
import type { Address, BlockHash, Hash, Height, NetworkId, Round } from '../../../../src/units.ts'
import { Loopback, type Socket, settle, signerOf, type TestNode } from './loopback.ts'

const hour = 3_600_000
const hashOf = (value: number): Hash => value.toString(16).padStart(64, '0') as Hash
const announce = (...values: number[]): PeerMessage => ({ kind: 'announce', hashes: values.map(hashOf) })
const want = (...values: number[]): PeerMessage => ({ kind: 'want', hashes: values.map(hashOf) })
const status = (height: number): PeerMessage => ({
  kind: 'status',
  height: height as Height,
  hash: hashOf(height) as BlockHash,
  round: 0 as Round,
  oldest: 1 as Height,
  links: [],
})

const pair = async (dial = true) => {
  const world = new Loopback()
  const [one, other] = [world.node(0), world.node(1)]
  if (dial) one.links.add(other.url)
  await settle()
  return { world, one, other, socket: world.sockets[0]! }
}

const heardFrom = (node: TestNode, peer: Address) =>
  node.heard.filter(([from]) => from === peer).map(([, what]) => what)
const messagesAt = (node: TestNode) =>
  node.heard.map(([, what]) => what).filter((what) => typeof what !== 'string')
const toldBy = (node: TestNode, part: string) =>
  node.told.filter((told) => JSON.stringify(told).includes(part))
const isLinked = (one: TestNode, other: TestNode) =>
  one.links.peers.includes(other.address) && other.links.peers.includes(one.address)

describe('two nodes', () => {
  it('are linked once either dials, and both are told', async () => {
    const { one, other } = await pair()
    expect(heardFrom(one, other.address)).toEqual(['opened'])
    expect(heardFrom(other, one.address)).toEqual(['opened'])
    expect(one.links.views().peers).toMatchObject([
      { id: other.address, url: other.url, direction: 'outbound', score: fullScore },
    ])
    expect(other.links.views().peers).toMatchObject([{ id: one.address, direction: 'inbound' }])
    expect(other.links.views().peers[0]).not.toHaveProperty('url')
    expect([one.links.urlOf(other.address), other.links.urlOf(one.address)]).toEqual([other.url, undefined])
  })

  it('hear each other’s messages in order, those of one turn in one frame', async () => {
    const { one, other, socket } = await pair()
    socket.texts[0].splice(0)
    for (const message of [status(3), announce(1), want(2)]) one.links.send(other.address, message)
    other.links.send(one.address, status(4))
    await settle()
    expect(messagesAt(other)).toEqual([status(3), announce(1), want(2)])
    expect(messagesAt(one)).toEqual([status(4)])
    expect(socket.texts[0]).toHaveLength(1)
    expect(other.links.views().peers[0]).toMatchObject({
      height: 3,
      received: { messages: 3 },
      sent: { messages: 1 },
    })
  })

  it('gather transactions into fewer frames when there are many, but let neither one nor a vote wait', async () => {
    const { world, one, other, socket } = await pair()
    await world.clock.pass(1_000)
    const framesAfter = async (messages: readonly PeerMessage[]) => {
      const before = socket.texts[0].length
      for (const message of messages) {
        one.links.send(other.address, message)
        await settle()
      }
      return socket.texts[0].length - before
    }
    expect(await framesAfter([announce(1)])).toBe(1)
    expect(await framesAfter([announce(2), announce(3), announce(4)])).toBe(0)
    await world.clock.pass(gatherMs)
    expect(await framesAfter([])).toBe(0)
    expect(messagesAt(other)).toHaveLength(4)
    expect(socket.texts[0].at(-1)).toBe(
      `[${[2, 3, 4].map((at) => JSON.stringify({ hashes: [hashOf(at)], kind: 'announce' })).join(',')}]`,
    )
    expect(await framesAfter([announce(5), status(1)])).toBe(1)
    expect(messagesAt(other)).toHaveLength(6)
  })

  it('send nothing at all while they have nothing to say', async () => {
    const { world, one, other, socket } = await pair()
    one.links.send(other.address, status(1))
    other.links.send(one.address, status(1))
    await world.clock.pass(hour)
    const texts = socket.texts.map((sent) => sent.length)
    await world.clock.pass(24 * hour)
    expect(socket.texts.map((sent) => sent.length)).toEqual(texts)
    expect(world.clock.pending).toBe(0)
    expect(isLinked(one, other)).toBe(true)
  })

  it('that dial each other at once keep the link that the smaller address dialled', async () => {
    for (const order of [
      [0, 1],
      [1, 0],
    ]) {
      const world = new Loopback()
      const nodes = order.map((at) => world.node(at))
      for (const [at, node] of nodes.entries()) node.links.add(nodes[1 - at]!.url)
      await world.clock.pass(10 * maxRedialMs)
      const smaller = nodes.find(({ address }) => address === signerOf(0).address)!
      const larger = nodes.find((node) => node !== smaller)!
      expect(smaller.links.views().peers).toMatchObject([{ id: larger.address, direction: 'outbound' }])
      expect(larger.links.views().peers).toMatchObject([{ id: smaller.address, direction: 'inbound' }])
      expect(world.dials).toBeLessThan(6)
      expect(nodes.flatMap(({ told }) => told.filter(({ level }) => level === 'warn'))).toEqual([])
    }
  })

  it('have one link when one dials the other under two names', async () => {
    const { world, one, other } = await pair()
    world.open('http://alias.example', (wire) => other.links.accept(wire, ['http://alias.example']))
    one.links.add('http://alias.example')
    await world.clock.pass(hour)
    expect(one.links.peers).toEqual([other.address])
    expect(heardFrom(other, one.address)).toEqual(['opened'])
  })

  it('of which one listens under several names are linked under any of them, and under no other', async () => {
    const { world, one, other } = await pair(false)
    world.open('http://elsewhere.example', (wire) => other.links.accept(wire, [other.url]))
    one.links.add('http://elsewhere.example')
    await settle()
    expect(one.links.peers).toEqual([])
    expect(toldBy(one, 'wrong-origin')[0]?.level).toBe('warn')
    expect(toldBy(other, 'wrong-origin')[0]?.details.failure).toContain(other.url)
  })
})

describe('a link that is lost', () => {
  it('is dialled again, and again, after growing pauses up to a cap, for ever', async () => {
    const { world, one, other, socket } = await pair()
    world.unreachable.add(other.url)
    socket.break()
    await settle()
    expect(one.links.peers).toEqual([])
    const dialsIn = async (ms: number) => {
      const before = world.dials
      await world.clock.pass(ms)
      return world.dials - before
    }
    const early = await dialsIn(maxRedialMs)
    const later = await dialsIn(24 * hour)
    expect(early).toBeGreaterThan(3)
    expect(later).toBeGreaterThan((24 * hour) / maxRedialMs)
    expect(later).toBeLessThan((48 * hour) / maxRedialMs)
    expect(one.links.views().dialled).toMatchObject([{ url: other.url, failure: 'nobody listens there' }])
    expect(toldBy(one, 'nobody listens there')).toHaveLength(1)
    world.unreachable.clear()
    await world.clock.pass(maxRedialMs)
    expect(isLinked(one, other)).toBe(true)
    expect(one.links.views().dialled).toEqual([])
  })

  it('without the acceptor’s noticing is replaced when the dialler dials again', async () => {
    const { world, one, other, socket } = await pair()
    socket.isCut = true
    one.links.send(other.address, status(1))
    await world.clock.pass(quietMs + answerMs + maxRedialMs)
    expect(world.sockets).toHaveLength(2)
    expect(isLinked(one, other)).toBe(true)
    expect(heardFrom(other, one.address)).toEqual(['opened', 'closed', 'opened'])
  })

  it('without the dialler’s noticing is found out when the other dials: the old one is asked', async () => {
    const { world, one, other, socket } = await pair()
    socket.isCut = true
    // As after a restart, the larger address has forgotten the link, and the smaller one still believes in it.
    const again = world.node(1)
    again.links.add(one.url)
    await settle()
    expect(again.links.peers).toEqual([])
    await world.clock.pass(answerMs + 2 * maxRedialMs)
    expect(isLinked(one, again)).toBe(true)
    expect(other.address).toBe(again.address)
  })

  it('is found out only when there was something to say', async () => {
    const { world, one, other, socket } = await pair()
    socket.isCut = true
    await world.clock.pass(hour)
    expect(isLinked(one, other)).toBe(true)
    one.links.send(other.address, status(1))
    await world.clock.pass(quietMs)
    expect(socket.texts[0].at(-1)).toBe('"ping"')
    await world.clock.pass(answerMs)
    expect(heardFrom(one, other.address).slice(0, 2)).toEqual(['opened', 'closed'])
  })

  it('is found out although it has just given a sign of life that it was asked for', async () => {
    const { world, one, other, socket } = await pair()
    const again = world.node(1)
    again.links.add(one.url) // that there is a link already makes the other end doubt it
    await settle()
    expect([socket.texts[0].at(-1), socket.texts[1].at(-1)]).toEqual(['"ping"', '"pong"'])
    again.links.close()
    socket.isCut = true
    one.links.send(other.address, status(1))
    await world.clock.pass(quietMs + answerMs)
    expect(heardFrom(one, other.address)).toEqual(['opened', 'closed'])
  })

  it('is found out although it answered late, when something else had been said meanwhile', async () => {
    const { world, one, other, socket } = await pair()
    socket.isCut = true
    one.links.send(other.address, status(1))
    await world.clock.pass(quietMs)
    one.links.send(other.address, status(2))
    await settle()
    socket.say(1, '"pong"')
    await world.clock.pass(quietMs + answerMs - 1)
    expect(one.links.peers).toEqual([other.address])
    await world.clock.pass(1)
    expect(heardFrom(one, other.address).slice(0, 2)).toEqual(['opened', 'closed'])
  })

  it('isn’t suspected while the peer answers', async () => {
    const { world, one, other } = await pair()
    for (let minute = 0; minute < 10; minute++) {
      one.links.send(other.address, status(minute))
      await world.clock.pass(60_000)
    }
    expect(heardFrom(one, other.address)).toEqual(['opened'])
  })
})

describe('refused, with a reason that both ends tell, is', () => {
  it('a node of another network', async () => {
    const world = new Loopback()
    const one = world.node(0)
    const other = world.node(1, { network: '2b'.repeat(32) as NetworkId })
    one.links.add(other.url)
    await settle()
    expect([one.links.peers, other.links.peers]).toEqual([[], []])
    expect(toldBy(one, 'wrong-network')).not.toEqual([])
    expect(toldBy(other, 'wrong-network')).not.toEqual([])
  })

  it('a key that isn’t among the allowed ones, whoever dials', async () => {
    const world = new Loopback()
    const friend = world.node(1)
    const stranger = world.node(2)
    const host = world.node(0, { allowed: new Set([friend.address]) })
    for (const node of [friend, stranger]) node.links.add(host.url)
    host.links.add(stranger.url)
    await settle()
    expect(host.links.peers).toEqual([friend.address])
    expect(toldBy(stranger, 'not-allowed')).not.toEqual([])
    expect(toldBy(host, 'not-allowed')).not.toEqual([])
  })

  it('the node itself, and it isn’t dialled again for long', async () => {
    const world = new Loopback()
    const one = world.node(0)
    one.links.add(one.url)
    await world.clock.pass(60_000)
    expect(one.links.peers).toEqual([])
    expect(world.dials).toBe(1)
    expect(one.links.views().dialled[0]?.failure).toContain('self')
  })

  it('who doesn’t finish the handshake in time', async () => {
    const { world, one } = await pair(false)
    const closed: string[] = []
    one.links.accept(silentWire(closed), [one.url])
    await world.clock.pass(handshakeMs)
    expect(closed).toMatchObject([expect.stringContaining('too-late')])
    expect(world.clock.pending).toBe(0)
  })

  it('the eldest of too many handshakes, so that a newcomer gets in', async () => {
    const { one, other } = await pair(false)
    const closed: string[] = []
    for (let at = 0; at < maxHandshakes + 1; at++) one.links.accept(silentWire(closed), [one.url])
    expect(closed).toMatchObject([expect.stringContaining('full')])
    other.links.add(one.url)
    await settle()
    expect(isLinked(one, other)).toBe(true)
  })

  it('one that dials when there are many, but not one that is dialled', async () => {
    const world = new Loopback()
    const host = world.node(0)
    const others = Array.from({ length: maxInboundLinks + 2 }, (_, at) => world.node(at + 1))
    for (const other of others.slice(1)) other.links.add(host.url)
    await settle()
    expect(host.links.peers).toHaveLength(maxInboundLinks)
    expect(others.flatMap((other) => toldBy(other, 'full'))).toHaveLength(1)
    host.links.add(others[0]!.url)
    await settle()
    expect(host.links.peers).toContain(others[0]!.address)
  })

  it('everyone, once this node shuts down', async () => {
    const { world, one, other } = await pair()
    one.links.close()
    await settle()
    expect(heardFrom(other, one.address)).toEqual(['opened', 'closed'])
    other.links.add(one.url)
    await world.clock.pass(60_000)
    expect([one.links.peers, other.links.peers]).toEqual([[], []])
    other.links.close()
    expect(world.clock.pending).toBe(0)
  })
})

const silentWire = (closed: string[]): Wire => ({
  unsentBytes: 0,
  send: () => undefined,
  close: (reason) => closed.push(reason),
})

describe('conduct', () => {
  it('that is ignored costs nothing', async () => {
    const { one, other } = await pair()
    for (let at = 0; at < 1_000; at++) one.links.punish(other.address, 'ignore', 'old news')
    expect(one.links.views().peers[0]?.score).toBe(fullScore)
  })

  it('that is rejected costs score, then the link, then a ban that ends', async () => {
    const { world, one, other } = await pair()
    one.links.punish(other.address, 'reject', 'a false signature')
    expect(one.links.views().peers[0]?.score).toBe(fullScore - rejectCost)
    one.links.punish(other.address, 'reject', 'a false signature')
    expect(one.links.peers).toEqual([])
    await world.clock.pass(600)
    expect(isLinked(one, other)).toBe(true)
    one.links.punish(other.address, 'reject', 'a false signature')
    one.links.punish(other.address, 'reject', 'a false signature')
    expect(one.links.views().bans).toMatchObject([{ id: other.address, reason: 'a false signature' }])
    other.links.add(one.url)
    await world.clock.pass(firstBanMs / 2)
    expect(one.links.peers).toEqual([])
    expect(toldBy(other, 'banned')).not.toEqual([])
    await world.clock.pass(firstBanMs / 2 + maxRedialMs)
    expect(isLinked(one, other)).toBe(true)
    expect(one.links.views()).toMatchObject({ bans: [], peers: [{ score: fullScore }] })
  })

  it('is forgiven with time', async () => {
    const { world, one, other } = await pair()
    one.links.punish(other.address, 'reject', 'late')
    await world.clock.pass(rejectCost * 1_000)
    expect(one.links.views().peers[0]?.score).toBe(fullScore)
  })

  it('that gets banned again is banned for longer', async () => {
    const { world, one, other } = await pair()
    const banMs = () => {
      for (let at = 0; at < fullScore / rejectCost; at++) one.links.punish(other.address, 'reject', 'false')
      return one.links.views().bans[0]!.until - world.clock.nowMs
    }
    expect(banMs()).toBe(firstBanMs)
    await world.clock.pass(firstBanMs)
    expect(banMs()).toBe(2 * firstBanMs)
  })

  it('of a peer that the operator removed doesn’t matter until the ban ends', async () => {
    const { world, one, other } = await pair()
    expect(one.links.remove(other.address)).toMatchObject({ until: world.clock.nowMs + removalMs })
    await settle()
    expect([one.links.peers, other.links.peers]).toEqual([[], []])
    const before = world.dials
    await world.clock.pass(removalMs)
    expect(world.dials).toBe(before)
    other.links.add(one.url)
    await settle()
    expect(isLinked(one, other)).toBe(true)
    expect(one.links.remove(signerOf(9).address)).toBeUndefined()
  })
})

/** Speaks to a node as a peer that has proven its key, but sends whatever a test wants. */
const rogue = async () => {
  const { world, one, other, socket } = await pair()
  const say = (text: string) => socket.wire(0).send(text)
  return { world, victim: other, key: one.address, say, socket, wire: socket.wire(0) }
}

describe('a peer that sends', () => {
  it('what is no frame is held to it, and what was good before still counts', async () => {
    const frames: readonly string[] = [
      'x',
      '{}',
      '[]',
      '[1]',
      '[{"kind":"gossip"}]',
      '[{"hashes":[],"kind":"announce"}]',
      `[{"hashes": ["${hashOf(1)}"],"kind":"announce"}]`,
      `[{"kind":"announce","hashes":["${hashOf(1)}"]}]`,
      `[${Array.from({ length: maxFrameMessages + 1 }, () => `{"hashes":["${hashOf(1)}"],"kind":"want"}`).join(',')}]`,
      `["${'x'.repeat(maxFrameBytes)}"]`,
      `${'['.repeat(40)}${']'.repeat(40)}`,
    ]
    for (const frame of frames) {
      const { victim, key, say } = await rogue()
      say(`[{"hashes":["${hashOf(1)}"],"kind":"announce"}]`)
      say(frame)
      await settle()
      expect([frame.slice(0, 40), victim.links.views().peers[0]?.score]).toEqual([
        frame.slice(0, 40),
        fullScore - rejectCost,
      ])
      expect(messagesAt(victim)).toEqual([announce(1)])
      expect(heardFrom(victim, key)).toHaveLength(2)
    }
  })

  it('more messages than anyone may is cut off', async () => {
    const { victim, key, say } = await rogue()
    const { messages, burstSeconds } = inboundRate
    const frame = `[${Array.from({ length: maxFrameMessages }, () => `{"hashes":["${hashOf(1)}"],"kind":"want"}`).join(',')}]`
    for (let sent = 0; sent <= messages * burstSeconds; sent += maxFrameMessages) say(frame)
    await settle()
    expect(victim.links.peers).toEqual([])
    expect(heardFrom(victim, key).length).toBeLessThan(messages * burstSeconds + 3)
  })

  it('more bytes than anyone may is cut off', async () => {
    const { victim, say } = await rogue()
    const { bytes, burstSeconds } = inboundRate
    const text = 'x'.repeat(maxFrameBytes)
    for (let sent = 0; sent <= bytes * burstSeconds; sent += text.length) {
      victim.links.views()
      say(text)
    }
    await settle()
    expect(victim.links.peers).toEqual([])
  })

  it('as much as it may, for long, is heard', async () => {
    const { world, one, other } = await pair()
    const { messages } = inboundRate
    for (let second = 0; second < 8; second++) {
      for (let at = 0; at < messages / 2; at++) one.links.send(other.address, want(at))
      await world.clock.pass(1_000)
    }
    await world.clock.pass(60_000)
    expect(isLinked(one, other)).toBe(true)
    expect(messagesAt(other)).toHaveLength(4 * messages)
  })
})

describe('a peer that stops reading', () => {
  const fill = (one: TestNode, to: Address, count: number, message: (at: number) => PeerMessage) => {
    for (let at = 0; at < count; at++) one.links.send(to, message(at))
  }

  /** So that the socket is full, and what is sent now waits. */
  const stuckPair = async () => {
    const linked = await pair()
    linked.socket.stuck[0] = true
    const megabyte: PeerMessage = {
      kind: 'want',
      hashes: Array.from({ length: 1_024 }, (_, at) => hashOf(at)),
    }
    for (let at = 0; at < 64; at++) {
      linked.one.links.send(linked.other.address, { ...megabyte })
      await Promise.resolve()
    }
    await settle()
    return linked
  }

  it('has a bounded number of messages wait for it: announcements go first, the newest status stays', async () => {
    const { world, one, other, socket } = await stuckPair()
    one.links.send(other.address, status(1))
    fill(one, other.address, 100, (at) => announce(at))
    fill(one, other.address, maxQueuedMessages / 2, (at) => want(at))
    one.links.send(other.address, status(2))
    fill(one, other.address, maxQueuedMessages, (at) => want(at))
    await settle()
    expect(one.links.views().peers[0]!.sent.dropped).toBeGreaterThan(maxQueuedMessages / 2)
    unstick(socket)
    await world.clock.pass(20_000)
    const arrived = messagesAt(other)
    expect(arrived.filter(({ kind }) => kind === 'announce')).toEqual([])
    expect(arrived.filter(({ kind }) => kind === 'status')).toEqual([status(2)])
    expect(arrived.length).toBeLessThanOrEqual(maxQueuedMessages)
    expect(arrived.at(-1)).toEqual(want(maxQueuedMessages - 1))
  })

  it('is let go when it takes nothing for long', async () => {
    const { world, one, other } = await stuckPair()
    await world.clock.pass(stalledMs + 1_000)
    expect(heardFrom(one, other.address).slice(0, 2)).toEqual(['opened', 'closed'])
  })
})

const unstick = (socket: Socket): void => {
  socket.stuck[0] = false
  socket.takeAll(0)
}
