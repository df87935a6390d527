/** How a node starts: by its flags, then by what its folder and the files of its network say, then as usual. */

import { readDataFile } from '../runtime/node/data-folder.ts'
import { readFolderConfig } from '../runtime/node/folder-config.ts'
import { type Member, readGenesisFile, readMembersBeside } from '../runtime/node/genesis-file.ts'
import { readSecretKey } from '../runtime/node/identity.ts'
import { createNodeSigner } from '../runtime/node/keys.ts'
import type { StartOptions } from '../runtime/node/start.ts'
import type { Address } from '../units.ts'
import { defaultHost, defaultPort } from './flags.ts'

export interface StartFlags {
  readonly data: string
  readonly host?: string
  readonly port?: number
  readonly url?: readonly string[]
  readonly peer?: readonly string[]
  readonly genesis?: string
  readonly storage: string
  readonly name: string
  readonly withoutSignRecord?: boolean
}

/** @throws TautlineError `bad-configuration` for a file that is not as expected */
export const startOptions = async (flags: StartFlags): Promise<Omit<StartOptions, 'log' | 'onHalt'>> => {
  const { data, genesis, storage, name } = flags
  const config = await readFolderConfig(data)
  const { own, others } = await membersFor(flags)
  return {
    dataFolder: data,
    host: flags.host ?? config.host ?? defaultHost,
    port: flags.port ?? config.port ?? defaultPort,
    urls: flags.url ?? config.urls ?? own,
    peers: [...new Set([...(flags.peer ?? []), ...(config.peers ?? []), ...others])],
    network:
      genesis === undefined
        ? { kind: 'own', name }
        : { kind: 'genesis', genesis: await readGenesisFile(genesis) },
    storage,
    withoutSignRecord: flags.withoutSignRecord ?? false,
  }
}

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
