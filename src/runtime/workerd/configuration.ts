/** What the operator has chosen, from the variables and secrets that a Worker is deployed with. */
import * as z from 'zod'
import { parseJson } from '../../codec/json.ts'
import { TautlineError } from '../../errors.ts'
import { addressField } from '../../objects/fields.ts'
import { genesisSchema } from '../../objects/genesis.ts'
import { type JoinString, nodeUrlField, parseJoinString } from '../../objects/join-string.ts'
import { keepField } from '../keep.ts'
import type { NodeChoices } from '../start-node.ts'
import type { AssetFetcher, DurableObjectNamespace } from './platform.ts'

/** Bindings, as `wrangler.jsonc` names them. Lists are separated by blanks or commas. */
export interface Env {
  readonly TAUTLINE_NODE: DurableObjectNamespace
  /** Under which others reach this node, the first one in its own answers. */
  readonly TAUTLINE_URL?: string
  /** URLs of nodes to dial. */
  readonly TAUTLINE_PEERS?: string
  /** Join strings of the network to come into. */
  readonly TAUTLINE_JOIN?: string
  /** The text of `genesis.json`. */
  readonly TAUTLINE_GENESIS?: string
  /** Of a network of one, which is made when neither of the two is given. */
  readonly TAUTLINE_NAME?: string
  /** Secret: the text of `node.key`. Without it the node makes a key, and keeps it in its storage. */
  readonly TAUTLINE_KEY?: string
  /** Secret: opens the doors that act for the operator. Without it they stay closed. */
  readonly TAUTLINE_OPERATOR_TOKEN?: string
  /** Secret: closes the reads to all who don't show it. */
  readonly TAUTLINE_READ_TOKEN?: string
  /** Addresses: link with the nodes of these keys only. */
  readonly TAUTLINE_ALLOW_PEERS?: string
  /** The newest blocks to keep, as `--keep` takes them. */
  readonly TAUTLINE_KEEP?: string
  /** `true`: a key of which there is no record may sign. */
  readonly TAUTLINE_WITHOUT_SIGN_RECORD?: string
  /** The files of the pages `/docs` and `/peer`. */
  readonly TAUTLINE_ASSETS?: AssetFetcher
}

export interface Configuration extends Omit<NodeChoices, 'log' | 'onHalt'> {
  readonly urls: readonly string[]
  readonly key: string | undefined
  readonly operatorToken: string | undefined
  readonly readToken: string | undefined
}

const defaultName = 'my network'

/** @throws TautlineError `bad-configuration`, naming the binding that is wrong */
export const readConfiguration = (env: Env): Configuration => {
  const joins = wordsOf(env.TAUTLINE_JOIN).map(parseJoinString)
  const allowed = wordsOf(env.TAUTLINE_ALLOW_PEERS)
  const keep = textOf(env.TAUTLINE_KEEP)
  const [pin] = joins.flatMap((join) => join.pin ?? []).sort((one, other) => other.height - one.height)
  return {
    urls: urlsOf(env, 'TAUTLINE_URL'),
    peers: [...new Set([...joins.map(({ url }) => url), ...urlsOf(env, 'TAUTLINE_PEERS')])],
    network: networkOf(env, joins),
    pin,
    ...(allowed.length > 0 && {
      allowPeers: parseAs(z.array(addressField), allowed, 'TAUTLINE_ALLOW_PEERS'),
    }),
    ...(keep !== undefined && { keep: parseAs(keepField, keep, 'TAUTLINE_KEEP') }),
    withoutSignRecord: env.TAUTLINE_WITHOUT_SIGN_RECORD === 'true',
    key: textOf(env.TAUTLINE_KEY),
    operatorToken: textOf(env.TAUTLINE_OPERATOR_TOKEN),
    readToken: textOf(env.TAUTLINE_READ_TOKEN),
  }
}

const networkOf = (env: Env, joins: readonly JoinString[]): NodeChoices['network'] => {
  const genesis = textOf(env.TAUTLINE_GENESIS)
  if (genesis !== undefined && joins.length > 0)
    throw refused('TAUTLINE_GENESIS', 'TAUTLINE_JOIN is given as well: give one of the two')
  if (joins.some(({ network }) => network !== joins[0]!.network))
    throw refused('TAUTLINE_JOIN', 'it names several networks, and a node belongs to one')
  if (joins.length > 0) return { kind: 'join', joins }
  if (genesis === undefined) return { kind: 'own', name: textOf(env.TAUTLINE_NAME) ?? defaultName }
  return { kind: 'genesis', genesis: parseAs(genesisSchema, jsonOf(genesis), 'TAUTLINE_GENESIS') }
}

const urlsOf = (env: Env, name: 'TAUTLINE_URL' | 'TAUTLINE_PEERS'): readonly string[] =>
  parseAs(z.array(nodeUrlField), wordsOf(env[name]), name)

const parseAs = <Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  name: string,
): z.output<Schema> => {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  throw refused(name, [path.join('.'), message].filter((part) => part !== '').join(': '))
}

const jsonOf = (text: string): unknown => {
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

const textOf = (text: string | undefined): string | undefined => text?.trim() || undefined

const wordsOf = (text = ''): readonly string[] => text.split(/[\s,]+/).filter((word) => word !== '')

const refused = (name: string, why: string): TautlineError =>
  new TautlineError(
    'bad-configuration',
    `${name} can't be used (${why}): correct the variables and secrets of this Worker, and deploy it again`,
    { name },
  )
