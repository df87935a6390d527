/**
 * The flags of all commands. Each can be given as an environment variable too: `--valid-until` is
 * `TAUTLINE_VALID_UNTIL`. A flag wins over its variable.
 */
import { InvalidArgumentError, Option } from 'commander'
import type { z } from 'zod'
import { TautlineError } from '../errors.ts'
import { addressField, amountField, networkIdField } from '../objects/fields.ts'
import { genesisSchema } from '../objects/genesis.ts'
import { type JoinString, nodeUrlField, parseJoinString } from '../objects/join-string.ts'
import { keepField } from '../runtime/keep.ts'
import type { Member } from '../runtime/node/genesis-file.ts'

export const defaultHost = '127.0.0.1'
export const defaultPort = 8787
export const defaultNodeUrl = `http://${defaultHost}:${defaultPort}`
export const defaultDataFolder = './data'

/** A flag with its variable, named after its long form. */
export const flag = (flags: string, description: string): Option => {
  const option = new Option(flags, description)
  return option.env(`TAUTLINE_${option.name().replaceAll('-', '_').toUpperCase()}`)
}

export const dataFlag = (): Option =>
  flag('--data <folder>', "the node's data folder").default(defaultDataFolder).argParser(parsePath)
export const jsonFlag = (): Option => flag('--json', 'print JSON, for programs')
export const nodeFlag = (): Option =>
  flag(
    '--node <url>',
    `the node to ask (default: the one that runs in --data, or ${defaultNodeUrl})`,
  ).argParser(parseHttpUrl)
export const readTokenFlag = (): Option =>
  flag('--read-token <file>', "the secret that opens a private network's reads is in this file")
export const storageFlag = (): Option =>
  flag(
    '--storage <kind>',
    'where the ledger lies: level, fs (each also as kind:PATH), redis://… or postgres://…, or memory, which keeps nothing',
  ).default('level')
export const keyFileFlag = (): Option =>
  flag('--key-file <file>', "sign with the key in this file instead of the data folder's").argParser(
    parsePath,
  )
export const keepFlag = (): Option =>
  flag(
    '--keep <blocks>',
    'the newest blocks to keep: a number of them, or those of some days (30d) or size (500MB, 2GB), or all (default: all)',
  ).argParser(parseKeep)
/** Of a network of several data folders. */
export const outFlag = (): Option =>
  flag('--out <folder>', 'the folder of the network, with a data folder for each node in it').default(
    './network',
  )
export const basePortFlag = (): Option =>
  flag(
    '--base-port <port>',
    `node1 listens on this port, node2 on the next, … (default: ${defaultPort})`,
  ).argParser(parsePort)
export const networkNameFlag = (): Option =>
  flag('--name <name>', 'the name of the network, when one is made').default('tautline').argParser(parseName)

export const parseWith =
  <Value>(schema: z.ZodType<Value, string>) =>
  (text: string): Value => {
    const parsed = schema.safeParse(text)
    if (parsed.success) return parsed.data
    throw new InvalidArgumentError(sentence(parsed.error.issues[0]!.message))
  }

const sentence = (message: string): string => `${message.charAt(0).toUpperCase()}${message.slice(1)}.`

export const parseAddress = parseWith(addressField)
export const parseAmount = parseWith(amountField)
/** Of a network. */
export const parseName = parseWith(genesisSchema.shape.name)
export const parseNetworkId = parseWith(networkIdField)

export const parseHttpUrl = parseWith(nodeUrlField)
export const parseKeep = parseWith(keepField)

export const parseWhole = (text: string): number => {
  if (/^(0|[1-9][0-9]{0,15})$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
  throw new InvalidArgumentError('Expected a whole number from 0.')
}

/** Nothing, as a variable of a shell that isn't set, would be the working folder. */
export const parsePath = (text: string): string => {
  if (text !== '') return text
  throw new InvalidArgumentError('Expected a path; the working folder is `.`.')
}

/** 0 asks the system for a free one. */
export const parsePort = (text: string): number => {
  if (/^[0-9]{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new InvalidArgumentError('Expected a port from 0 to 65535; 0 takes a free one.')
}

export const parseCount = (text: string): number => {
  const count = parseWhole(text)
  if (count > 0) return count
  throw new InvalidArgumentError('Expected a whole number from 1.')
}

export const parseJoin = (text: string): JoinString => {
  try {
    return parseJoinString(text)
  } catch (error) {
    if (error instanceof TautlineError) throw new InvalidArgumentError(sentence(error.message))
    throw error
  }
}

/** `taut1…@https://a.example` */
const parseMember = (text: string): Member => {
  const [, address, url] = /^([^@]*)@(.*)$/s.exec(text) ?? []
  if (address === undefined || url === undefined)
    throw new InvalidArgumentError('Expected an address, an @ and a URL: taut1…@https://a.example.')
  return { address: parseAddress(address), url: parseHttpUrl(url) }
}

/** A repeatable flag's values; in its variable they stand side by side, with spaces or commas between. */
const collectWith =
  <Value>(parse: (text: string) => Value) =>
  (text: string, before: readonly Value[] | undefined): readonly Value[] => [
    ...(before ?? []),
    ...text
      .split(/[\s,]+/)
      .filter((part) => part !== '')
      .map(parse),
  ]

export const collectUrls = collectWith(parseHttpUrl)
export const collectJoins = collectWith(parseJoin)
export const collectAddresses = collectWith(parseAddress)
export const collectMembers = collectWith(parseMember)
