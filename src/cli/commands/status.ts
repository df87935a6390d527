/** `tautline status`: what the node says of itself, and of the validators. */
import { Command } from 'commander'
import type { Status, ValidatorsView } from '../../node/service.ts'
import { type Address, unixMs } from '../../units.ts'
import { describeSync, lateValidators, percentOf } from '../diagnosis.ts'
import { dataFlag, jsonFlag, nodeFlag, readTokenFlag } from '../flags.ts'
import { type NodeFlags, nodeClient } from '../node-client.ts'
import { table } from '../table.ts'
import type { Terminal } from '../terminal.ts'

interface Flags extends NodeFlags {
  readonly json?: boolean
}

export const statusCommand = (terminal: Terminal): Command =>
  new Command('status')
    .description('Show the network, the head, the mempool, and the validators with who is late.')
    .addOption(nodeFlag())
    .addOption(readTokenFlag())
    .addOption(dataFlag())
    .addOption(jsonFlag())
    .action(async (flags: Flags) => {
      const client = await nodeClient(flags)
      const [status, validators, consensus] = await Promise.all([
        client.status(),
        client.validators(),
        client.consensus(),
      ])
      const late = lateValidators(consensus, status, unixMs(Date.now()))
      terminal.out(flags.json ? JSON.stringify({ ...status, late }) : describe(status, validators, late))
    })

const describe = (status: Status, validators: ValidatorsView, late: readonly Address[]): string => {
  const { network, name, node, head, peers, mempool, sync, version, join } = status
  return table([
    ['network', `${name}, ${network}`],
    ['node', `${node.address} at ${node.url}, version ${version}`],
    ['head', `height ${head.height}, ${head.hash}, ${new Date(head.time).toISOString()}`],
    ...(sync ? [['catching up', describeSync(status)] as const] : []),
    ...validatorRows(validators, node.address, late),
    ['peers', `${peers} connected`],
    ['mempool', `${mempool.transactions} transactions, ${mempool.bytes} bytes`],
    ['join', join],
  ])
}

const validatorRows = (
  { validators, totalStake }: ValidatorsView,
  self: Address,
  late: readonly Address[],
): readonly (readonly [string, string])[] =>
  validators.map(({ address, stake }) => {
    const notes = [
      `stake ${stake} (${percentOf(BigInt(stake), BigInt(totalStake))} %)`,
      ...(address === self ? ['this node'] : []),
      ...(late.includes(address) ? ['late: see `tautline doctor`'] : []),
    ]
    return ['validator', `${address}, ${notes.join(', ')}`] as const
  })
