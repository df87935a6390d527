/** `tautline account`: what an account holds. */
import { Command } from 'commander'
import type { AccountView } from '../../node/service.ts'
import type { Address } from '../../units.ts'
import { accountRows } from '../account-rows.ts'
import { dataFlag, jsonFlag, nodeFlag, parseAddress, readTokenFlag } from '../flags.ts'
import { type NodeFlags, nodeClient } from '../node-client.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'

interface Flags extends NodeFlags {
  readonly json?: boolean
}

export const accountCommand = (terminal: Terminal): Command =>
  new Command('account')
    .description('Show an account: balance, nonce and stake.')
    .argument('[address]', "whose account (default: the node's own)", parseAddress)
    .addOption(nodeFlag())
    .addOption(readTokenFlag())
    .addOption(dataFlag())
    .addOption(jsonFlag())
    .action(async (given: Address | undefined, flags: Flags) => {
      const client = await nodeClient(flags)
      const address = given ?? (await client.status()).node.address
      const account = await client.account(address)
      terminal.out(flags.json ? JSON.stringify(account) : describe(account))
    })

const describe = ({ height, ...account }: AccountView): string =>
  table([...accountRows(account), ['height', String(height)]])
