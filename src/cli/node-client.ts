/** Which node a command asks, and by which right. */
import * as z from 'zod'
import { type Client, createClient } from '../client/client.ts'
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
export const nodeClient = async ({ node, data, readToken }: NodeFlags): Promise<Client> => {
  const own = node === undefined ? await runningAt(data) : undefined
  const token =
    readToken === undefined ? own && (await operatorTokenOf(data)) : await readTokenFile(readToken)
  return createClient({ url: node ?? own ?? defaultNodeUrl, ...(token !== undefined && { token }) })
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
