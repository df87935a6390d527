/**
 * Gossip: who is told what.
 *
 * In come links, what was heard over them and found good, and what this node says itself; out go messages to
 * peers. A pure machine: no clock, randomness, socket or storage, and nothing that is judged here: whoever says
 * something false is the shell's to deal with.
 *
 * - Each end of a link says where it stands, and whom else it is linked with, so that nobody passes on to a peer
 *   what that one hears itself (`link.ts`).
 * - Consensus messages go to peers in the same height only (`repeater.ts`). Who is behind needs blocks, not
 *   votes; once it has come to this height it is told all that is current.
 * - Transactions are announced, and pulled by who lacks them (`announcements.ts`, `requests.ts`).
 *
 * Nothing is assumed of deliveries, nor of a peer's memory. What a peer lacks is sent again on ticks, and who
 * doesn't move while there is something to agree on is taken to have forgotten all. While nothing happens,
 * nothing is said. What is kept is bounded (`limits.ts`).
 */
import { assert } from '../errors.ts'
import { maxNamedLinks } from '../messages/limits.ts'
import type { StatusMessage } from '../messages/peer-message.ts'
import { type Address, nextHeight } from '../units.ts'
import { Announcements } from './announcements.ts'
import type { Emit, GossipEffect } from './effect.ts'
import type { Current, GossipInput, Standing } from './input.ts'
import { Link } from './link.ts'
import { Repeater } from './repeater.ts'
import { Requests } from './requests.ts'

type InputOf<Kind extends GossipInput['kind']> = Extract<GossipInput, { kind: Kind }>

export class Gossip {
  #standing: Standing
  readonly #links = new Map<Address, Link>()
  readonly #effects: GossipEffect[] = []
  readonly #emit: Emit = (effect) => this.#effects.push(effect)
  readonly #repeater = new Repeater(this.#emit)
  readonly #announcements = new Announcements(this.#emit)
  readonly #requests = new Requests(this.#emit)

  constructor(standing: Standing) {
    this.#standing = standing
  }

  /** Same inputs, same effects. What is said of a peer without a link is of no effect. */
  step(input: GossipInput): readonly GossipEffect[] {
    this.#take(input)
    return this.#effects.splice(0)
  }

  /** Something is left for a tick, even if consensus is at rest. */
  get needsTicks(): boolean {
    if (!this.#requests.isEmpty) return true
    for (const { untold, answered } of this.#links.values()) {
      if (untold.length > 0 || answered.size > 0) return true
    }
    return false
  }

  #take(input: GossipInput): void {
    switch (input.kind) {
      case 'link-opened':
        this.#open(input.peer)
        break
      case 'moved':
        this.#move(input.standing)
        break
      case 'said':
        this.#pass(input)
        break
      case 'admitted':
        this.#requests.settle(input.hashes)
        this.#announcements.admitted(input.hashes, input.from, this.#links)
        break
      case 'departed':
        this.#requests.settle(input.hashes)
        this.#announcements.departed(input.hashes)
        break
      case 'lacking':
        this.#lack(input)
        break
      case 'tick':
        this.#tick(input.current)
        break
      default:
        this.#hear(input)
    }
  }

  /** What comes over a link. */
  #hear(input: InputOf<'link-closed' | 'status-heard' | 'announced' | 'wanted' | 'received'>): void {
    const link = this.#linkOf(input.peer)
    if (link === undefined) return
    switch (input.kind) {
      case 'link-closed':
        this.#close(link)
        break
      case 'status-heard':
        this.#hearStatus(link, input)
        break
      case 'announced':
        this.#requests.announced(this.#announcements.announced(input.hashes, link), link)
        break
      case 'wanted':
        this.#announcements.wanted(input.hashes, link)
        break
      case 'received':
        this.#announcements.received(input.hashes)
        this.#requests.settle(input.hashes, link)
    }
  }

  #open(peer: Address): void {
    assert(!this.#links.has(peer), 'a peer has one link')
    const link = new Link(peer)
    this.#links.set(peer, link)
    this.#tellAll()
    this.#announcements.tellAll(link)
  }

  #close(link: Link): void {
    this.#links.delete(link.peer)
    this.#tellAll()
    this.#requests.closed(link, this.#audience())
  }

  #move(standing: Standing): void {
    const { height, hash, round } = this.#standing
    if (height === standing.height && hash === standing.hash && round === standing.round) return
    this.#standing = standing
    if (height !== standing.height) this.#requests.forgetNeeds()
    this.#tellAll()
  }

  #hearStatus(link: Link, { status, current }: InputOf<'status-heard'>): void {
    const { height, round, links } = status
    const isNewHeight = link.height !== height
    if (isNewHeight || link.round !== round) link.stillTicks = 0
    link.height = height
    link.round = round
    link.neighbours = new Set(links)
    if (isNewHeight && height === this.#standing.height) this.#repeater.brief(link, current)
  }

  #pass(input: InputOf<'said'>): void {
    const { message, from } = input
    if (message.height !== nextHeight(this.#standing.height)) return
    this.#linkOf(from)?.remember(message)
    if (from === undefined) this.#repeater.publish(input, this.#audience())
    else this.#repeater.relay(input, this.#audience())
  }

  #lack({ hashes, from }: InputOf<'lacking'>): void {
    const bringer = this.#linkOf(from)
    const sources = bringer ? [bringer] : this.#audience()
    this.#requests.need(hashes, sources, (hash) => this.#announcements.isArriving(hash))
  }

  #tick(current: Current): void {
    if (current.recent().length > 0) this.#wakeThoseWhoStandStill()
    this.#repeater.repeat(this.#audience(), current)
    this.#announcements.tick(this.#links.values())
    this.#requests.tick(this.#audience())
  }

  #wakeThoseWhoStandStill(): void {
    for (const link of this.#links.values()) {
      if (!isTimeToForget(++link.stillTicks)) continue
      link.forget()
      this.#announcements.tellAll(link)
      this.#emit({ kind: 'send', peers: [link.peer], message: this.#status() })
    }
  }

  #linkOf(peer: Address | undefined): Link | undefined {
    return peer && this.#links.get(peer)
  }

  /** Links to peers in the same height. */
  #audience(): readonly Link[] {
    return [...this.#links.values()].filter(({ height }) => height === this.#standing.height)
  }

  #status(): StatusMessage {
    const links = [...this.#links.keys()].slice(0, maxNamedLinks)
    return { kind: 'status', ...this.#standing, links }
  }

  #tellAll(): void {
    const peers = [...this.#links.keys()]
    if (peers.length > 0) this.#emit({ kind: 'send', peers, message: this.#status() })
  }
}

/** Seldomer with time, so that a network without a quorum doesn't repeat all that it has for ever. */
const isTimeToForget = (stillTicks: number): boolean =>
  stillTicks === 8 || stillTicks === 16 || stillTicks === 32 || stillTicks % 64 === 0
