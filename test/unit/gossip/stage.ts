/** One gossip machine at height 0 on a stage; its peers `b` to `g` are played by the test. */
import type { GossipEffect } from '../../../src/gossip/effect.ts'
import { Gossip } from '../../../src/gossip/gossip.ts'
import type { Current, GossipInput } from '../../../src/gossip/input.ts'
import type { CompactBlock, PeerMessage } from '../../../src/messages/peer-message.ts'
import type { Verified } from '../../../src/objects/verified.ts'
import type { ConsensusMessage } from '../../../src/objects/vote.ts'
import {
  type Address,
  height as asHeight,
  round as asRound,
  type BlockHash,
  type Hash,
} from '../../../src/units.ts'
import { addresses, block, brief, network, sign } from '../consensus/actor.ts'

const names = 'abcdefg'
/** By its name of one letter; `a` is the machine itself. */
export const peer = (name: string): Address => addresses[names.indexOf(name)]!
const nameOf = (address: Address): string => names[addresses.indexOf(address)]!

/** Transactions by number. */
export const hash = (number: number): Hash => number.toString(16).padStart(64, '0') as Hash
export const hashes = (first: number, last = first): readonly Hash[] =>
  Array.from({ length: last - first + 1 }, (_, at) => hash(first + at))

/** Gossip doesn't look inside. */
const someBlock = { transactions: [] } as unknown as CompactBlock

export const vote = (validator: string, { height = 1, round = 0 } = {}): Verified<ConsensusMessage> =>
  sign({
    kind: 'prevote',
    network,
    height: asHeight(height),
    round: asRound(round),
    block: block('A'),
    validator: peer(validator),
  })

export const proposal = (validator: string): Verified<ConsensusMessage> =>
  sign({
    kind: 'proposal',
    network,
    height: asHeight(1),
    round: asRound(0),
    block: block('A'),
    validator: peer(validator),
  })

export const standing = (height: number, round = 0) => ({
  height: asHeight(height),
  hash: hash(height) as BlockHash,
  round: asRound(round),
  oldest: asHeight(1),
})

interface Status {
  readonly height?: number
  readonly round?: number
  /** Names of peers. */
  readonly links?: string
}

export class Stage {
  readonly gossip = new Gossip(standing(0))
  /** What consensus wants everybody to have. */
  recent: readonly Verified<ConsensusMessage>[] = []
  hasBlock = true

  /** @returns what was sent, written short: `b: status 0/0 bc`, `b: want 1-3`, `c: push 1`, `c: prevote 0 A of b` */
  give(input: GossipInput): readonly string[] {
    return this.gossip.step(input).flatMap(write)
  }

  /** Opens links with peers at height 0 that have no other links. */
  open(peers: string): void {
    for (const name of peers) {
      this.give({ kind: 'link-opened', peer: peer(name) })
      this.hearStatus(name)
    }
  }

  close(name: string): readonly string[] {
    return this.give({ kind: 'link-closed', peer: peer(name) })
  }

  hearStatus(name: string, { height = 0, round = 0, links = 'a' }: Status = {}): readonly string[] {
    const status = { kind: 'status', ...standing(height, round), links: [...links].map(peer) } as const
    return this.give({ kind: 'status-heard', peer: peer(name), status, current: this.#current() })
  }

  say(message: Verified<ConsensusMessage>, from?: string): readonly string[] {
    return this.give({
      kind: 'said',
      message,
      ...(message.kind === 'proposal' && { block: someBlock }),
      ...(from && { from: peer(from) }),
    })
  }

  move(height: number, round = 0): readonly string[] {
    return this.give({ kind: 'moved', standing: standing(height, round) })
  }

  admit(admitted: readonly Hash[], from?: string): readonly string[] {
    return this.give({ kind: 'admitted', hashes: admitted, ...(from && { from: peer(from) }) })
  }

  depart(departed: readonly Hash[]): readonly string[] {
    return this.give({ kind: 'departed', hashes: departed })
  }

  announce(name: string, announced: readonly Hash[]): readonly string[] {
    return this.give({ kind: 'announced', peer: peer(name), hashes: announced })
  }

  want(name: string, wanted: readonly Hash[]): readonly string[] {
    return this.give({ kind: 'wanted', peer: peer(name), hashes: wanted })
  }

  receive(name: string, received: readonly Hash[]): readonly string[] {
    return this.give({ kind: 'received', peer: peer(name), hashes: received })
  }

  lack(lacking: readonly Hash[], from?: string): readonly string[] {
    return this.give({ kind: 'lacking', hashes: lacking, ...(from && { from: peer(from) }) })
  }

  tick(times = 1): readonly string[] {
    const all: string[] = []
    for (let at = 0; at < times; at++) all.push(...this.give({ kind: 'tick', current: this.#current() }))
    return all
  }

  #current(): Current {
    return { recent: () => this.recent, blockOf: () => (this.hasBlock ? someBlock : undefined) }
  }
}

const write = (effect: GossipEffect): readonly string[] => {
  const what = effect.kind === 'push' ? `push ${writeHashes(effect.hashes)}` : writeMessage(effect.message)
  return effect.peers.map((each) => `${nameOf(each)}: ${what}`)
}

const writeMessage = (message: PeerMessage): string => {
  switch (message.kind) {
    case 'status':
      return `status ${message.height}/${message.round} ${message.links.map(nameOf).join('')}`
    case 'vote':
      return `${brief(message.vote)} of ${nameOf(message.vote.validator)}`
    case 'proposal':
      return `${brief(message.proposal)} of ${nameOf(message.proposal.validator)}`
    case 'transactions':
    case 'cards':
      throw new Error(`${message.kind} are the business of the shell`)
    default:
      return `${message.kind} ${writeHashes(message.hashes)}`
  }
}

/** Runs of numbers: `1-3,7`. */
const writeHashes = (all: readonly Hash[]): string => {
  const runs: [number, number][] = []
  for (const number of all.map((each) => Number.parseInt(each, 16))) {
    const last = runs.at(-1)
    if (last && last[1] + 1 === number) last[1] = number
    else runs.push([number, number])
  }
  return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join()
}
