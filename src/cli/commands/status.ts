/** `tautline status`: what the node says of itself. */
import { Command } from 'commander'
import { createClient } from '../../client/client.ts'
import type { Status } from '../../node/service.ts'
import { jsonFlag, nodeFlag } from '../flags.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'

interface Flags {
  readonly node: string
  readonly json?: boolean
}

export const statusCommand = (terminal: Terminal): Command =>
  new Command('status')
    .description('Show the network, the head and the mempool of a running node.')
    .addOption(nodeFlag())
    .addOption(jsonFlag())
    .action(async ({ node, json }: Flags) => {
      const status = await createClient({ url: node }).status()
      terminal.out(json ? JSON.stringify(status) : describe(status))
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
