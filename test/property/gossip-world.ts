/**
 * A few gossip machines and the links between them. A link loses what it likes, except statuses; when it breaks
 * all is lost that is under way, and its ends notice one after the other. The shells around the machines take
 * what they hear for good, and answer requests. What must never happen is looked for at every step.
 */

import { assert } from '../../src/errors.ts'
import type { GossipEffect } from '../../src/gossip/effect.ts'
import { Gossip } from '../../src/gossip/gossip.ts'
import type { Current, GossipInput } from '../../src/gossip/input.ts'
import { blockPatienceTicks } from '../../src/gossip/limits.ts'
import type { CompactBlock, PeerMessage, TransactionsMessage } from '../../src/messages/peer-message.ts'
import { type Verified, verified } from '../../src/objects/verified.ts'
import type { ConsensusMessage } from '../../src/objects/vote.ts'
import {
  type Address,
  height as asHeight,
  round as asRound,
  type BlockHash,
  type Hash,
  type Height,
  type Signature,
} from '../../src/units.ts'
import { addresses, network, sign } from '../unit/consensus/actor.ts'

/** Texts travel as the hashes of their transactions. */
type Parcel = Exclude<PeerMessage, TransactionsMessage> | { kind: 'transactions'; hashes: readonly Hash[] }

/** Two places in {@link GossipWorld.nodes}. */
export type Edge = readonly [number, number]

export class Node {
  readonly key: Address
  gossip: Gossip
  height = asHeight(0)
  /** Peers that it believes to be linked with. */
  readonly open = new Set<Node>()
  readonly mempool = new Set<Hash>()
  ticks = 0
  /** Whom it asks for a transaction, and since which tick. */
  readonly asked = new Map<Hash, { readonly peer: Node; readonly tick: number }>()
  /** Messages of the present height. */
  messages = new Map<Signature, Verified<ConsensusMessage>>()

  constructor(key: Address) {
    this.key = key
    this.gossip = new Gossip(this.standing())
  }

  standing() {
    return { height: this.height, hash: blockAt(this.height), round: asRound(0), oldest: asHeight(1) }
  }
}

const blockAt = (height: Height): BlockHash => height.toString(16).padStart(64, '0') as BlockHash
const hashOf = (number: number): Hash => number.toString(16).padStart(64, 'f') as Hash

export class GossipWorld {
  readonly nodes: readonly Node[]
  readonly #edges: readonly Edge[]
  /** What is under way, by the node that sent it and the one that it goes to. */
  readonly #lines = new Map<string, { from: Node; to: Node; parcels: Parcel[] }>()
  /** How often a text or consensus message was put on the link between two nodes, in either direction. */
  readonly carried = new Map<string, number>()
  /** How often a text was sent to a node. */
  readonly texts = new Map<string, number>()
  /** Messages of all kinds. */
  sent = 0
  #made = 0

  constructor(size: number, edges: readonly Edge[]) {
    this.nodes = addresses.slice(0, size).map((key) => new Node(key))
    this.#edges = edges
    for (const edge of edges) this.open(edge)
    this.settle()
  }

  open([a, b]: Edge): void {
    const [one, other] = [this.nodes[a]!, this.nodes[b]!]
    if (one.open.has(other) || other.open.has(one)) return
    one.open.add(other)
    other.open.add(one)
    this.#give(one, { kind: 'link-opened', peer: other.key })
    this.#give(other, { kind: 'link-opened', peer: one.key })
  }

  /** Only the first end notices. */
  break([a, b]: Edge): void {
    const [one, other] = [this.nodes[a]!, this.nodes[b]!]
    this.#line(one, other).parcels.length = 0
    this.#line(other, one).parcels.length = 0
    this.#notice(one, other)
  }

  /** Both ends know that the link is broken. */
  notice(edge: Edge): void {
    const [one, other] = [this.nodes[edge[0]]!, this.nodes[edge[1]]!]
    if (one.open.has(other) && other.open.has(one)) return
    this.#notice(one, other)
    this.#notice(other, one)
  }

  /** All is lost but what its own key has said. */
  restart(place: number): void {
    const node = this.nodes[place]!
    for (const edge of this.#edges.filter((ends) => ends.includes(place))) {
      this.break(edge)
      this.notice(edge)
    }
    node.mempool.clear()
    node.asked.clear()
    for (const [signature, { validator }] of node.messages) {
      if (validator !== node.key) node.messages.delete(signature)
    }
    node.gossip = new Gossip(node.standing())
  }

  submit(place: number): Hash {
    const hash = hashOf(++this.#made)
    this.#admit(this.nodes[place]!, [hash])
    return hash
  }

  /** A proposal that came to the node names this. */
  lack(place: number, hash: Hash): void {
    const node = this.nodes[place]!
    const [bringer] = node.open
    if (node.mempool.has(hash)) return
    this.#give(node, { kind: 'lacking', hashes: [hash], ...(bringer && { from: bringer.key }) })
  }

  /** The node announces what will exist later, if at all. */
  lie(place: number, count: number): void {
    const node = this.nodes[place]!
    const hashes = Array.from({ length: count }, (_, at) => hashOf(this.#made + 1 + at))
    for (const peer of node.open) this.#send(node, peer, { kind: 'announce', hashes })
  }

  /** One message that is under way is lost. */
  lose(choice: number): void {
    const busy = this.#busy().filter(({ parcels }) => parcels[0]!.kind !== 'status')
    if (busy.length > 0) busy[choice % busy.length]!.parcels.shift()
  }

  depart(hash: Hash): void {
    for (const node of this.nodes) {
      node.mempool.delete(hash)
      this.#give(node, { kind: 'departed', hashes: [hash] })
    }
  }

  /** The node says something new in its present height; the rounds tell its votes apart. */
  say(place: number, kind: ConsensusMessage['kind'] = 'prevote'): Verified<ConsensusMessage> {
    const node = this.nodes[place]!
    const at = { network, height: asHeight(node.height + 1), round: asRound(++this.#made) }
    const message = sign({ kind, ...at, block: blockAt(asHeight(99)), validator: node.key })
    node.messages.set(message.signature, message)
    this.#give(node, said(message))
    return message
  }

  /** The node has a new head, one block further. */
  climb(place: number): void {
    const node = this.nodes[place]!
    node.height = asHeight(node.height + 1)
    node.messages = new Map()
    this.#give(node, { kind: 'moved', standing: node.standing() })
  }

  tick(place: number): void {
    const node = this.nodes[place]!
    node.ticks++
    this.#give(node, { kind: 'tick', current: currentOf(node) })
  }

  /** Delivers one message; which of the lines moves is the caller's choice. */
  deliver(choice: number): boolean {
    const busy = this.#busy()
    if (busy.length === 0) return false
    const { from, to, parcels } = busy[choice % busy.length]!
    this.#hear(to, from, parcels.shift()!)
    return true
  }

  /** Delivers all that is under way, and what follows from it. */
  settle(): void {
    for (let at = 0; this.deliver(at); at++);
  }

  tickAll(): void {
    for (const place of this.nodes.keys()) {
      this.tick(place)
      this.settle()
    }
  }

  /** All links are whole, and everybody has climbed to the top. */
  heal(): void {
    for (const edge of this.#edges) {
      this.notice(edge)
      this.open(edge)
    }
    const top = Math.max(...this.nodes.map(({ height }) => height))
    for (const [place, node] of this.nodes.entries()) while (node.height < top) this.climb(place)
    this.settle()
  }

  #busy() {
    return [...this.#lines.values()].filter(({ parcels }) => parcels.length > 0)
  }

  #notice(node: Node, peer: Node): void {
    if (!node.open.delete(peer)) return
    for (const [hash, asked] of node.asked) if (asked.peer === peer) node.asked.delete(hash)
    this.#give(node, { kind: 'link-closed', peer: peer.key })
  }

  #give(node: Node, input: GossipInput): void {
    for (const effect of node.gossip.step(input)) this.#carry(node, effect)
  }

  #carry(from: Node, effect: GossipEffect): void {
    for (const to of this.nodes.filter(({ key }) => effect.peers.includes(key))) {
      if (effect.kind === 'send') this.#send(from, to, effect.message as Parcel)
      else this.#push(from, to, effect.hashes)
    }
  }

  #send(from: Node, to: Node, parcel: Parcel): void {
    this.sent++
    this.#count(from, to, parcel)
    if (parcel.kind === 'want') this.#ask(from, to, parcel.hashes)
    if (from.open.has(to) && to.open.has(from)) this.#line(from, to).parcels.push(parcel)
  }

  #count(from: Node, to: Node, parcel: Parcel): void {
    const link = [from.key, to.key].sort().join()
    if (parcel.kind === 'vote') add(this.carried, `${link} ${parcel.vote.signature}`)
    if (parcel.kind === 'proposal') add(this.carried, `${link} ${parcel.proposal.signature}`)
    if (parcel.kind === 'transactions') {
      for (const hash of parcel.hashes) add(this.texts, `${to.key} ${hash}`)
    }
  }

  /** Nobody is asked for what another is asked for, unless that one's link is over or its time has passed. */
  #ask(node: Node, peer: Node, hashes: readonly Hash[]): void {
    for (const hash of hashes) {
      const before = node.asked.get(hash)
      const isOver = !before || node.ticks - before.tick > blockPatienceTicks
      assert(
        isOver && !node.mempool.has(hash),
        'a transaction is asked of one peer at a time, and until it is here',
      )
      node.asked.set(hash, { peer, tick: node.ticks })
    }
  }

  #hear(node: Node, { key: peer }: Node, parcel: Parcel): void {
    switch (parcel.kind) {
      case 'status':
        this.#give(node, { kind: 'status-heard', peer, status: parcel, current: currentOf(node) })
        break
      case 'vote':
        this.#hearMessage(node, peer, verified(parcel.vote))
        break
      case 'proposal':
        this.#hearMessage(node, peer, verified(parcel.proposal))
        break
      case 'announce':
        this.#give(node, { kind: 'announced', peer, hashes: parcel.hashes })
        break
      case 'want':
        this.#give(node, { kind: 'wanted', peer, hashes: parcel.hashes })
        break
      case 'transactions':
        this.#give(node, { kind: 'received', peer, hashes: parcel.hashes })
        this.#admit(
          node,
          parcel.hashes.filter((hash) => !node.mempool.has(hash)),
          peer,
        )
    }
  }

  #hearMessage(node: Node, from: Address, message: Verified<ConsensusMessage>): void {
    if (message.height !== node.height + 1) return
    node.messages.set(message.signature, message)
    this.#give(node, { ...said(message), from })
  }

  #push(from: Node, to: Node, all: readonly Hash[]): void {
    const hashes = all.filter((hash) => from.mempool.has(hash))
    if (hashes.length > 0) this.#send(from, to, { kind: 'transactions', hashes })
  }

  #admit(node: Node, hashes: readonly Hash[], from?: Address): void {
    if (hashes.length === 0) return
    for (const hash of hashes) {
      node.mempool.add(hash)
      node.asked.delete(hash)
    }
    this.#give(node, { kind: 'admitted', hashes, ...(from && { from }) })
  }

  #line(from: Node, to: Node) {
    const name = `${from.key} ${to.key}`
    const line = this.#lines.get(name) ?? { from, to, parcels: [] }
    this.#lines.set(name, line)
    return line
  }
}

const add = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

/** Gossip doesn't look inside. */
const anyBlock = {} as CompactBlock

const said = (message: Verified<ConsensusMessage>): Extract<GossipInput, { kind: 'said' }> => ({
  kind: 'said',
  message,
  ...(message.kind === 'proposal' && { block: anyBlock }),
})

const currentOf = (node: Node): Current => ({
  recent: () => [...node.messages.values()],
  blockOf: () => anyBlock,
})

/** Everybody with everybody. */
export const mesh = (size: number): readonly Edge[] =>
  range(size).flatMap((a) => range(a).map((b): Edge => [a, b]))
export const ring = (size: number): readonly Edge[] => range(size).map((a): Edge => [a, (a + 1) % size])
export const star = (size: number): readonly Edge[] => range(size - 1).map((a): Edge => [0, a + 1])
export const line = (size: number): readonly Edge[] => range(size - 1).map((a): Edge => [a, a + 1])

const range = (size: number): number[] => Array.from({ length: size }, (_, at) => at)
