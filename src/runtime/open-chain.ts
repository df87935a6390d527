/** The ledger that a node starts with: the one that is there, or the beginning of the network that was chosen. */
import { TautlineError } from '../errors.ts'
import { networkOf } from '../ledger/genesis.ts'
import { Chain } from '../node/chain.ts'
import { networkOfOne } from '../node/network-of-one.ts'
import { readSignRecord } from '../node/sign-record.ts'
import type { Genesis } from '../objects/genesis.ts'
import type { BlockPin, JoinString } from '../objects/join-string.ts'
import type { Log } from '../ports/log.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import type { Transport } from '../ports/transport.ts'
import type { NetworkId } from '../units.ts'
import { systemClock } from './clock.ts'
import type { Identity } from './identity.ts'
import { joinNetwork } from './join-network.ts'

/** The network of the folder, or where there is none a new network of one; one of a genesis; one to be joined. */
export type NetworkChoice =
  | { readonly kind: 'own'; readonly name: string }
  | { readonly kind: 'genesis'; readonly genesis: Genesis }
  | { readonly kind: 'join'; readonly joins: readonly JoinString[] }

export interface OpenChainParts {
  readonly store: ObjectStore
  /** Where this node's own things lie, for the operator. */
  readonly place: string
  /** The genesis that lies there for an empty ledger to begin with. */
  readonly readGenesis: () => Promise<Genesis | undefined>
  readonly identity: Identity
  readonly network: NetworkChoice
  /** Asks for the genesis of a network to be joined. */
  readonly transport: Pick<Transport, 'request'>
  /** A block that the chain must contain. */
  readonly pin: BlockPin | undefined
  readonly log: Log
}

/** There was a ledger, or this start made a network, or it came into one that others know too. */
export type Beginning = 'found' | 'made' | 'joined'

export interface OpenedChain {
  readonly chain: Chain
  readonly beginning: Beginning
}

/** @throws TautlineError `bad-configuration` when the folder is of another network than was chosen */
export const openChain = async (parts: OpenChainParts): Promise<OpenedChain> => {
  const opened = await openOrBegin(parts)
  if (parts.pin) await opened.chain.requireBlock(parts.pin)
  return opened
}

const openOrBegin = async (parts: OpenChainParts): Promise<OpenedChain> => {
  const { store, place, network, log } = parts
  const chain = await Chain.open(store, log)
  if (chain) {
    requireSameNetwork(place, chain.network, chosenNetwork(network))
    return { chain, beginning: 'found' }
  }
  const { genesis, isMade } = await firstGenesis(parts)
  await requireUnsignedElsewhere(parts.identity, networkOf(genesis))
  return { chain: await Chain.create(store, genesis), beginning: isMade ? 'made' : 'joined' }
}

const chosenNetwork = (choice: NetworkChoice): NetworkId | undefined => {
  switch (choice.kind) {
    case 'own':
      return undefined
    case 'genesis':
      return networkOf(choice.genesis)
    case 'join':
      return choice.joins[0]!.network
  }
}

const requireSameNetwork = (place: string, found: NetworkId, chosen: NetworkId | undefined): void => {
  if (chosen === undefined || chosen === found) return
  throw new TautlineError(
    'bad-configuration',
    `the ledger in ${place} is of network ${found}, and this start is to be of ${chosen}: choose another folder with --data`,
    { path: place },
  )
}

const firstGenesis = async ({
  readGenesis,
  identity,
  network,
  transport,
  log,
}: OpenChainParts): Promise<{ genesis: Genesis; isMade: boolean }> => {
  if (network.kind === 'genesis') return { genesis: network.genesis, isMade: false }
  if (network.kind === 'join') {
    const parts = { joins: network.joins, transport, clock: systemClock, log }
    return { genesis: await joinNetwork(parts), isMade: false }
  }
  const genesis = await readGenesis()
  if (genesis) return { genesis, isMade: false }
  const { address } = identity.signer
  return { genesis: networkOfOne(address, network.name, systemClock.now()), isMade: true }
}

/** Its own network may begin anew and be synced again: the sign record holds the key back until then. */
const requireUnsignedElsewhere = async ({ records }: Identity, network: NetworkId): Promise<void> => {
  const signed = (await readSignRecord(records))?.signed
  if (signed === undefined || signed.network === network) return
  throw new TautlineError(
    'damaged-folder',
    `the key of this folder has signed block ${signed.height} of network ${signed.network}, and the ledger is gone: ` +
      'restore a backup, or start in an empty folder for another network',
  )
}
