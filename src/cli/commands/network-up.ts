/** `tautline network up`: a whole network on this machine, for a first look. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Command } from 'commander'
import { createClient } from '../../client/client.ts'
import { TautlineError } from '../../errors.ts'
import { readFolderConfig } from '../../runtime/node/folder-config.ts'
import { foundInFolders } from '../../runtime/node/founding.ts'
import { unixMs } from '../../units.ts'
import { examples, shortPath } from '../banner.ts'
import { basePortFlag, flag, jsonFlag, networkNameFlag, outFlag, parseCount } from '../flags.ts'
import { type NodeChild, startNodeChild } from '../node-child.ts'
import { placesHere } from '../places.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'

interface Flags {
  readonly out: string
  readonly validators?: number
  readonly basePort?: number
  readonly name: string
  readonly json?: boolean
}

/** Enough that one may fail. */
const defaultValidators = 4

export const upCommand = (terminal: Terminal): Command =>
  new Command('up')
    .description('Run a network of several validators on this machine until Ctrl-C, for a first look.')
    .addOption(outFlag())
    .addOption(
      flag(
        '--validators <number>',
        `how many, when the folder is new (default: ${defaultValidators})`,
      ).argParser(parseCount),
    )
    .addOption(basePortFlag())
    .addOption(networkNameFlag())
    .addOption(jsonFlag())
    .addHelpText('after', '\nWhat is in the folder stays there: the next `network up` goes on with it.')
    .action(async (flags: Flags) => {
      const interrupted = terminal.untilInterrupted()
      await runAll(await prepareNodes(flags), interrupted, flags, terminal)
    })

interface NodeFolder {
  readonly name: string
  readonly folder: string
  readonly url: string
}

/** Those in the folder; in a new one they are founded. */
const prepareNodes = async (flags: Flags): Promise<readonly NodeFolder[]> => {
  const { out, name, validators, basePort } = flags
  const found = await nodesIn(out)
  if (found.length === 0) {
    const places = placesHere(validators ?? defaultValidators, basePort)
    await foundInFolders({ out, name, time: unixMs(Date.now()), places })
    return nodesIn(out)
  }
  if (validators === undefined || validators === found.length) return found
  throw new TautlineError(
    'bad-configuration',
    `${out} holds a network of ${found.length}: run it without --validators, or name a new folder with --out`,
  )
}

const nodesIn = async (out: string): Promise<readonly NodeFolder[]> => {
  const names = await readdir(out).catch(() => [])
  const numbers = names.flatMap((name) => /^node([1-9][0-9]*)$/.exec(name)?.[1] ?? []).map(Number)
  return Promise.all(
    numbers
      .sort((one, other) => one - other)
      .map(async (number) => {
        const folder = join(out, `node${number}`)
        const { urls } = await readFolderConfig(folder)
        return { name: `node${number}`, folder, url: urls?.[0] ?? '' }
      }),
  )
}

const runAll = async (
  nodes: readonly NodeFolder[],
  interrupted: Promise<unknown>,
  flags: Flags,
  terminal: Terminal,
): Promise<void> => {
  const children = nodes.map(({ name, folder }) =>
    startNodeChild(folder, (line) => line !== '' && terminal.err(`${name} | ${line}`)),
  )
  const allEnded = Promise.all(children.map(({ ended }) => ended))
  try {
    const isServing = await Promise.race([allServe(nodes, children), interrupted.then(() => false)])
    if (!isServing) return
    await introduce(nodes, flags, terminal)
    tellOfEnds(nodes, children, interrupted, terminal)
    await Promise.race([interrupted, allEnded])
  } finally {
    for (const child of children) child.end()
    await allEnded
  }
}

const allServe = async (nodes: readonly NodeFolder[], children: readonly NodeChild[]): Promise<true> => {
  const serving = children.map(({ serving }, at) =>
    serving.catch((cause: Error) => {
      throw new TautlineError(
        'bad-configuration',
        `${nodes[at]!.name} could not be started: ${cause.message}, and its own words are above`,
      )
    }),
  )
  await Promise.all(serving)
  return true
}

/** One that is killed while the others go on is worth a look of its own. */
const tellOfEnds = (
  nodes: readonly NodeFolder[],
  children: readonly NodeChild[],
  interrupted: Promise<unknown>,
  terminal: Terminal,
): void => {
  let isOver = false
  void interrupted.then(() => {
    isOver = true
  })
  for (const [at, { ended }] of children.entries()) {
    const { name, folder } = nodes[at]!
    void ended.then((how) => {
      if (!isOver)
        terminal.err(`${name} has ended (${how}): bring it back with \`tautline start --data ${folder}\``)
    })
  }
}

const introduce = async (
  nodes: readonly NodeFolder[],
  { json, out }: Flags,
  terminal: Terminal,
): Promise<void> => {
  const [first, second = first] = nodes
  const { network, join: joinString } = await createClient({ url: first!.url }).status()
  const withTokens = nodes.map((node) => ({ ...node, token: join(node.folder, 'operator.token') }))
  if (json) return terminal.out(JSON.stringify({ network, nodes: withTokens, join: joinString }))
  terminal.out(`
A network of ${nodes.length} validators runs here, in ${shortPath(out)}:

${table(withTokens.map(({ name, url, token }) => [name, `${url}, token in ${shortPath(token)}`] as const))}
${table([
  ['network', network],
  ['join', joinString],
])}

Try it: pay at one node, and read the same at another (the receiver is an example, whose key everybody has).

${examples({ url: first!.url, token: shortPath(withTokens[0]!.token), readAt: second!.url })}

Ctrl-C ends all of them.
`)
}
