/**
 * `config.json` of a data folder: how its node starts as far as no flag says otherwise.
 *
 * `network create` writes it for each validator, a first start remembers in it how it came into its network,
 * and the operator may edit it.
 */
import * as z from 'zod'
import { TautlineError } from '../../errors.ts'
import { wholeField } from '../../objects/fields.ts'
import { blockPinSchema, nodeUrlField } from '../../objects/join-string.ts'
import { readDataFile } from './data-folder.ts'

/** More than any node has links. */
const maxUrls = 256

const urlsField = z.array(nodeUrlField).max(maxUrls).optional()

export const folderConfigSchema = z.strictObject({
  host: z.string().min(1).optional(),
  port: wholeField.max(65_535).optional(),
  /** Where others reach the node, the first of them in its own answers. */
  urls: urlsField,
  /** Whom it dials. */
  peers: urlsField,
  /** A block that its chain must contain. */
  pin: blockPinSchema.optional(),
})
export type FolderConfig = z.output<typeof folderConfigSchema>

/** @throws TautlineError `bad-configuration`, naming the member that is wrong */
export const readFolderConfig = async (path: string): Promise<FolderConfig> => {
  const text = await readDataFile(path, 'config.json')
  if (text === undefined) return {}
  const parsed = folderConfigSchema.safeParse(parse(text, path))
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  throw refused(path, [issue.path.join('.'), issue.message].filter((part) => part !== '').join(': '))
}

export const formatFolderConfig = (config: FolderConfig): string => `${JSON.stringify(config, null, 2)}\n`

const parse = (text: string, path: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw refused(path, 'it is not JSON')
  }
}

const refused = (path: string, why: string): TautlineError =>
  new TautlineError(
    'bad-configuration',
    `${path}/config.json can't be used (${why}): correct it, or remove it and give flags instead`,
    { path },
  )
