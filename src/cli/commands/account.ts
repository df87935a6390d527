/** `tautline account`: what an account holds. */
import { Command } from 'commander'
import { createClient } from '../../client/client.ts'
import type { AccountView } from '../../node/service.ts'
import type { Address } from '../../units.ts'
import { jsonFlag, nodeFlag, parseAddress } from '../flags.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'

interface Flags {
  readonly node: string
  readonly json?: boolean
}

export const accountCommand = (terminal: Terminal): Command =>
  new Command('account')
    .description('Show an account: balance, nonce and stake.')
    .argument('[address]', "whose account (default: the node's own)", parseAddress)
    .addOption(nodeFlag())
    .addOption(jsonFlag())
    .action(async (given: Address | undefined, { node, json }: Flags) => {
      const client = createClient({ url: node })
      const address = given ?? (await client.status()).node.address
      const account = await client.account(address)
      terminal.out(json ? JSON.stringify(account) : describe(account))
    })

const describe = ({ address, balance, nonce, stake, unbonding, height }: AccountView): string =>
  table([
    ['address', address],
    ['balance', balance],
    ['nonce', String(nonce)],
    ['stake', stake],
    ...unbonding.map(
      ({ amount, time }) => ['unbonding', `${amount} until ${new Date(time).toISOString()}`] as const,
    ),
    ['height', String(height)],
  ])
