/** `tautline send`: a transfer from signature to block, for people. */
import { Command } from 'commander'
import type { Address, Amount } from '../../units.ts'
import {
  dataFlag,
  flag,
  jsonFlag,
  keyFileFlag,
  nodeFlag,
  parseAddress,
  parseAmount,
  readTokenFlag,
} from '../flags.ts'
import { type SubmitFlags, submit } from '../submit.ts'
import type { Terminal } from '../terminal.ts'

export const sendCommand = (terminal: Terminal): Command =>
  new Command('send')
    .description('Transfer base units to another account, and wait until the transfer is final.')
    .argument('<to>', 'address of the receiver', parseAddress)
    .argument('<amount>', 'base units, a whole number', parseAmount)
    .addOption(flag('--memo <text>', 'a note in the transaction, at most 256 bytes'))
    .addOption(dataFlag())
    .addOption(keyFileFlag())
    .addOption(nodeFlag())
    .addOption(readTokenFlag())
    .addOption(jsonFlag())
    .action((to: Address, amount: Amount, flags: SubmitFlags) =>
      submit(
        [{ type: 'transfer', to, amount }],
        flags,
        terminal,
        ({ id, height, index }) => `Committed in block ${height} as number ${index}: ${id}`,
      ),
    )
