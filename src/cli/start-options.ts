/** How a node starts: by its flags, then by what its folder and the files of its network say, then as usual. */

import { TautlineError } from '../errors.ts'
import type { Keep } from '../node/pruner.ts'
import type { BlockPin, JoinString } from '../objects/join-string.ts'
import { readDataFile } from '../runtime/node/data-folder.ts'
import { type FolderConfig, readFolderConfig } from '../runtime/node/folder-config.ts'
import { type Member, readGenesisFile, readMembersBeside } from '../runtime/node/genesis-file.ts'
import { createNodeSigner } from '../runtime/node/keys.ts'
import type { StartOptions } from '../runtime/node/start.ts'
import type { NetworkChoice } from '../runtime/open-chain.ts'
import { readSecretKey } from '../runtime/secret-key.ts'
import type { Address } from '../units.ts'
import { defaultHost, defaultPort } from './flags.ts'
import { readPassphraseFile } from './read-passphrase.ts'
import { readTokenFile } from './read-token.ts'

export interface StartFlags {
  readonly data: string
  readonly host?: string
  readonly port?: number
  readonly url?: readonly string[]
  readonly peer?: readonly string[]
  readonly genesis?: string
  readonly join?: readonly JoinString[]
  readonly snapshot?: boolean
  readonly allowPeers?: readonly Address[]
  readonly readToken?: string
  readonly keep?: Keep
  readonly discovery?: boolean
  readonly allowPrivate?: boolean
  readonly connectionsPassphrase?: string
  readonly storage: string
  readonly name: string
  readonly withoutSignRecord?: boolean
}

/** @throws TautlineError `bad-configuration` for a file that is not as expected */
export const startOptions = async (flags: StartFlags): Promise<Omit<StartOptions, 'log' | 'onHalt'>> => {
  const { data, storage } = flags
  const config = await readFolderConfig(data)
  const { own, others } = await membersFor(flags)
  return {
    dataFolder: data,
    host: flags.host ?? config.host ?? defaultHost,
    port: flags.port ?? config.port ?? defaultPort,
    urls: flags.url ?? config.urls ?? own,
    peers: [...new Set([...joinedUrls(flags), ...(flags.peer ?? []), ...(config.peers ?? []), ...others])],
    network: await chosenNetwork(flags),
    pin: highestPin(flags, config),
    ...(flags.allowPeers && { allowPeers: flags.allowPeers }),
    ...(flags.keep && { keep: flags.keep }),
    ...(flags.readToken !== undefined && { readToken: await readTokenFile(flags.readToken) }),
    ...(flags.connectionsPassphrase !== undefined && {
      connectionsPassphrase: await readPassphraseFile(flags.connectionsPassphrase),
    }),
    storage,
    discovers: discoversOf(flags),
    withoutSignRecord: flags.withoutSignRecord ?? false,
  }
}

const discoversOf = ({ discovery = true, allowPrivate = false }: StartFlags): StartOptions['discovers'] => {
  if (!discovery) return 'nothing'
  return allowPrivate ? 'private' : 'public'
}

const chosenNetwork = async ({
  join,
  snapshot = false,
  genesis,
  name,
}: StartFlags): Promise<NetworkChoice> => {
  if (join) return { kind: 'join', joins: requireOneNetwork(join), bySnapshot: snapshot }
  if (genesis !== undefined) return { kind: 'genesis', genesis: await readGenesisFile(genesis) }
  return { kind: 'own', name }
}

const requireOneNetwork = (joins: readonly JoinString[]): readonly JoinString[] => {
  const other = joins.find(({ network }) => network !== joins[0]!.network)
  if (other === undefined) return joins
  throw new TautlineError(
    'bad-configuration',
    `the join strings are of networks ${joins[0]!.network} and ${other.network}: a node belongs to one, so give those of one`,
  )
}

const joinedUrls = ({ join = [] }: StartFlags): readonly string[] => join.map(({ url }) => url)

/** By hash links it vouches for all blocks below. */
const highestPin = ({ join = [] }: StartFlags, config: FolderConfig): BlockPin | undefined =>
  [...join, config].flatMap(({ pin }) => pin ?? []).sort((one, other) => other.height - one.height)[0]

/** URLs of the members that the genesis was founded for: this node's, and whom it dials. */
const membersFor = async ({
  data,
  genesis,
}: StartFlags): Promise<{ own: readonly string[]; others: readonly string[] }> => {
  if (genesis === undefined) return { own: [], others: [] }
  const [members, address] = await Promise.all([readMembersBeside(genesis), addressOf(data)])
  const urlsOf = (which: (member: Member) => boolean) => members.filter(which).map(({ url }) => url)
  return {
    own: urlsOf((member) => member.address === address),
    others: urlsOf((member) => member.address !== address),
  }
}

/** @returns undefined when the folder has no key yet */
const addressOf = async (data: string): Promise<Address | undefined> => {
  const text = await readDataFile(data, 'node.key')
  return text === undefined ? undefined : createNodeSigner(readSecretKey(text, `${data}/node.key`)).address
}
