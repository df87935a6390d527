/** `tautline status`: what the node says of itself. */
import { Command } from 'commander'
import { createClient } from '../../client/client.ts'
import type { Status } from '../../node/service.ts'
import { dataFlag, jsonFlag, nodeFlag } from '../flags.ts'
import { type NodeFlags, nodeUrl } from '../node-url.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'

interface Flags extends NodeFlags {
  readonly json?: boolean
}

export const statusCommand = (terminal: Terminal): Command =>
  new Command('status')
    .description('Show the network, the head and the mempool of a running node.')
    .addOption(nodeFlag())
    .addOption(dataFlag())
    .addOption(jsonFlag())
    .action(async (flags: Flags) => {
      const status = await createClient({ url: await nodeUrl(flags) }).status()
      terminal.out(flags.json ? JSON.stringify(status) : describe(status))
    })

const describe = ({
  network,
  name,
  node,
  head,
  validators,
  peers,
  mempool,
  syncing,
  version,
  join,
}: Status): string =>
  table([
    ['network', `${name}, ${network}`],
    ['node', `${node.address} at ${node.url}, version ${version}${syncing ? ', syncing' : ''}`],
    ['head', `height ${head.height}, ${head.hash}, ${new Date(head.time).toISOString()}`],
    ['validators', `${validators}, and ${peers} ${peers === 1 ? 'peer' : 'peers'} connected`],
    ['mempool', `${mempool.transactions} transactions, ${mempool.bytes} bytes`],
    ['join', join],
  ])
