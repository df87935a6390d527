/** The ledger that a node starts with: the one that is there, or the beginning of the network that was chosen. */
import { join } from 'node:path'
import { TautlineError } from '../../errors.ts'
import { networkOf } from '../../ledger/genesis.ts'
import { Chain } from '../../node/chain.ts'
import { networkOfOne } from '../../node/network-of-one.ts'
import { readSignRecord } from '../../node/sign-record.ts'
import type { Genesis } from '../../objects/genesis.ts'
import type { Log } from '../../ports/log.ts'
import type { ObjectStore } from '../../ports/object-store.ts'
import type { NetworkId } from '../../units.ts'
import { systemClock } from './clock.ts'
import type { DataFolder } from './data-folder.ts'
import { genesisFileName, parseGenesis } from './genesis-file.ts'
import type { Identity } from './identity.ts'

export type NetworkChoice =
  /** That of the folder; where there is none, a new network of one. */
  { readonly kind: 'own'; readonly name: string } | { readonly kind: 'genesis'; readonly genesis: Genesis }

export interface OpenChainParts {
  readonly store: ObjectStore
  readonly folder: DataFolder
  readonly identity: Identity
  readonly network: NetworkChoice
  readonly log: Log
}

export interface OpenedChain {
  readonly chain: Chain
  /** There was a ledger, or this start made a network, or it came into one that others know too. */
  readonly beginning: 'found' | 'made' | 'joined'
}

/** @throws TautlineError `bad-configuration` when the folder is of another network than was chosen */
export const openChain = async (parts: OpenChainParts): Promise<OpenedChain> => {
  const { store, folder, network, log } = parts
  const chain = await Chain.open(store, log)
  if (chain) {
    requireSameNetwork(folder.path, chain.network, chosenNetwork(network))
    return { chain, beginning: 'found' }
  }
  const { genesis, isMade } = await firstGenesis(parts)
  await requireUnsignedElsewhere(parts.identity, networkOf(genesis))
  return { chain: await Chain.create(store, genesis), beginning: isMade ? 'made' : 'joined' }
}

const chosenNetwork = (choice: NetworkChoice): NetworkId | undefined =>
  choice.kind === 'genesis' ? networkOf(choice.genesis) : undefined

const requireSameNetwork = (path: string, found: NetworkId, chosen: NetworkId | undefined): void => {
  if (chosen === undefined || chosen === found) return
  throw new TautlineError(
    'bad-configuration',
    `the ledger in ${path} is of network ${found}, and this start is to be of ${chosen}: choose another folder with --data`,
    { path },
  )
}

const firstGenesis = async ({
  folder,
  identity,
  network,
}: OpenChainParts): Promise<{ genesis: Genesis; isMade: boolean }> => {
  if (network.kind === 'genesis') return { genesis: network.genesis, isMade: false }
  const text = await folder.readFile('genesis.json')
  if (text !== undefined)
    return { genesis: parseGenesis(text, join(folder.path, genesisFileName)), isMade: false }
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
