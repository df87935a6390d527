/** `tautline start`: runs a node until it is told to end. */
import { Command } from 'commander'
import type { RunningNode } from '../../runtime/node/start.ts'
import { banner, bannerJson } from '../banner.ts'
import { collectUrls, dataFlag, flag, parseName, parsePort, storageFlag } from '../flags.ts'
import { createLog } from '../log.ts'
import type { Terminal } from '../terminal.ts'

interface Flags {
  readonly data: string
  readonly host: string
  readonly port: number
  readonly url?: readonly string[]
  readonly storage: string
  readonly name: string
  readonly withoutSignRecord?: boolean
  readonly json?: boolean
}

export const startCommand = (terminal: Terminal): Command =>
  new Command('start')
    .description('Run a node. The first start in an empty folder makes a key and a network of its own.')
    .addOption(dataFlag())
    .addOption(flag('--host <address>', 'the address to listen on').default('127.0.0.1'))
    .addOption(
      flag('--port <number>', 'the port to listen on; 0 takes a free one').default(8787).argParser(parsePort),
    )
    .addOption(
      flag('--url <url>', 'where others reach this node; may be given several times').argParser(collectUrls),
    )
    .addOption(storageFlag())
    .addOption(
      flag('--name <name>', 'the name of the network, when this start makes one')
        .default('tautline')
        .argParser(parseName),
    )
    .addOption(
      flag(
        '--without-sign-record',
        'let a key sign whose record of what it signed is gone: only when it runs nowhere else',
      ),
    )
    .addOption(flag('--json', 'print the banner and the log as JSON, for programs'))
    .action((flags: Flags) => start(flags, terminal))

const start = async (flags: Flags, terminal: Terminal): Promise<void> => {
  const interrupted = terminal.untilInterrupted()
  const log = createLog({ json: flags.json ?? false, stream: terminal.logStream })
  const { halted, onHalt } = haltSignal()
  // Only here, so that the other commands don't wait for the whole node to be loaded.
  const { startNode } = await import('../../runtime/node/start.ts')
  const running = await startNode({
    dataFolder: flags.data,
    host: flags.host,
    port: flags.port,
    urls: flags.url ?? [],
    storage: flags.storage,
    name: flags.name,
    withoutSignRecord: flags.withoutSignRecord ?? false,
    log,
    onHalt,
  })
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
