/**
 * What a newcomer needs to join a network: `https://node.example#<network id>`, or
 * `…#<network id>@<height>:<hash>`.
 *
 * The URL says whom to dial; nobody there is believed. The id pins the genesis. Only a block that is younger
 * than the trusting period pins the present, since keys that hold no stake any more can forge an old past.
 */
import * as z from 'zod'
import { TautlineError } from '../errors.ts'
import { height as asHeight, type NetworkId } from '../units.ts'
import { blockHashField, heightField, networkIdField } from './fields.ts'

const maxUrlLength = 2_048

const isNodeUrl = (text: string): boolean => {
  if (!URL.canParse(text)) return false
  const { protocol, username, password, search, hash } = new URL(text)
  return /^https?:$/.test(protocol) && `${username}${password}${search}${hash}` === ''
}

/** Under which a node is reached; a path is kept, so that one may stand behind a prefix. */
export const nodeUrlField = z
  .string()
  .max(maxUrlLength, `expected a URL of at most ${maxUrlLength} characters`)
  .refine(isNodeUrl, 'expected a URL such as http://127.0.0.1:8787, without user, query or fragment')
  .transform((text) => text.replace(/\/+$/, ''))

/** A block that a chain must contain. */
export const blockPinSchema = z.strictObject({ height: heightField, hash: blockHashField })
export type BlockPin = z.output<typeof blockPinSchema>

export interface JoinString {
  /** Without a slash at its end. */
  readonly url: string
  readonly network: NetworkId
  readonly pin?: BlockPin
}

export const formatJoinString = ({ url, network, pin }: JoinString): string =>
  pin === undefined ? `${url}#${network}` : `${url}#${network}@${pin.height}:${pin.hash}`

/** @throws TautlineError `bad-configuration`, naming the part that is wrong */
export const parseJoinString = (text: string): JoinString => {
  const [, url, fragment] = /^([^#]*)#(.*)$/s.exec(text.trim()) ?? []
  if (url === undefined || fragment === undefined) throw refused('there is no # in it')
  const [id, ...pins] = fragment.split('@')
  const network = networkIdField.safeParse(id)
  if (!network.success) throw refused(`${quote(id!)} is no network id, which has 64 lowercase hex digits`)
  const node = nodeUrlField.safeParse(url)
  if (!node.success) throw refused(`${quote(url)} before # is no URL of a node`)
  const joined = { url: node.data, network: network.data }
  return pins.length === 0 ? joined : { ...joined, pin: parsePin(pins.join('@')) }
}

const parsePin = (text: string): BlockPin => {
  const [, digits, hash] = /^([1-9][0-9]{0,15}):(.*)$/s.exec(text) ?? []
  const height = Number(digits)
  const parsed = blockHashField.safeParse(hash)
  if (!Number.isSafeInteger(height) || !parsed.success)
    throw refused(`${quote(text)} behind @ is no block, which is its height from 1, a colon and its hash`)
  return { height: asHeight(height), hash: parsed.data }
}

const refused = (why: string): TautlineError =>
  new TautlineError(
    'bad-configuration',
    `this is no join string, since ${why}: expected https://node.example#<network id>, ` +
      'with @<height>:<hash> behind it or without, as `tautline status` prints it',
  )

const quote = (text: string): string => JSON.stringify(text.slice(0, 100))
