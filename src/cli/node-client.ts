/** Which node a command asks, and by which right. */
import * as z from 'zod'
import { type Client, type ClientOptions, createClient } from '../client/client.ts'
import { type ConnectionsClient, createConnectionsClient } from '../client/connections-client.ts'
import { readDataFile } from '../runtime/node/data-folder.ts'
import { defaultNodeUrl } from './flags.ts'
import { readTokenFile } from './read-token.ts'

export interface NodeFlags {
  readonly data: string
  readonly node?: string
  readonly readToken?: string
}

const nodeFileSchema = z.object({ url: z.url() })

/** Of the one that was named, or the one that runs in the data folder, or where a node is by default. */
export const nodeClient = async (flags: NodeFlags): Promise<Client> =>
  createClient(await clientOptions(flags))

/** As {@link nodeClient}; only the operator's token opens anything. */
export const connectionsClient = async (flags: NodeFlags): Promise<ConnectionsClient> =>
  createConnectionsClient(await clientOptions(flags))

const clientOptions = async ({ node, data, readToken }: NodeFlags): Promise<ClientOptions> => {
  const own = node === undefined ? await runningAt(data) : undefined
  const token =
    readToken === undefined ? own && (await operatorTokenOf(data)) : await readTokenFile(readToken)
  return { url: node ?? own ?? defaultNodeUrl, ...(token !== undefined && { token }) }
}

/** Shown to the folder's own node alone: it opens everything there. */
const operatorTokenOf = async (data: string): Promise<string | undefined> =>
  (await readDataFile(data, 'operator.token'))?.trim()

/** @returns where the node of a data folder listens, or listened when it last ran */
export const runningAt = async (data: string): Promise<string | undefined> => {
  const text = await readDataFile(data, 'node.json')
  return text === undefined ? undefined : nodeFileSchema.safeParse(parse(text)).data?.url
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
