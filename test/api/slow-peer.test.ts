import { connect } from 'node:net'
import { expect, it, onTestFinished, vi } from 'vitest'
import { Handshake, type HandshakeEffect } from '../../src/messages/handshake.ts'
import { maxFrameBytes } from '../../src/messages/limits.ts'
import type { PeerMessage } from '../../src/messages/peer-message.ts'
import { maxUnsentBytes, stalledMs } from '../../src/node/links/limits.ts'
import { Links } from '../../src/node/links/links.ts'
import type { NodeService } from '../../src/node/service.ts'
import { defaultParameters } from '../../src/objects/parameters.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Wire } from '../../src/ports/transport.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { createTransport } from '../../src/runtime/node/engine.ts'
import { createNodeVerifier } from '../../src/runtime/node/keys.ts'
import { serve } from '../../src/runtime/node/serve.ts'
import { systemRandom } from '../../src/runtime/random.ts'
import { type Hash, type NetworkId, type Signature, unixMs } from '../../src/units.ts'
import { friend, rich, token } from './world.ts'

const network = '1a'.repeat(32) as NetworkId
const silentLog = { debug() {}, info() {}, warn() {}, error() {} }

/** Three seconds pass in one. */
const fastClock: Clock = {
  now: () => unixMs(systemClock.now() * 3),
  schedule: (delayMs, callback) => systemClock.schedule(delayMs / 3, callback),
}

/** Frames of a client are masked (RFC 6455 §5.3), here with zeros; texts of a handshake are short. */
const maskedFrame = (text: string): Buffer => {
  const payload = Buffer.from(text)
  const head = Buffer.from([0x81, 0x80 | 126, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0])
  return Buffer.concat([head, payload])
}

/** Becomes a peer, and then reads nothing any more. */
const openDeafPeer = (url: string): void => {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  const machine = new Handshake({
    role: 'dialler',
    network,
    key: friend.address,
    nonce: 'ab'.repeat(32) as Hash,
    version: '0.0.0',
    origins: [url],
    objection: () => undefined,
  })
  const apply = (effects: readonly HandshakeEffect[]): void => {
    for (const effect of effects) {
      if (effect.kind === 'send') socket.write(maskedFrame(effect.text))
      if (effect.kind === 'sign')
        apply(machine.step({ kind: 'signed', signature: friend.sign(effect.text) as Signature }))
      if (effect.kind === 'verify') apply(machine.step({ kind: 'verified', isValid: true }))
      if (effect.kind === 'welcome') socket.pause()
    }
  }
  let unread = ''
  let isUpgraded = false
  socket.on('data', (chunk) => {
    unread += chunk.toString('latin1')
    if (!isUpgraded) {
      isUpgraded = true
      apply(machine.begin())
    }
    for (let at = unread.indexOf('{"'); at !== -1; at = unread.indexOf('{"')) {
      const end = unread.indexOf('"}', at) + 2
      if (end === 1) return
      const text = unread.slice(at, end)
      unread = unread.slice(end)
      apply(machine.step({ kind: 'text', text }))
    }
  })
  socket.write(
    'GET /v1/peer HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
  )
  onTestFinished(() => void socket.destroy())
}

it('a peer that stops reading fills no memory, loses what is repeated anyway, and is let go', async () => {
  let accepted: Wire | undefined
  const ends: string[] = []
  const links = new Links({
    version: '0.1.0',
    network,
    signer: rich,
    verifier: await createNodeVerifier(silentLog),
    clock: fastClock,
    random: systemRandom,
    transport: createTransport(),
    log: { ...silentLog, info: (message, details) => ends.push(`${message} ${details?.reason ?? ''}`) },
    events: {
      onOpened: () => undefined,
      onClosed: () => undefined,
      onMessage: () => undefined,
      transactionsOf: () => [],
    },
  })
  const service = {
    genesis: { parameters: defaultParameters },
    acceptPeer: (wire: Wire, urls: readonly string[]) => {
      accepted = wire
      return links.accept(wire, urls)
    },
  } as unknown as NodeService
  const server = await serve({
    node: service,
    operatorToken: token,
    host: '127.0.0.1',
    port: 0,
    urls: [],
    log: silentLog,
  })
  onTestFinished(async () => {
    links.close()
    await server.close()
  })
  openDeafPeer(server.url)
  await vi.waitFor(() => expect(links.peers).toEqual([friend.address]), { timeout: 20_000 })

  // Some 64 MiB, of which no system takes more than a few.
  const hashes = Array.from({ length: 1_024 }, () => 'cd'.repeat(32) as Hash)
  let dropped = 0
  let mostUnsent = 0
  for (let megabyte = 0; megabyte < 64; megabyte++) {
    for (let at = 0; at < 15; at++) links.send(friend.address, { kind: 'want', hashes } satisfies PeerMessage)
    await new Promise((resolve) => setImmediate(resolve))
    mostUnsent = Math.max(mostUnsent, accepted!.unsentBytes)
    dropped = links.views().peers[0]?.sent.dropped ?? dropped
  }
  expect(mostUnsent).toBeLessThan(maxUnsentBytes + 2 * maxFrameBytes)
  expect(dropped).toBeGreaterThan(32 * 15) // half of them
  await vi.waitFor(() => expect(links.peers).toEqual([]), { timeout: stalledMs, interval: 100 })
  expect(ends.at(-1)).toMatch(/a link is over (it takes nothing|no sign of life)/)
})
