/** The ledger that a node starts with: the one that is there, or the beginning of the network that was chosen. */
import { TautlineError } from '../errors.ts'
import { networkOf } from '../ledger/genesis.ts'
import { readArrival } from '../node/arrival-record.ts'
import { Chain } from '../node/chain.ts'
import { networkOfOne } from '../node/network-of-one.ts'
import { readSignRecord } from '../node/sign-record.ts'
import { joinBySnapshot } from '../node/snapshot-join/snapshot-join.ts'
import type { Genesis } from '../objects/genesis.ts'
import type { BlockPin, JoinString } from '../objects/join-string.ts'
import type { Verifier } from '../ports/keys.ts'
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
  | {
      readonly kind: 'join'
      readonly joins: readonly JoinString[]
      /** From a recent state, without the blocks before it. */
      readonly bySnapshot?: boolean
    }

export interface OpenChainParts {
  readonly store: ObjectStore
  /** Where this node's own things lie, for the operator. */
  readonly place: string
  /** The genesis that lies there for an empty ledger to begin with. */
  readonly readGenesis: () => Promise<Genesis | undefined>
  readonly identity: Identity
  readonly network: NetworkChoice
  /** Asks for the genesis of a network to be joined, and for a snapshot. */
  readonly transport: Pick<Transport, 'request'>
  readonly verifier: Verifier
  /** URLs of nodes of the network, beside those of join strings. */
  readonly peers: readonly string[]
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
  const arrival = await readArrival(store)
  if (arrival) requireJoin(place, arrival.network, network)
  const chain = arrival ? undefined : await Chain.open(store, log)
  if (chain) {
    requireSameNetwork(place, chain.network, chosenNetwork(network))
    return { chain, beginning: 'found' }
  }
  const { genesis, isMade } = await firstGenesis(parts)
  await requireUnsignedElsewhere(parts.identity, networkOf(genesis))
  const arrived = await arriveBySnapshot(parts, genesis)
  if (arrived) return { chain: arrived, beginning: 'joined' }
  return { chain: await Chain.create(store, genesis), beginning: isMade ? 'made' : 'joined' }
}

/** @returns undefined when the ledger is to begin at its genesis */
const arriveBySnapshot = async (
  { network, pin, ...parts }: OpenChainParts,
  genesis: Genesis,
): Promise<Chain | undefined> => {
  if (network.kind !== 'join' || !network.bySnapshot) return undefined
  const chain = await joinBySnapshot({
    ...parts,
    genesis,
    network: networkOf(genesis),
    urls: [...new Set([...network.joins.map(({ url }) => url), ...parts.peers])],
    pin,
    clock: systemClock,
  })
  if (!chain) parts.log.info('there is no snapshot yet, so all blocks are fetched')
  return chain
}

/** Half a ledger can only be made whole in the way in which it was begun. */
const requireJoin = (place: string, arriving: NetworkId, choice: NetworkChoice): void => {
  if (choice.kind === 'join' && choice.bySnapshot && choice.joins[0]!.network === arriving) return
  throw new TautlineError(
    'bad-configuration',
    `the ledger in ${place} was joining network ${arriving} by a snapshot and is not whole: start with --join and --snapshot as before, or in an empty folder`,
    { place },
  )
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
