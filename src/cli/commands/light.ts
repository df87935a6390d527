/** `tautline light`: follows a network with nothing on the disk, and answers with what it has verified. */
import { Command } from 'commander'
import {
  createLightClient,
  type LightAccount,
  type LightClient,
  type LightHead,
  LightRefusal,
  type LightTransaction,
} from '../../client/light-client.ts'
import { TautlineError } from '../../errors.ts'
import { transactionIdField } from '../../objects/fields.ts'
import { formatJoinString, type JoinString, parseJoinString } from '../../objects/join-string.ts'
import type { Log } from '../../ports/log.ts'
import { writeFileDurably } from '../../runtime/node/durable-file.ts'
import { createNodeVerifier } from '../../runtime/node/keys.ts'
import type { Address, TransactionId } from '../../units.ts'
import { accountRows } from '../account-rows.ts'
import {
  collectUrls,
  flag,
  jsonFlag,
  parseAddress,
  parseCount,
  parseJoin,
  parsePath,
  parsePort,
  parseWith,
  readTokenFlag,
} from '../flags.ts'
import { openLightDoors } from '../light-doors.ts'
import { createLog, createQuietLog } from '../log.ts'
import { readTokenFile } from '../read-token.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'

interface Flags {
  readonly join: JoinString
  readonly witness?: readonly string[]
  readonly trust?: string
  readonly readToken?: string
  readonly evidence: string
  readonly json?: boolean
}

interface FollowFlags extends Flags {
  readonly port: number
  readonly every: number
}

const defaultLightPort = 8_800

export const lightCommand = (terminal: Terminal): Command =>
  new Command('light')
    .description(
      'Follow a network without a node, with nothing on the disk; `light account` and `light transaction` answer once.',
    )
    .addCommand(followCommand(terminal), { isDefault: true })
    .addCommand(accountCommand(terminal))
    .addCommand(transactionCommand(terminal))
    .addHelpText(
      'after',
      `
Nothing that a node says is believed. The network id pins the genesis; where that is older than the trusting period,
a recent block pins the present: --trust HEIGHT:HASH, or behind the join string as \`tautline status\` prints it.
Each --witness must have the same blocks. Where one has others, the evidence is written to a file, for
\`tautline proof check\`.`,
    )

const followCommand = (terminal: Terminal): Command =>
  lightFlags(new Command('follow'))
    .description(
      'Keep up with the network, and answer GET /v1/accounts/{address} and /v1/transactions/{id} on this machine.',
    )
    .addOption(
      flag('--port <number>', 'the port to answer on; 0 takes a free one')
        .default(defaultLightPort)
        .argParser(parsePort),
    )
    .addOption(
      flag('--every <seconds>', 'how often to look for new blocks').default(10).argParser(parseCount),
    )
    .action((flags: FollowFlags) => followNetwork(flags, terminal))

const accountCommand = (terminal: Terminal): Command =>
  lightFlags(new Command('account'))
    .description('Show what an account holds, verified.')
    .argument('<address>', 'whose account', parseAddress)
    .action(async (address: Address, flags: Flags) =>
      show(flags, terminal, (light) => light.account(address), describeAccount),
    )

const transactionCommand = (terminal: Terminal): Command =>
  lightFlags(new Command('transaction'))
    .description('Show what became of a transaction, verified.')
    .argument('<id>', 'its id, 64 hex digits', parseWith(transactionIdField))
    .action(async (id: TransactionId, flags: Flags) =>
      show(flags, terminal, (light) => light.transaction(id), describeTransaction),
    )

const lightFlags = (command: Command): Command =>
  command
    .addOption(
      flag(
        '--join <string>',
        'whom to follow, and what to trust: https://node.example#<network id>, as `tautline status` prints it',
      )
        .argParser(parseJoin)
        .makeOptionMandatory(),
    )
    .addOption(
      flag(
        '--witness <url>',
        'another node of the network, to compare with; may be given several times',
      ).argParser(collectUrls),
    )
    .addOption(flag('--trust <block>', 'a recent block that you know of: its height, a colon and its hash'))
    .addOption(readTokenFlag())
    .addOption(
      flag('--evidence <file>', 'where to write the evidence of a fork')
        .default('./tautline-fork.json')
        .argParser(parsePath),
    )
    .addOption(jsonFlag())

const openLight = async (flags: Flags, log: Log): Promise<LightClient> =>
  createLightClient({
    join: pinned(flags),
    ...(flags.witness && { witnesses: flags.witness }),
    ...(flags.readToken !== undefined && { token: await readTokenFile(flags.readToken) }),
    verifier: await createNodeVerifier(log),
  })

const pinned = ({ join, trust }: Flags): JoinString => {
  if (trust === undefined) return join
  const given = parseJoinString(`${formatJoinString({ url: join.url, network: join.network })}@${trust}`)
  if (join.pin === undefined || (join.pin.height === given.pin!.height && join.pin.hash === given.pin!.hash))
    return given
  throw new TautlineError(
    'bad-configuration',
    '--join and --trust name different blocks: leave out the one behind the join string',
  )
}

/** One answer, and what there is to say about whom it came from. */
const show = async <Shown extends { readonly block?: LightHead }>(
  flags: Flags,
  terminal: Terminal,
  look: (light: LightClient) => Promise<Shown>,
  describe: (shown: Shown) => string,
): Promise<void> => {
  const log = createQuietLog(terminal)
  const light = await openLight(flags, log)
  const shown = await look(light).catch((error: unknown) => keepEvidence(error, flags))
  if (shown.block) warnOf(shown.block, log)
  terminal.out(flags.json ? JSON.stringify(shown) : describe(shown))
}

/** The file is the only thing that a light client ever writes. */
const keepEvidence = async (error: unknown, { evidence, join }: Flags): Promise<never> => {
  if (!(error instanceof LightRefusal) || !error.fork) throw error
  await writeFileDurably(evidence, `${JSON.stringify(error.fork)}\n`, 0o644)
  throw new LightRefusal(
    error.code,
    `${error.message}; the evidence is in ${evidence}: whoever knows the network can check it with \`tautline proof check ${evidence} --network ${join.network}\``,
    error.fork,
  )
}

const warnOf = ({ isPinned, complaints }: LightHead, log: Log): void => {
  if (!isPinned)
    log.warn(
      'nothing pins this block: it is proven from the network id over keys of long ago, and those may have been stolen since; give a recent block with --trust',
    )
  for (const { url, reason } of complaints) log.warn(`${url}: ${reason}`)
}

const blockLine = ({ height, hash, time }: LightHead): string =>
  height === 0
    ? 'the genesis: there is no block yet'
    : `block ${height} of ${new Date(time).toISOString()}, ${hash}`

const describeAccount = ({ block, ...account }: LightAccount): string =>
  table([...accountRows(account), ['verified by', blockLine(block)]])

const describeTransaction = ({ id, status, transaction, block }: LightTransaction): string =>
  table([
    ['transaction', id],
    ['status', status],
    ['from', transaction.from],
    ['nonce', String(transaction.nonce)],
    ['verified by', block ? blockLine(block) : "nothing yet: while it is pending, it is the node's word"],
  ])

const followNetwork = async (flags: FollowFlags, terminal: Terminal): Promise<void> => {
  const interrupted = terminal.untilInterrupted()
  const log = createLog({ json: flags.json ?? false, stream: terminal.logStream })
  const light = await openLight(flags, log)
  const first = await light.update().catch((error: unknown) => keepEvidence(error, flags))
  const doors = await openLightDoors(light, flags.port, log)
  const stop = new AbortController()
  const ended = interrupted.finally(() => stop.abort())
  try {
    terminal.out(
      flags.json
        ? JSON.stringify({ network: light.network, url: doors.url, block: first })
        : table([
            ['network', light.network],
            ['follows', flags.join.url],
            ['answers', `${doors.url}/v1/accounts/{address} and /v1/transactions/{id}`],
            ['newest', blockLine(first)],
          ]),
    )
    warnOf(first, log)
    await Promise.race([ended, keepUp(light, first, flags, log, stop.signal)])
  } finally {
    stop.abort()
    await doors.close()
  }
}

/** Until told to stop, or until the network is split: then nothing can be believed any more. */
const keepUp = async (
  light: LightClient,
  first: LightHead,
  flags: FollowFlags,
  log: Log,
  signal: AbortSignal,
): Promise<void> => {
  for (let last = first; ; ) {
    await pause(flags.every * 1_000, signal)
    if (signal.aborted) return
    try {
      const head = await light.update()
      if (head.height > last.height) log.info('a new block', { height: head.height, hash: head.hash })
      if (head.complaints.length > 0) warnOf(head, log)
      last = head
    } catch (error) {
      if (!(error instanceof LightRefusal)) throw error
      if (error.fork) await keepEvidence(error, flags)
      log.warn(error.message, { code: error.code })
    }
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer)
        resolve()
      },
      { once: true },
    )
  })
