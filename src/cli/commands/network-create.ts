/** `tautline network create`: founds a network of several validators. */
import { Command } from 'commander'
import { TautlineError } from '../../errors.ts'
import { networkOf } from '../../ledger/genesis.ts'
import { foundForMembers, foundInFolders } from '../../runtime/node/founding.ts'
import type { Member } from '../../runtime/node/genesis-file.ts'
import { unixMs } from '../../units.ts'
import {
  basePortFlag,
  collectMembers,
  collectUrls,
  flag,
  jsonFlag,
  networkNameFlag,
  outFlag,
  parseCount,
} from '../flags.ts'
import { placesAt, placesHere } from '../places.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'

interface CreateFlags {
  readonly out: string
  readonly name: string
  readonly validators?: number
  readonly basePort?: number
  readonly urls?: readonly string[]
  readonly member?: readonly Member[]
  readonly json?: boolean
}

export const createCommand = (terminal: Terminal): Command =>
  new Command('create')
    .description(
      'Found a network: a ready data folder for each validator, or a genesis for members who keep their keys.',
    )
    .addOption(outFlag())
    .addOption(
      flag('--validators <number>', 'make this many data folders, node1, node2, …').argParser(parseCount),
    )
    .addOption(basePortFlag())
    .addOption(
      flag(
        '--urls <urls>',
        'where node1, node2, … will be reached, when their folders go to other machines',
      ).argParser(collectUrls),
    )
    .addOption(
      flag('--member <address@url>', 'a member with a key of its own, which stays with it; one flag for each')
        .argParser(collectMembers)
        .conflicts(['validators', 'urls', 'basePort']),
    )
    .addOption(networkNameFlag())
    .addOption(jsonFlag())
    .addHelpText('after', examples)
    .action((flags: CreateFlags) =>
      flags.member ? createForMembers(flags, flags.member, terminal) : createFolders(flags, terminal),
    )

const examples = `
Balances and stakes are equal. Examples:
  tautline network create --validators 4 --out ./network        # then: tautline start --data ./network/node1
  tautline network create --urls https://a.example,https://b.example,https://c.example,https://d.example
  tautline network create --member taut1…@https://a.example --member taut1…@https://b.example`

const createFolders = async (flags: CreateFlags, terminal: Terminal): Promise<void> => {
  const { out, name, json } = flags
  const { genesis, nodes } = await foundInFolders({
    out,
    name,
    time: unixMs(Date.now()),
    places: placesOf(flags),
  })
  const network = networkOf(genesis)
  if (json) return terminal.out(JSON.stringify({ network, nodes }))
  terminal.out(
    [
      `Network ${name}, ${network}, with ${nodes.length} validators:`,
      table(nodes.map(({ folder, url }) => [folder, url] as const)),
      'Each folder holds a secret key. Start each node, here or where its folder is copied to (once: never run',
      `one key twice), with \`tautline start --data ${nodes[0]!.folder}\` and so on.`,
    ].join('\n'),
  )
}

const placesOf = ({ validators, basePort, urls }: CreateFlags) => {
  if (urls === undefined && validators === undefined) {
    throw new TautlineError(
      'bad-configuration',
      'who are the validators? Say how many with --validators, where they will run with --urls, or who they are with --member',
    )
  }
  if (urls !== undefined && validators !== undefined && urls.length !== validators) {
    throw new TautlineError(
      'bad-configuration',
      `--urls names ${urls.length} places for ${validators} validators: expected one for each`,
    )
  }
  return urls === undefined ? placesHere(validators!, basePort) : placesAt(urls, basePort)
}

const createForMembers = async (
  { out, name, json }: CreateFlags,
  members: readonly Member[],
  terminal: Terminal,
): Promise<void> => {
  const network = networkOf(await foundForMembers({ out, name, members, time: unixMs(Date.now()) }))
  if (json) return terminal.out(JSON.stringify({ network, members }))
  terminal.out(
    [
      `Network ${name}, ${network}, with ${members.length} validators:`,
      table(members.map(({ address, url }) => [address, url] as const)),
      `Send genesis.json and members.json in ${out} to all of them: there is no secret in them. Each compares the`,
      'id above with the others, and runs `tautline start --genesis genesis.json` in the folder with its key in ./data.',
    ].join('\n'),
  )
}
