/**
 * Links: which peers this node is connected with, and how messages get to them and from them.
 *
 * In: sockets that others opened ({@link Links.accept}), URLs to dial ({@link Links.add}), messages to send.
 * Out: proven peers that come and go, and what they say, through {@link PeerEvents}. There is at most one link
 * for each node key. Nothing is promised of a message that was sent; whoever needs it to arrive sends it again.
 */

import { encodeHex } from '../../codec/bytes.ts'
import type { Linked } from '../../discovery/address-book.ts'
import { type EncodedMessage, encodeMessage } from '../../messages/frame.ts'
import type { HandshakeTerms, Hello, Refusal } from '../../messages/handshake.ts'
import type { PeerMessage } from '../../messages/peer-message.ts'
import { printable } from '../../messages/printable.ts'
import type { Card } from '../../objects/card.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Signer, Verifier } from '../../ports/keys.ts'
import type { Log, LogDetails } from '../../ports/log.ts'
import type { Random } from '../../ports/random.ts'
import type { Reach, Transport, Wire, WireListener } from '../../ports/transport.ts'
import type { Address, Hash, NetworkId } from '../../units.ts'
import type { BanView, PeersView, PeerView } from '../service.ts'
import { Conduct } from './conduct.ts'
import { Dialler, type Target } from './dialler.ts'
import { Greeting, type GreetingEnd } from './greeting.ts'
import {
  loggedRefusals,
  maxHandshakes,
  maxInboundLinks,
  maxLinks,
  removalMs,
  selfRedialMs,
} from './limits.ts'
import { Link } from './link.ts'
import { noMessages } from './sent-messages.ts'
import { Sleepers } from './sleepers.ts'
import { TokenBucket } from './token-bucket.ts'

/** What is heard from peers. */
export interface PeerEvents {
  onOpened(peer: Address): void
  onClosed(peer: Address): void
  onMessage(peer: Address, message: PeerMessage): void
  /** A peer that {@link Links.addSupplied} was called for isn't linked, or not any more. */
  onGivenUp?(peer: Address): void
  /** A peer without a link wants these. @returns messages with those that are here */
  transactionsOf(hashes: readonly Hash[]): readonly EncodedMessage[]
}

export interface LinksParts {
  readonly version: string
  readonly network: NetworkId
  readonly signer: Signer
  readonly verifier: Verifier
  readonly clock: Clock
  readonly random: Random
  readonly transport: Transport
  readonly log: Log
  /** The only keys that are linked; absent: all. */
  readonly allowed?: ReadonlySet<Address>
  /** This node is to be left alone while nothing happens. */
  readonly sleeps?: boolean
  /** Where URLs may lead that peers have supplied: to the public internet, unless it is said otherwise. */
  readonly reachOfSupplied?: Reach
  readonly events: PeerEvents
}

/** What a peer did wrong. Only a `reject` is held against it. */
export type Fault = 'ignore' | 'reject'

export class Links {
  readonly sent = noMessages()
  readonly #parts: LinksParts
  readonly #links = new Map<Address, Link>()
  readonly #conduct: Conduct
  readonly #dialler: Dialler
  readonly #sleepers: Sleepers
  /** Handshakes with those that dialled, eldest first. */
  readonly #strangers = new Set<Greeting>()
  /** Handshakes with those that were dialled. */
  readonly #dialled = new Set<Greeting>()
  readonly #toldRefusals: TokenBucket
  #isClosed = false

  constructor(parts: LinksParts) {
    const { transport, clock, random, log, events } = parts
    this.#parts = parts
    this.#conduct = new Conduct(clock)
    this.#toldRefusals = new TokenBucket(loggedRefusals / 60, 60, clock.now())
    this.#dialler = new Dialler({
      transport,
      clock,
      random,
      isLinked: (peer) => this.#links.has(peer),
      isResting: (peer) => this.#sleepers.isResting(peer),
      bannedUntil: (peer) => this.#conduct.banOf(peer)?.until,
      greet: (wire, target) => this.#greet(wire, this.#dialled, [target.url], target),
      onGivenUp: (peer) => events.onGivenUp?.(peer),
      reachOfSupplied: parts.reachOfSupplied ?? 'public',
      onFailure: (url, failure) => log.warn('a peer is not reached, and is tried again', { url, failure }),
    })
    this.#sleepers = new Sleepers({
      transport: { request: (url, request) => transport.request(url, request, this.#dialler.reachOf(url)) },
      log,
      dial: (peer) => this.#dialler.wake(peer),
      transactionsOf: (hashes) => events.transactionsOf(hashes),
    })
  }

  /**
   * Takes a socket on which somebody dialled this node.
   *
   * @param urls - all that this node is reached under, by its configuration
   */
  accept(wire: Wire, urls: readonly string[]): WireListener {
    const [eldest] = this.#strangers
    if (eldest && this.#strangers.size >= maxHandshakes)
      eldest.refuse({ reason: 'full', detail: 'too many handshakes at a time: try again in a moment' })
    return this.#greet(wire, this.#strangers, urls)
  }

  /**
   * Keeps a peer linked that answers at this origin.
   *
   * @throws TautlineError `too-many-peers`
   */
  add(url: string): void {
    this.#dialler.add(url)
  }

  /**
   * Dials a peer once at the URL that it is said to be reached under. One that is dialled already, or for whom there
   * is no room, is given up at once.
   */
  addSupplied({ key, url }: Pick<Card, 'key' | 'url'>): void {
    if (!this.#dialler.addSupplied(url, key)) this.#parts.events.onGivenUp?.(key)
  }

  /** Where a URL may lead that was dialled to reach a peer. */
  reachOf(url: string): Reach {
    return this.#dialler.reachOf(url)
  }

  /** Links, and those that are being made with peers that {@link addSupplied} was called for. */
  get linked(): readonly Linked[] {
    const supplied = this.#dialler.supplied
    const rest = this.peers.filter((peer) => !supplied.some((other) => other.peer === peer))
    return [...rest.map((peer) => ({ peer })), ...supplied]
  }

  /** Ends the link with a peer that was chosen by this node itself; it isn't dialled again for it. */
  letGo(peer: Address, reason: string): void {
    this.#dialler.removeThoseOf(peer)
    this.#links.get(peer)?.close(reason)
  }

  /**
   * Ends the link with a peer, dials it no more, and doesn't take it back for a while.
   *
   * @returns undefined when it is neither linked nor dialled
   */
  remove(peer: Address): BanView | undefined {
    const link = this.#links.get(peer)
    const wasDialled = this.#dialler.removeThoseOf(peer)
    this.#sleepers.forget(peer)
    if (!link && !wasDialled) return undefined
    const ban = this.#conduct.ban(peer, removalMs, 'removed by the operator')
    link?.close(ban.reason)
    return { id: peer, ...ban }
  }

  /** Goes out with whatever else is said to this peer in this turn; to nobody if there is no link. */
  send(peer: Address, message: PeerMessage): void {
    this.sendEncoded(peer, encodeMessage(message))
  }

  /** As {@link send}, for a message that is encoded already. */
  sendEncoded(peer: Address, message: EncodedMessage): void {
    this.#links.get(peer)?.send(message)
  }

  /** Those that sleep are dialled again: there is something to say. */
  rouseSleepers(): void {
    this.#sleepers.rouse()
  }

  /**
   * As {@link rouseSleepers}, and tells those that have no link yet.
   *
   * @param messages - makes messages that prove themselves
   */
  tellSleepers(messages: () => readonly EncodedMessage[]): void {
    if (this.#sleepers.areThere) this.#sleepers.tell(messages())
  }

  /** What was wrong with something that a peer sent, as whoever looked at it sees it. */
  punish(peer: Address, fault: Fault, reason: string): void {
    const said = printable(reason, 200)
    if (fault === 'reject') this.#reject(peer, said)
    else this.#parts.log.debug('ignored what a peer sent', { peer, reason: said })
  }

  /** Those that are linked now. */
  get peers(): readonly Address[] {
    return [...this.#links.keys()]
  }

  /** What was dialled to reach a peer: plain requests may go there too. */
  urlOf(peer: Address): string | undefined {
    return this.#links.get(peer)?.url
  }

  views(): Omit<PeersView, 'known'> {
    return {
      peers: [...this.#links.values()].map((link) => link.view(this.#conduct.score(link.peer))),
      dialled: this.#dialler.views(),
      bans: this.#conduct.bans().map(([id, ban]) => ({ id, ...ban })),
    }
  }

  /** Ends all links and lets nobody in any more. */
  close(): void {
    this.#isClosed = true
    this.#dialler.close()
    this.#sleepers.close()
    for (const greeting of [...this.#strangers, ...this.#dialled]) greeting.refuse(shuttingDown)
    for (const link of [...this.#links.values()]) link.close(shuttingDown.detail)
  }

  #greet(wire: Wire, among: Set<Greeting>, urls: readonly string[], target?: Target): WireListener {
    const { signer, verifier, clock } = this.#parts
    const greeting = new Greeting({
      wire,
      terms: this.#terms(urls, target),
      signer,
      verifier,
      clock,
      onWelcome: (hello) => {
        among.delete(greeting)
        return this.#welcome(wire, hello, target)
      },
      onEnd: (end) => {
        among.delete(greeting)
        this.#notLinked(end, target)
      },
    })
    among.add(greeting)
    return greeting
  }

  #terms(urls: readonly string[], target: Target | undefined): HandshakeTerms {
    const { version, network, signer, random, allowed, sleeps } = this.#parts
    return {
      role: target ? 'dialler' : 'acceptor',
      version,
      ...(sleeps ? { sleeps } : {}),
      network,
      key: signer.address,
      nonce: encodeHex(random.bytes(32)) as Hash,
      origins: urls.map((url) => new URL(url).origin),
      ...(allowed ? { allowed } : {}),
      objection: (peer) => {
        if (target) this.#dialler.answered(target, peer)
        if (target?.expects && target.expects !== peer) return anotherKey
        return this.#objection(peer, directionOf(target))
      },
    }
  }

  #objection(peer: Address, direction: PeerView['direction']): Refusal | undefined {
    if (this.#isClosed) return shuttingDown
    const ban = this.#conduct.banOf(peer)
    if (ban) {
      const until = new Date(ban.until).toISOString()
      return { reason: 'banned', detail: `not taken until ${until}: ${ban.reason}` }
    }
    const existing = this.#links.get(peer)
    if (existing) return this.#givesWay(existing, direction) ? undefined : duplicate(existing, direction)
    return this.#hasRoom(direction)
      ? undefined
      : { reason: 'full', detail: 'this node has as many links as it takes' }
  }

  /**
   * Whether a new link takes the place of one with the same peer.
   *
   * Who dials again has lost the old one. When both dialled, both keep the one that the smaller address dialled.
   */
  #givesWay(existing: Link, direction: PeerView['direction']): boolean {
    if (existing.direction === direction) return direction === 'inbound'
    return (direction === 'outbound') === this.#parts.signer.address < existing.peer
  }

  #hasRoom(direction: PeerView['direction']): boolean {
    if (this.#links.size >= maxLinks) return false
    if (direction === 'outbound') return true
    const inbound = [...this.#links.values()].filter((link) => link.direction === 'inbound')
    return inbound.length < maxInboundLinks
  }

  /** Much may have changed since the hello. */
  #welcome(wire: Wire, hello: Hello, target: Target | undefined): Link | Refusal {
    const direction = directionOf(target)
    const refusal = this.#objection(hello.key, direction)
    if (refusal) return refusal
    this.#links.get(hello.key)?.close('a newer link took its place')
    const { clock, log, events } = this.#parts
    const peer = hello.key
    const link = new Link({
      hello,
      direction,
      ...(target ? { url: target.url } : {}),
      wire,
      clock,
      sent: this.sent,
      events: {
        onMessage: (message) => events.onMessage(peer, message),
        onFault: (reason) => this.punish(peer, 'reject', reason),
        onEnd: (reason) => this.#ended(link, hello, reason),
      },
    })
    this.#links.set(peer, link)
    this.#sleepers.forget(peer)
    if (target) this.#dialler.linked(target)
    log.info('linked with a peer', { ...nameOf(link), version: hello.version })
    events.onOpened(peer)
    return link
  }

  #ended(link: Link, { sleeps }: Hello, reason: string): void {
    const { clock, log, events } = this.#parts
    this.#links.delete(link.peer)
    log.info('a link is over', { ...nameOf(link), reason: printable(reason, 200) })
    events.onClosed(link.peer)
    const url = sleeps && this.#dialler.urlOf(link.peer)
    if (url !== undefined && !this.#isClosed) this.#sleepers.fellAsleep(link.peer, url)
    this.#dialler.unlinked(link.peer, clock.now() - link.since)
  }

  #reject(peer: Address, reason: string): void {
    const endsLink = this.#conduct.reject(peer, reason)
    this.#parts.log.warn('a peer misbehaves', { peer, reason, score: this.#conduct.score(peer) })
    if (endsLink) this.#links.get(peer)?.close(reason)
  }

  #notLinked({ by, reason, detail }: GreetingEnd, target: Target | undefined): void {
    const said = printable(detail, 300)
    const failure = `${by === 'us' ? 'refused' : 'was refused'} (${reason}): ${said}`
    if (target && reason === 'duplicate') this.#dialler.notNeeded(target)
    else if (target) this.#dialler.refused(target, failure, reason === 'self' ? selfRedialMs : 0)
    else this.#tellStranger(reason, failure)
  }

  /** Anybody may knock as often as they like: the log has an end. */
  #tellStranger(reason: GreetingEnd['reason'], failure: string): void {
    const { log, clock } = this.#parts
    const isRefusal = reason !== 'duplicate' && reason !== 'closed'
    const isTold = isRefusal && this.#toldRefusals.take(1, clock.now())
    log[isTold ? 'warn' : 'debug']('a peer that dialled was not linked', { failure })
  }
}

const anotherKey: Refusal = {
  reason: 'not-allowed',
  detail: 'another key answers here than the one that this URL was said to be of',
}

const shuttingDown: Refusal = { reason: 'shutting-down', detail: 'this node is shutting down' }

/** A peer that dials again although there is a link may have lost it without our noticing. */
const duplicate = (existing: Link, direction: PeerView['direction']): Refusal => {
  if (direction === 'inbound') existing.probe()
  return { reason: 'duplicate', detail: 'there is a link with this peer already' }
}

const directionOf = (target: Target | undefined): PeerView['direction'] => (target ? 'outbound' : 'inbound')

const nameOf = ({ peer, direction, url }: Link): LogDetails => ({
  peer,
  direction,
  ...(url === undefined ? {} : { url }),
})
