/** Links without a network: sockets within this process, and time that only the test moves. */

import type { EncodedMessage } from '../../../../src/messages/frame.ts'
import type { PeerMessage } from '../../../../src/messages/peer-message.ts'
import { Links, type PeerEvents } from '../../../../src/node/links/links.ts'
import type { Clock } from '../../../../src/ports/clock.ts'
import type { Signer, Verifier } from '../../../../src/ports/keys.ts'
import type { Log } from '../../../../src/ports/log.ts'
import type { Transport, Wire, WireListener } from '../../../../src/ports/transport.ts'
import { createNodeSigner } from '../../../../src/runtime/node/keys.ts'
import { type Address, type NetworkId, type Signature, unixMs } from '../../../../src/units.ts'

export const network = '1a'.repeat(32) as NetworkId

/** Signatures that anyone could make, but nobody does by mistake: fast, and without threads. */
const signatureOf = (key: Address, text: string): Signature => {
  let mixed = 17
  for (const unit of `${key} ${text}`) mixed = (mixed * 31 + unit.charCodeAt(0)) % 2 ** 32
  return mixed.toString(16).padStart(128, '0') as Signature
}

export const verifier: Verifier = {
  name: 'test',
  verify: async (key, text, signature) => signature === signatureOf(key, text),
}

const addresses = Array.from(
  { length: 80 },
  (_, at) => createNodeSigner(new Uint8Array(32).fill(at + 1)).address,
).sort()

/** The signer with the address that is the n-th smallest. */
export const signerOf = (order: number): Signer => {
  const address = addresses[order]!
  return { address, sign: (text) => signatureOf(address, text) }
}

interface Timer {
  readonly atMs: number
  readonly callback: () => void
}

export class TestClock implements Clock {
  nowMs = 1_790_000_000_000
  readonly #timers = new Set<Timer>()

  now() {
    return unixMs(this.nowMs)
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.nowMs + delayMs, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  get pending(): number {
    return this.#timers.size
  }

  /** Lets time pass, and all that follows from it happen. */
  async pass(ms: number): Promise<void> {
    const end = this.nowMs + ms
    await settle()
    for (;;) {
      const [next] = [...this.#timers]
        .filter(({ atMs }) => atMs <= end)
        .sort((one, other) => one.atMs - other.atMs)
      if (!next) break
      this.nowMs = Math.max(this.nowMs, next.atMs)
      this.#timers.delete(next)
      next.callback()
      await settle()
    }
    this.nowMs = end
  }
}

/** Until nothing moves that doesn't wait for time. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** A socket's two ends. Texts arrive in later turns, unless the socket is cut. */
export class Socket {
  /** What passed, by the end that sent it. */
  readonly texts: [string[], string[]] = [[], []]
  /** Nothing arrives any more, and neither end is told. */
  isCut = false
  readonly #listeners: (WireListener | undefined)[] = [undefined, undefined]
  readonly #unsent: [number, number] = [0, 0]
  /** Ends whose bytes nobody takes. */
  readonly stuck: [boolean, boolean] = [false, false]
  #isClosed = false

  wire(end: 0 | 1): Wire {
    const socket = this
    return {
      get unsentBytes() {
        return socket.#unsent[end]
      },
      send: (text) => this.#send(end, text),
      close: (reason) => this.#close(end, reason),
    }
  }

  listen(end: 0 | 1, listener: WireListener): void {
    this.#listeners[end] = listener
  }

  /** The operating system takes what an end has sent; it is lost on the way. */
  takeAll(end: 0 | 1): void {
    this.#unsent[end] = 0
  }

  /** Arrives at the other end, even if the socket is cut. */
  say(end: 0 | 1, text: string): void {
    this.#listeners[1 - end]?.onText(text)
  }

  /** As if the connection broke, at both ends. */
  break(): void {
    this.#isClosed = true
    for (const listener of this.#listeners) listener?.onClose('the connection broke')
  }

  #send(end: 0 | 1, text: string): void {
    if (this.#isClosed) return
    if (this.stuck[end]) {
      this.#unsent[end] += text.length
      return
    }
    this.texts[end].push(text)
    queueMicrotask(() => {
      if (!this.#isClosed && !this.isCut) this.#listeners[1 - end]?.onText(text)
    })
  }

  #close(end: 0 | 1, reason: string): void {
    if (this.#isClosed) return
    queueMicrotask(() => {
      if (this.#isClosed) return
      this.#isClosed = true
      if (!this.isCut) this.#listeners[1 - end]?.onClose(reason)
      this.#listeners[end]?.onClose(reason)
    })
  }
}

export interface Told {
  readonly level: string
  readonly message: string
  readonly details: Readonly<Record<string, unknown>>
}

const tellingLog = (told: Told[]): Log => {
  const at =
    (level: string) =>
    (message: string, details: Told['details'] = {}) => {
      told.push({ level, message, details })
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

export interface TestNode {
  readonly url: string
  readonly address: Address
  readonly links: Links
  /** 'opened', 'closed' and messages, in order. */
  readonly heard: (readonly [Address, string | PeerMessage])[]
  readonly told: Told[]
}

/** Nodes that can dial each other by URL. */
export class Loopback {
  readonly clock = new TestClock()
  readonly sockets: Socket[] = []
  readonly #doors = new Map<string, (wire: Wire) => WireListener>()
  /** URLs that can't be reached for now. */
  readonly unreachable = new Set<string>()
  dials = 0
  /** Plain requests, and what the next of them are answered. */
  readonly posts: { readonly url: string; readonly path: string; readonly body: string }[] = []
  readonly answers: string[] = []
  #random = 0

  readonly transport: Transport = {
    dial: async (url, listen) => {
      this.dials++
      await Promise.resolve()
      const door = this.#doors.get(url)
      if (!door || this.unreachable.has(url)) throw new Error('nobody listens there')
      const socket = new Socket()
      this.sockets.push(socket)
      // Both ends are open before either says something.
      const [dialler, acceptor] = [socket.wire(0), socket.wire(1)]
      socket.listen(1, door(acceptor))
      socket.listen(0, listen(dialler))
    },
    request: async (url, { path, body = '' }) => {
      this.posts.push({ url, path, body })
      const text = this.answers.shift()
      return text === undefined ? { status: 404, text: '' } : { status: 200, text }
    },
  }

  /** @param order - of its address among those of all */
  node(
    order: number,
    parts: {
      readonly network?: NetworkId
      readonly allowed?: ReadonlySet<Address>
      readonly sleeps?: boolean
      readonly transactions?: readonly EncodedMessage[]
    } = {},
  ): TestNode {
    const url = `http://node${order}.example`
    const signer = signerOf(order)
    const heard: TestNode['heard'] = []
    const told: Told[] = []
    const events: PeerEvents = {
      onOpened: (peer) => heard.push([peer, 'opened']),
      onClosed: (peer) => heard.push([peer, 'closed']),
      onMessage: (peer, message) => heard.push([peer, message]),
      transactionsOf: (hashes) => (parts.transactions ?? []).slice(0, hashes.length),
    }
    const links = new Links({
      version: '0.1.0',
      network,
      signer,
      verifier,
      clock: this.clock,
      random: { bytes: (count) => this.#bytes(count), fraction: () => 0.5 },
      transport: this.transport,
      log: tellingLog(told),
      events,
      ...parts,
    })
    this.open(url, (wire) => links.accept(wire, [url]))
    return { url, address: signer.address, links, heard, told }
  }

  /** Has somebody answer at a URL. */
  open(url: string, door: (wire: Wire) => WireListener): void {
    this.#doors.set(url, door)
  }

  #bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    new DataView(bytes.buffer).setUint32(0, ++this.#random)
    return bytes
  }
}
