/** `tautline connect`: private lines to other nodes. */
import { Command } from 'commander'
import { renderUnicodeCompact } from 'uqr'
import type { ConnectionsClient } from '../../client/connections-client.ts'
import { decodeUtf8 } from '../../codec/bytes.ts'
import type { Json } from '../../codec/json.ts'
import type { ConnectionView } from '../../connections/connections.ts'
import { TautlineError } from '../../errors.ts'
import type { InboxMessage } from '../../node/connections/service.ts'
import { writeFileDurably } from '../../runtime/node/durable-file.ts'
import type { Hash } from '../../units.ts'
import { columns } from '../columns.ts'
import { dataFlag, flag, jsonFlag, nodeFlag, parsePath, parseWhole } from '../flags.ts'
import { connectionsClient, type NodeFlags } from '../node-client.ts'
import { readNamedFile } from '../read-named-file.ts'
import { readPassphraseFile } from '../read-passphrase.ts'
import type { Terminal } from '../terminal.ts'

interface Flags extends NodeFlags {
  readonly json?: boolean
}

/** How long the acceptance of an invitation is waited for. */
const acceptanceMs = 30_000

export const connectCommand = (terminal: Terminal): Command => {
  const command = new Command('connect').description(
    'Hold private lines to other nodes: no account, no third party, and it lasts as long as both want it.',
  )
  for (const make of makers) command.addCommand(make(terminal))
  return command
}

const subcommand = (name: string, description: string): Command =>
  new Command(name).description(description).addOption(dataFlag()).addOption(nodeFlag()).addOption(jsonFlag())

const idArgument = ['<id>', 'of the connection, or the beginning of it that no other has'] as const
const labelFlag = () => flag('--label <text>', 'what you call it; the other end never sees it')

const invite = (terminal: Terminal): Command =>
  subcommand('invite', 'Make an invitation for one person, as a URL and a QR code.')
    .addOption(labelFlag())
    .addOption(flag('--goal <text>', 'what it is for; the other end sees it'))
    .addOption(flag('--seconds <number>', 'how long it holds (default: a day)').argParser(parseWhole))
    .action(async (flags: Flags & { label?: string; goal?: string; seconds?: number }) => {
      const { label, goal, seconds } = flags
      const invitation = await (await connectionsClient(flags)).invite({ label, goal, seconds })
      if (flags.json) {
        terminal.out(JSON.stringify(invitation))
        return
      }
      const code = renderUnicodeCompact(invitation.url, { ecc: 'L' })
      if (code.indexOf('\n') <= terminal.columns) terminal.err(code)
      terminal.out(invitation.url)
      terminal.err(
        `Hand this to one person, over a way that you trust. It works once, until ${timeOf(invitation.expires * 1_000)}.`,
      )
    })

const accept = (terminal: Terminal): Command =>
  subcommand('accept', 'Accept an invitation, and wait until both ends have signed.')
    .argument('<url>', 'of the invitation')
    .addOption(labelFlag())
    .action(async (url: string, flags: Flags & { label?: string }) => {
      const client = await connectionsClient(flags)
      const { id } = await client.accept(url, flags.label)
      const connection = await untilActive(client, id)
      terminal.out(flags.json ? JSON.stringify(connection) : describeAccepted(connection))
    })

/** Asks again and again for a while; whoever isn't answered by then will be later. */
const untilActive = async (client: ConnectionsClient, id: string): Promise<ConnectionView> => {
  const end = Date.now() + acceptanceMs
  for (;;) {
    const connection = await client.get(id)
    if (connection.state !== 'requested' || Date.now() > end) return connection
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

const describeAccepted = ({ id, state, shortCode, trouble }: ConnectionView): string =>
  state === 'active'
    ? `Connected: ${id}\nBoth ends have signed. Read the short code to each other: ${shortCode}`
    : `Not answered yet${trouble ? ` (${trouble.code})` : ''}: ${id}\nThe other end is asked again for as long as the invitation holds.`

const list = (terminal: Terminal): Command =>
  subcommand('list', 'Show all connections.').action(async (flags: Flags) => {
    const connections = await (await connectionsClient(flags)).list()
    terminal.out(flags.json ? JSON.stringify(connections) : describeAll(connections))
  })

const describeAll = (connections: readonly ConnectionView[]): string =>
  connections.length === 0
    ? 'No connections: make an invitation with `connect invite`, or take one with `connect accept`.'
    : columns(
        ['connection', 'state', 'label', 'seen', 'waiting', 'short code', ''],
        connections.map((one) => [
          one.id,
          one.state === 'ended' ? `ended (${one.endedBy})` : one.state,
          one.label ?? '',
          one.lastSeen === undefined ? '' : timeOf(one.lastSeen),
          String(one.unacknowledged),
          one.shortCode ?? '',
          remarkOn(one),
        ]),
      )

const remarkOn = ({ blocked, trouble, reachable }: ConnectionView): string => {
  if (blocked) return 'blocked'
  if (trouble) return `trouble: ${trouble.code}`
  return reachable === false ? 'unreachable' : ''
}

const send = (terminal: Terminal): Command =>
  subcommand('send', 'Say something to the other end. Without a text, standard input is sent.')
    .argument(...idArgument)
    .argument('[text]', 'what to say')
    .addOption(
      flag('--commit', 'put a commitment to it on the ledger first, and send it as a private payload'),
    )
    .action(async (given: string, text: string | undefined, flags: Flags & { commit?: boolean }) => {
      const client = await connectionsClient(flags)
      const id = await wholeId(client, given)
      const bytes = text === undefined ? await terminal.readInput() : new TextEncoder().encode(text)
      const said = flags.commit
        ? await client.sayPayload(id, bytes, 'text/plain; charset=utf-8')
        : await client.say(id, { text: decodeUtf8(bytes) })
      const anchored =
        said.c === undefined ? '' : ` Its commitment ${said.c} is in transaction ${said.transaction}.`
      terminal.out(flags.json ? JSON.stringify(said) : `In the outbox as number ${said.number}.${anchored}`)
    })

const listen = (terminal: Terminal): Command =>
  subcommand('listen', 'Show what other ends say, as it comes, until interrupted.')
    .argument('[id]', 'of one connection')
    .addOption(flag('--all', 'begin with what was said before'))
    .action(async (given: string | undefined, flags: Flags & { all?: boolean }) => {
      const client = await connectionsClient(flags)
      const only = given === undefined ? undefined : await wholeId(client, given)
      const ended = new AbortController()
      void terminal.untilInterrupted().then(() => ended.abort())
      try {
        for await (const event of client.events(flags.all ? 0 : undefined, ended.signal)) {
          if (only !== undefined && event.connection !== only) continue
          const [message] =
            event.message === undefined
              ? []
              : (await client.messages(event.connection, event.message)).messages
          if (flags.json) terminal.out(JSON.stringify(message ? { ...event, message } : event))
          else if (message) terminal.out(`${event.connection.slice(0, 8)}  ${describeMessage(message)}`)
          else terminal.err(`${event.connection.slice(0, 8)}  (${event.type})`)
        }
      } catch (error) {
        if (!ended.signal.aborted) throw error
      }
    })

/** What the other end wrote must not steer the terminal. */
const describeMessage = ({ text, json, payload, receipt }: InboxMessage): string => {
  if (text !== undefined) return printable(text)
  if (payload) return `[private payload, ${payload.mediaType}, ${payload.standing}: ${payload.c}]`
  if (receipt) return `[receipt for ${receipt.c}]`
  return printable(JSON.stringify(json))
}

const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, ' ')

const act = (
  name: string,
  description: string,
  action: (client: ConnectionsClient, id: string, flags: { notify?: boolean }) => Promise<ConnectionView>,
) => {
  return (terminal: Terminal): Command =>
    subcommand(name, description)
      .argument(...idArgument)
      .action(async (given: string, flags: Flags & { notify?: boolean }) => {
        const client = await connectionsClient(flags)
        const connection = await action(client, await wholeId(client, given), flags)
        terminal.out(flags.json ? JSON.stringify(connection) : `${connection.id} is ${connection.state}.`)
      })
}

const end = (terminal: Terminal): Command =>
  act('end', 'Let go: the keys are erased, and the other end is told.', (client, id, { notify = true }) =>
    client.end(id, { notify }),
  )(terminal).addOption(flag('--no-notify', "don't tell the other end: it hears when it writes"))

const reveal = (terminal: Terminal): Command =>
  subcommand(
    'reveal',
    'Print all that somebody else needs to check a private payload: `proof check` does, offline.',
  )
    .argument('<commitment>', 'of the payload, 64 hex digits')
    .action(async (commitment: string, flags: Flags) =>
      terminal.out(JSON.stringify(await (await connectionsClient(flags)).reveal(commitment as Hash))),
    )

const passphraseFlag = () =>
  flag('--passphrase <file>', 'the passphrase is in the first line of this file')
    .argParser(parsePath)
    .makeOptionMandatory()

const exportAll = (terminal: Terminal): Command =>
  subcommand('export', 'Write all connections that have not ended into a file, sealed by a passphrase.')
    .argument('<file>', 'to be written')
    .addOption(passphraseFlag())
    .action(async (path: string, flags: Flags & { passphrase: string }) => {
      const client = await connectionsClient(flags)
      const text = await client.export(await readPassphraseFile(flags.passphrase))
      await writeFileDurably(path, text, 0o600)
      terminal.out(
        flags.json
          ? JSON.stringify({ file: path })
          : `Written to ${path}. Make a new one after each rotation.`,
      )
    })

const importAll = (terminal: Terminal): Command =>
  subcommand('import', 'Take connections up again from an exported file.')
    .argument('<file>', 'that was written by `connect export`')
    .addOption(passphraseFlag())
    .action(async (path: string, flags: Flags & { passphrase: string }) => {
      const client = await connectionsClient(flags)
      const text = decodeUtf8(await readNamedFile(path))
      const outcome = await client.import(requireJson(text, path), await readPassphraseFile(flags.passphrase))
      terminal.out(
        flags.json
          ? JSON.stringify(outcome)
          : `${outcome.imported.length} taken up again, ${outcome.skipped.length} here already. Make a new export: the keys are new ones.`,
      )
    })

const requireJson = (text: string, path: string): string => {
  try {
    JSON.parse(text) as Json
    return text
  } catch {
    throw new TautlineError('bad-configuration', `${path} is no export of connections: expected JSON`, {
      path,
    })
  }
}

/** @throws TautlineError when no connection begins so, or several do */
const wholeId = async (client: ConnectionsClient, given: string): Promise<string> => {
  const found = (await client.list()).filter(({ id }) => id.startsWith(given))
  if (found.length === 1) return found[0]!.id
  throw new TautlineError(
    'not-found',
    found.length === 0
      ? `there is no connection ${given}: \`connect list\` shows those that are`
      : `${found.length} connections begin with ${given}: give more of the id`,
  )
}

/** To the second. */
const timeOf = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`

const makers = [
  invite,
  accept,
  list,
  send,
  listen,
  act('ping', 'Ask the other end for a word.', (client, id) => client.ping(id)),
  act('rotate', 'Take new keys for this end.', (client, id) => client.rotate(id)),
  act('block', 'Hear and say nothing for a while.', (client, id) => client.block(id, true)),
  act('unblock', 'Hear and speak again.', (client, id) => client.block(id, false)),
  end,
  reveal,
  exportAll,
  importAll,
]
