/**
 * A node from what a runtime has for it: its ledger opened or begun, its machines started, its links dialling.
 *
 * In: a runtime's store, identity, verifier and transport, and what the operator chose. Out: a node that has
 * recovered; its doors are the runtime's to open.
 */
import type { DiscoveryChoices } from '../node/discovery/discovery.ts'
import { Node } from '../node/node.ts'
import type { Keep } from '../node/pruner.ts'
import { freshSignRecord, readSignRecord, writeSignRecord } from '../node/sign-record.ts'
import type { BlockPin } from '../objects/join-string.ts'
import type { Verifier } from '../ports/keys.ts'
import type { Log } from '../ports/log.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import type { Transport } from '../ports/transport.ts'
import type { Address } from '../units.ts'
import { systemClock } from './clock.ts'
import type { Identity } from './identity.ts'
import { type Beginning, type NetworkChoice, type OpenChainParts, openChain } from './open-chain.ts'
import { systemRandom } from './random.ts'

/** What the operator chooses, on any runtime. */
export interface NodeChoices {
  /** What an empty store becomes part of; one that has a ledger must be of it. */
  readonly network: NetworkChoice
  /** A block that the chain must contain. */
  readonly pin: BlockPin | undefined
  /** URLs of nodes of the same network to dial. */
  readonly peers: readonly string[]
  /** The only node keys that are linked; absent: all. */
  readonly allowPeers?: readonly Address[]
  /** How many of the blocks stay in the ledger; absent: all. */
  readonly keep?: Keep
  /** Lets a key sign that has no record of what it signed before. */
  readonly withoutSignRecord: boolean
  readonly log: Log
  /** The node decides nothing any more, and should be stopped. */
  readonly onHalt: (error: unknown) => void
}

export interface StartNodeParts extends NodeChoices, Pick<OpenChainParts, 'place' | 'readGenesis'> {
  readonly version: string
  /** Closed with the node, or when it can't start. */
  readonly store: ObjectStore
  readonly identity: Identity
  readonly verifier: Verifier
  readonly transport: Transport
  /** Under which others reach this node; the first one is shown to them. */
  readonly urls: () => readonly string[]
  /** Peers are to leave it alone while nothing happens, and to wake it by POST. */
  readonly sleeps?: boolean
  /** How it finds peers beside those that it was given; absent: not at all. */
  readonly discovery?: DiscoveryChoices
  /** Called when this start has come into a network that others know too. */
  readonly onJoined?: () => Promise<void>
}

export interface StartedNode {
  readonly node: Node
  readonly beginning: Beginning
}

/** @throws TautlineError with a sentence for the operator */
export const startNode = async (parts: StartNodeParts): Promise<StartedNode> => {
  try {
    return await start(parts)
  } catch (error) {
    await parts.store.close()
    throw error
  }
}

const start = async (parts: StartNodeParts): Promise<StartedNode> => {
  const { identity, allowPeers } = parts
  if (parts.withoutSignRecord) await makeMissingRecord(identity)
  const { chain, beginning } = await openChain(parts)
  if (beginning === 'joined') await parts.onJoined?.()
  const node = await Node.start({
    ...parts,
    ...identity,
    chain,
    clock: systemClock,
    random: systemRandom,
    ...(allowPeers && { allowedPeers: new Set(allowPeers) }),
  })
  return { node, beginning }
}

const makeMissingRecord = async ({ records }: Identity): Promise<void> => {
  if ((await readSignRecord(records)) === undefined) await writeSignRecord(records, freshSignRecord)
}
