/** `tautline peers`: whom a node is linked with, whom it tries to reach, and whom it shuts out. */
import { Command } from 'commander'
import type { PeersView } from '../../node/service.ts'
import { columns } from '../columns.ts'
import { dataFlag, jsonFlag, nodeFlag, readTokenFlag } from '../flags.ts'
import { type NodeFlags, nodeClient } from '../node-client.ts'
import type { Terminal } from '../terminal.ts'

interface Flags extends NodeFlags {
  readonly json?: boolean
}

export const peersCommand = (terminal: Terminal): Command =>
  new Command('peers')
    .description('Show whom the node is linked with, whom it tries to reach, and whom it shuts out.')
    .addOption(nodeFlag())
    .addOption(readTokenFlag())
    .addOption(dataFlag())
    .addOption(jsonFlag())
    .action(async (flags: Flags) => {
      const view = await (await nodeClient(flags)).peers()
      terminal.out(flags.json ? JSON.stringify(view) : describe(view))
    })

const describe = (view: PeersView): string => {
  const tables = [...linked(view), ...dialled(view), ...banned(view)]
  return tables.length > 0
    ? tables.join('\n\n')
    : 'No peers: name some with `start --peer` or `start --join`.'
}

const linked = ({ peers }: PeersView): readonly string[] =>
  someColumns(
    ['linked with', 'dialled', 'height', 'since', 'sent', 'received', 'score', 'version'],
    peers.map(({ id, url = 'by the peer', height = '?', since, sent, received, score, version }) => [
      id,
      url,
      String(height),
      timeOf(since),
      `${sent.bytes} B`,
      `${received.bytes} B`,
      String(score),
      version,
    ]),
  )

const dialled = ({ dialled }: PeersView): readonly string[] =>
  someColumns(
    ['not reached', 'attempts', 'next', 'why'],
    dialled.map(({ url, attempts, next, failure = '' }) => [
      url,
      String(attempts),
      next === undefined ? 'now' : timeOf(next),
      failure,
    ]),
  )

const banned = ({ bans }: PeersView): readonly string[] =>
  someColumns(
    ['shut out', 'until', 'why'],
    bans.map(({ id, until, reason }) => [id, timeOf(until), reason]),
  )

/** Nothing where there are no rows. */
const someColumns = (headings: readonly string[], rows: readonly (readonly string[])[]): readonly string[] =>
  rows.length === 0 ? [] : [columns(headings, rows)]

/** To the second. */
const timeOf = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`
