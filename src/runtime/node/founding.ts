/**
 * Founds networks of several validators, in files.
 *
 * Either in folders: one data folder for each, with its key and sign record, the one genesis, and where the
 * others are, so that each starts without a flag, here or wherever it is copied to. Or for members who have
 * made keys of their own and keep them: then the genesis and the list of members are all there is to pass on.
 */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { TautlineError } from '../../errors.ts'
import { foundNetwork } from '../../node/found-network.ts'
import type { Genesis } from '../../objects/genesis.ts'
import type { Address, UnixMs } from '../../units.ts'
import { makeFolder, openDataFolder } from './data-folder.ts'
import { writeFileDurably } from './durable-file.ts'
import { type FolderConfig, formatFolderConfig } from './folder-config.ts'
import {
  formatGenesis,
  formatMembers,
  genesisFileName,
  type Member,
  membersFileName,
} from './genesis-file.ts'
import { openFolderIdentity } from './identity.ts'
import { operatorToken } from './operator-token.ts'

interface Founding {
  /** Empty, or not there yet. */
  readonly out: string
  /** Of the network. */
  readonly name: string
  readonly time: UnixMs
}

export interface NodePlace {
  /** What the others dial. */
  readonly url: string
  readonly host: string
  readonly port: number
}

export interface FoundedNodes {
  readonly genesis: Genesis
  readonly nodes: readonly FoundedNode[]
}

export interface FoundedNode {
  readonly folder: string
  readonly address: Address
  readonly url: string
}

/**
 * Makes `node1` to `nodeN`, or nothing when something goes wrong on the way.
 *
 * @throws TautlineError `bad-configuration` when the folder isn't empty
 */
export const foundInFolders = async ({
  out,
  places,
  name,
  time,
}: Founding & { readonly places: readonly NodePlace[] }): Promise<FoundedNodes> => {
  await requireEmptyFolder(out)
  const folders = places.map((_, at) => join(out, `node${at + 1}`))
  try {
    const founders: Address[] = []
    for (const folder of folders) founders.push(await makeIdentity(folder))
    const genesis = foundNetwork({ founders, name, time })
    for (const [at, folder] of folders.entries())
      await furnish(folder, genesis, configOf(places[at]!, places))
    const nodes = folders.map((folder, at) => ({ folder, address: founders[at]!, url: places[at]!.url }))
    return { genesis, nodes }
  } catch (error) {
    for (const folder of folders) await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/**
 * Makes the two files that members start with.
 *
 * @throws TautlineError `bad-configuration` when the folder isn't empty
 */
export const foundForMembers = async ({
  out,
  members,
  name,
  time,
}: Founding & { readonly members: readonly Member[] }): Promise<Genesis> => {
  await requireEmptyFolder(out)
  const genesis = foundNetwork({ founders: members.map(({ address }) => address), name, time })
  await makeFolder(out)
  await writeFileDurably(join(out, membersFileName), formatMembers(members), 0o644)
  await writeFileDurably(join(out, genesisFileName), formatGenesis(genesis), 0o644)
  return genesis
}

/** It need not be there. */
const requireEmptyFolder = async (path: string): Promise<void> => {
  const names = await readdir(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return []
    throw cause
  })
  if (names.length === 0) return
  throw new TautlineError(
    'bad-configuration',
    `${path} is not empty (${names.sort().slice(0, 3).join(', ')} …): name a new folder with --out`,
    { path },
  )
}

const makeIdentity = async (path: string): Promise<Address> => {
  const folder = await openDataFolder(path)
  try {
    const identity = await openFolderIdentity(folder)
    await identity.close()
    await operatorToken(folder)
    return identity.signer.address
  } finally {
    await folder.close()
  }
}

const furnish = async (path: string, genesis: Genesis, config: FolderConfig): Promise<void> => {
  const folder = await openDataFolder(path)
  try {
    await folder.writeFile('genesis.json', formatGenesis(genesis))
    await folder.writeFile('config.json', formatFolderConfig(config))
  } finally {
    await folder.close()
  }
}

const configOf = ({ host, port, url }: NodePlace, all: readonly NodePlace[]): FolderConfig => ({
  host,
  port,
  urls: [url],
  peers: all.map((place) => place.url).filter((other) => other !== url),
})
