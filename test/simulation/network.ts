/**
 * A network between simulated machines: sockets and requests that take virtual time, and what can happen to them.
 *
 * In: dials, frames and requests of machines; what is to go wrong, from whoever plans it. Out: the same at the
 * other machine, later, or never. Each ordered pair of machines has a path of its own, so that a partition may
 * be asymmetric. A socket keeps its frames in order, as TCP does; between sockets nothing is in order.
 */
import type { PlainAnswer, PlainRequest, Transport, Wire, WireListener } from '../../src/ports/transport.ts'
import type { Chance, Span } from './chance.ts'
import type { VirtualTime } from './virtual-time.ts'

/** A machine as long as it runs; after a restart it is another one. */
export interface Host {
  readonly name: string
  readonly url: string
  /** @returns undefined when the machine takes no sockets now */
  accept(wire: Wire): WireListener | undefined
  answer(request: PlainRequest): Promise<PlainAnswer>
}

/** What becomes of a frame: the texts that arrive in its place, in order. */
export type Interfere = (from: Host, to: Host, text: string) => readonly string[]

type Listen = (wire: Wire) => WireListener

const dialTimeoutMs = 10_000
/** How long the other ends of a machine's sockets may take to find out that it is gone. */
const mournMs: Span = [1, 3_000]

export class SimulatedNetwork {
  readonly #time: VirtualTime
  readonly #chance: Chance
  readonly #interfere: Interfere
  readonly #hosts = new Map<string, Host>()
  readonly #paths = new Map<string, Path>()
  readonly #ends = new Set<End>()
  frames = 0
  requests = 0

  constructor(time: VirtualTime, chance: Chance, interfere: Interfere) {
    this.#time = time
    this.#chance = chance
    this.#interfere = interfere
  }

  attach(host: Host): void {
    this.#hosts.set(host.url, host)
  }

  /** The machine is gone; its peers find out sooner or later. */
  detach(host: Host): void {
    if (this.#isHere(host)) this.#hosts.delete(host.url)
    for (const end of [...this.#ends]) if (end.host === host) this.#break(end, mournMs)
  }

  /** From one machine's URL to another's. */
  path(from: string, to: string): Path {
    const name = `${from} ${to}`
    const known = this.#paths.get(name)
    if (known) return known
    const path = new Path(this.#time, this.#chance)
    this.#paths.set(name, path)
    return path
  }

  /** Breaks open sockets. */
  breakSockets(isMeant: (from: string, to: string) => boolean): void {
    for (const end of [...this.#ends])
      if (end.isOpen && isMeant(end.host.url, end.other.host.url)) this.#break(end, [0, 100])
  }

  /** How the machine reaches others. */
  transport(host: Host): Transport {
    return {
      dial: (url, listen) => this.#dial(host, url, listen),
      request: (url, request) => this.#request(host, url, request),
    }
  }

  async #dial(from: Host, url: string, listen: Listen): Promise<void> {
    const attempt = { isGivenUp: false }
    const isOpen = await this.#within(dialTimeoutMs, this.#connect(from, url, listen, attempt))
    attempt.isGivenUp = true
    if (!isOpen) throw new Error(`${url} doesn't answer within ${dialTimeoutMs} ms`)
  }

  async #connect(
    from: Host,
    url: string,
    listen: Listen,
    attempt: { readonly isGivenUp: boolean },
  ): Promise<true> {
    await this.path(from.url, url).travel()
    const to = this.#reachable(from.url, url)
    if (!to || !this.#isHere(from)) return this.#refuse(url, from.url)
    const [near, far] = this.#pair(from, to)
    const isTold = new Promise<void>((resolve) => far.path.carry(0, far.lane, resolve))
    far.listener = to.accept(far)
    if (!far.listener) return this.#refuse(url, from.url)
    await isTold
    if (attempt.isGivenUp) near.close('too late')
    if (!near.isOpen || !this.#isHere(from)) throw new Error(`${url} broke the connection off`)
    near.listener = listen(near)
    return true
  }

  #pair(from: Host, to: Host): readonly [End, End] {
    const near = new End(from, this.path(from.url, to.url), this)
    const far = new End(to, this.path(to.url, from.url), this)
    near.other = far
    far.other = near
    this.#ends.add(near).add(far)
    return [near, far]
  }

  async #refuse(url: string, to: string): Promise<never> {
    await this.path(url, to).travel()
    throw new Error(`${url} refuses connections`)
  }

  async #request(from: Host, url: string, request: PlainRequest): Promise<PlainAnswer> {
    this.requests++
    const answer = await this.#within(request.timeoutMs, this.#exchange(from, url, request))
    if (!answer) throw new Error(`${url} doesn't answer within ${request.timeoutMs} ms`)
    if (answer.text.length > request.maxBytes) throw new Error(`${url} answers with too much`)
    return answer
  }

  async #exchange(from: Host, url: string, request: PlainRequest): Promise<PlainAnswer> {
    await this.path(from.url, url).travel()
    const to = this.#reachable(from.url, url)
    if (!to) return this.#refuse(url, from.url)
    const answer = await to.answer(request)
    await this.path(url, from.url).travel()
    return answer
  }

  #isHere(host: Host): boolean {
    return this.#hosts.get(host.url) === host
  }

  #reachable(from: string, to: string): Host | undefined {
    return this.path(from, to).isCut || this.path(to, from).isCut ? undefined : this.#hosts.get(to)
  }

  async #within<Value>(limitMs: number, value: Promise<Value>): Promise<Value | undefined> {
    let cancel = (): void => undefined
    const over = new Promise<undefined>((resolve) => {
      cancel = this.#time.after(limitMs, () => resolve(undefined))
    })
    try {
      return await Promise.race([value, over])
    } finally {
      cancel()
      value.catch(() => undefined) // nobody waits for it any more
    }
  }

  /** What an end sends. */
  carry(end: End, text: string): void {
    for (const arriving of this.#interfere(end.host, end.other.host, text)) {
      this.frames++
      end.path.carry(arriving.length, end.lane, () => end.other.hear(arriving))
    }
  }

  /** An end was closed by its machine. */
  hangUp(end: End, reason: string): void {
    this.#ends.delete(end)
    end.path.carry(0, end.lane, () => this.#close(end.other, reason))
  }

  #break(end: End, span: Span): void {
    for (const broken of [end, end.other]) {
      this.#ends.delete(broken)
      broken.isOpen = false
      this.#time.after(this.#chance.between(span), () => this.#close(broken, 'the connection broke'))
    }
  }

  #close(end: End, reason: string): void {
    this.#ends.delete(end)
    end.isOpen = false
    end.tellClosed(reason)
  }
}

/** Things of one lane arrive in the order in which they were sent. */
interface Lane {
  lastMs: number
}

interface Parcel {
  readonly bytes: number
  readonly lane: Lane
  readonly arrive: () => void
}

/** The way from one machine to another. */
export class Path {
  readonly #time: VirtualTime
  readonly #chance: Chance
  readonly #held: Parcel[] = []
  #isClogged = false
  /** Nothing can be opened over it. */
  isCut = false
  delayMs: Span = [1, 20]
  heldBytes = 0

  constructor(time: VirtualTime, chance: Chance) {
    this.#time = time
    this.#chance = chance
  }

  /** From now on everything waits. */
  clog(): void {
    this.#isClogged = true
  }

  release(): void {
    this.#isClogged = false
    this.heldBytes = 0
    for (const parcel of this.#held.splice(0)) this.#send(parcel)
  }

  carry(bytes: number, lane: Lane, arrive: () => void): void {
    const parcel = { bytes, lane, arrive }
    if (this.#isClogged) this.#hold(parcel)
    else this.#send(parcel)
  }

  /** What keeps no order with anything else. */
  travel(): Promise<void> {
    return new Promise((resolve) => this.carry(0, { lastMs: 0 }, resolve))
  }

  #hold(parcel: Parcel): void {
    this.#held.push(parcel)
    this.heldBytes += parcel.bytes
  }

  #send({ lane, arrive }: Parcel): void {
    const arrivalMs = Math.max(lane.lastMs, this.#time.nowMs + this.#chance.between(this.delayMs))
    lane.lastMs = arrivalMs
    this.#time.after(arrivalMs - this.#time.nowMs, arrive)
  }
}

/** One end of a socket. */
class End implements Wire {
  readonly host: Host
  readonly path: Path
  readonly lane: Lane = { lastMs: 0 }
  readonly #network: SimulatedNetwork
  other!: End
  listener: WireListener | undefined
  isOpen = true
  #isTold = false

  constructor(host: Host, path: Path, network: SimulatedNetwork) {
    this.host = host
    this.path = path
    this.#network = network
  }

  get unsentBytes(): number {
    return this.path.heldBytes
  }

  send(text: string): void {
    if (this.isOpen) this.#network.carry(this, text)
  }

  close(reason: string): void {
    if (!this.isOpen) return
    this.isOpen = false
    this.#network.hangUp(this, reason)
    this.tellClosed(reason)
  }

  hear(text: string): void {
    if (this.isOpen) this.listener?.onText(text)
  }

  tellClosed(reason: string): void {
    if (this.#isTold) return
    this.#isTold = true
    this.listener?.onClose(reason)
  }
}
