/**
 * A genesis in a file, and beside it who its members are: what a network is founded with when nobody gives a
 * private key away.
 *
 * `genesis.json` is what GET /v1/genesis answers. The network's id says nothing of URLs, so `members.json`
 * lists them beside it: `[{address, url}]`.
 */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { canonicalize, type Json, parseJson } from '../../codec/json.ts'
import { TautlineError } from '../../errors.ts'
import { addressField } from '../../objects/fields.ts'
import { type Genesis, genesisSchema } from '../../objects/genesis.ts'
import { nodeUrlField } from '../../objects/join-string.ts'
import type { DataFolder } from './data-folder.ts'

export const genesisFileName = 'genesis.json'
export const membersFileName = 'members.json'

const memberSchema = z.strictObject({ address: addressField, url: nodeUrlField })
export type Member = z.output<typeof memberSchema>

export const formatGenesis = (genesis: Genesis): string => `${canonicalize(genesis as unknown as Json)}\n`

export const formatMembers = (members: readonly Member[]): string => `${JSON.stringify(members, null, 2)}\n`

/** @throws TautlineError `bad-configuration` when the text is no genesis */
export const parseGenesis = (text: string, path: string): Genesis => parseAs(genesisSchema, text, path)

/** @throws when the file can't be read or holds no genesis */
export const readGenesisFile = async (path: string): Promise<Genesis> =>
  parseGenesis(await readFile(path, 'utf8'), path)

/** The genesis that a data folder's empty ledger begins with. */
export const readFolderGenesis = async (folder: DataFolder): Promise<Genesis | undefined> => {
  const text = await folder.readFile('genesis.json')
  return text === undefined ? undefined : parseGenesis(text, join(folder.path, genesisFileName))
}

/** Who the members of the network are; nobody when no such file lies beside the genesis. */
export const readMembersBeside = async (genesisPath: string): Promise<readonly Member[]> => {
  const path = join(dirname(genesisPath), membersFileName)
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined
    throw cause
  })
  return text === undefined ? [] : parseAs(z.array(memberSchema), text, path)
}

const parseAs = <Schema extends z.ZodType>(schema: Schema, text: string, path: string): z.output<Schema> => {
  const parsed = schema.safeParse(readJson(text, path))
  if (parsed.success) return parsed.data
  const { path: member, message } = parsed.error.issues[0]!
  throw refused(path, member.length === 0 ? message : `${member.join('.')}: ${message}`)
}

const readJson = (text: string, path: string): Json => {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof TautlineError) throw refused(path, error.message)
    throw error
  }
}

const refused = (path: string, why: string): TautlineError =>
  new TautlineError(
    'bad-configuration',
    `${path} is not as \`tautline network create\` writes it (${why}): copy it anew from whoever made it`,
    { path },
  )
