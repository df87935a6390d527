/** `tautline start`: runs a node until it is told to end. */
import { Command } from 'commander'
import type { RunningNode } from '../../runtime/node/start.ts'
import { banner, bannerJson } from '../banner.ts'
import {
  collectAddresses,
  collectJoins,
  collectUrls,
  dataFlag,
  defaultHost,
  defaultPort,
  flag,
  keepFlag,
  networkNameFlag,
  parsePort,
  storageFlag,
} from '../flags.ts'
import { createLog } from '../log.ts'
import { type StartFlags, startOptions } from '../start-options.ts'
import type { Terminal } from '../terminal.ts'

interface Flags extends StartFlags {
  readonly json?: boolean
}

export const startCommand = (terminal: Terminal): Command =>
  new Command('start')
    .description('Run a node. The first start in an empty folder makes a key and a network of its own.')
    .addOption(dataFlag())
    .addOption(flag('--host <address>', `the address to listen on (default: ${defaultHost})`))
    .addOption(
      flag(
        '--port <number>',
        `the port to listen on; 0 takes a free one (default: ${defaultPort})`,
      ).argParser(parsePort),
    )
    .addOption(
      flag('--url <url>', 'where others reach this node; may be given several times').argParser(collectUrls),
    )
    .addOption(
      flag(
        '--join <string>',
        'join the network of a node: https://node.example#<network id>, as `tautline status` prints it; may be given several times',
      )
        .argParser(collectJoins)
        .conflicts('genesis'),
    )
    .addOption(
      flag(
        '--snapshot',
        'with --join: begin with the state after a recent block, without fetching the blocks before it',
      ),
    )
    .addOption(
      flag(
        '--genesis <file>',
        'take part in the network of this genesis; members.json beside it says whom to dial',
      ),
    )
    .addOption(
      flag('--peer <url>', 'a node of the same network to dial; may be given several times').argParser(
        collectUrls,
      ),
    )
    .addOption(
      flag('--allow-peers <addresses>', 'link with the nodes of these keys only').argParser(collectAddresses),
    )
    .addOption(
      flag('--no-discovery', 'dial only the peers that are named here, and tell nobody where this node is'),
    )
    .addOption(
      flag(
        '--allow-private',
        'dial peers that others name, and the other ends of connections, also on this machine and in private networks',
      ),
    )
    .addOption(
      flag(
        '--read-token <file>',
        'let only those read who show the secret in this file, other members among them',
      ),
    )
    .addOption(
      flag(
        '--connections-passphrase <file>',
        'seal the keys of connections on the disk with the passphrase in this file',
      ),
    )
    .addOption(storageFlag())
    .addOption(keepFlag())
    .addOption(networkNameFlag())
    .addOption(
      flag(
        '--without-sign-record',
        'let a key sign whose record of what it signed is gone: only when it runs nowhere else',
      ),
    )
    .addOption(flag('--json', 'print the banner and the log as JSON, for programs'))
    .addHelpText('after', precedence)
    .action((flags: Flags) => start(flags, terminal))

const precedence = `
What no flag says is taken from config.json in the data folder: {host, port, urls, peers}. A first start that
comes into a network remembers there whom it dials.`

const start = async (flags: Flags, terminal: Terminal): Promise<void> => {
  const interrupted = terminal.untilInterrupted()
  const log = createLog({ json: flags.json ?? false, stream: terminal.logStream })
  const { halted, onHalt } = haltSignal()
  // Only here, so that the other commands don't wait for the whole node to be loaded.
  const { startFromFolder } = await import('../../runtime/node/start.ts')
  const running = await startFromFolder({ ...(await startOptions(flags)), log, onHalt })
  await serveUntil(running, Promise.race([interrupted, halted]), flags, terminal)
  log.info('ended: everything is on the disk')
}

const serveUntil = async (
  running: RunningNode,
  end: Promise<string>,
  flags: Flags,
  terminal: Terminal,
): Promise<void> => {
  try {
    terminal.out(flags.json ? bannerJson(running) : banner(running))
    await end
  } finally {
    await running.close()
  }
}

/** A promise that rejects with what has halted the node, whether or not somebody waits for it yet. */
const haltSignal = (): { halted: Promise<never>; onHalt: (error: unknown) => void } => {
  let onHalt!: (error: unknown) => void
  const halted = new Promise<never>((_, reject) => {
    onHalt = reject
  })
  halted.catch(() => undefined)
  return { halted, onHalt }
}
