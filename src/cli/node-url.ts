/** Which node a command asks. */
import { z } from 'zod'
import { readDataFile } from '../runtime/node/data-folder.ts'
import { defaultNodeUrl } from './flags.ts'

export interface NodeFlags {
  readonly data: string
  readonly node?: string
}

const nodeFileSchema = z.object({ url: z.url() })

/** The one that was named, or the one that runs in the data folder, or where a node is by default. */
export const nodeUrl = async ({ node, data }: NodeFlags): Promise<string> =>
  node ?? (await runningAt(data)) ?? defaultNodeUrl

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
