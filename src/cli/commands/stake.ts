/** `tautline stake`: becomes a validator with the folder's own key, and leaves again. */
import { Command } from 'commander'
import type { FinalTransaction } from '../../node/service.ts'
import type { Amount } from '../../units.ts'
import { dataFlag, jsonFlag, nodeFlag, parseAmount, readTokenFlag } from '../flags.ts'
import { type SubmitFlags, submit } from '../submit.ts'
import type { Terminal } from '../terminal.ts'

export const stakeCommand = (terminal: Terminal): Command =>
  new Command('stake')
    .description("Put the node's balance at stake, or take it back: `stake bond`, `stake unbond`.")
    .addCommand(bondCommand(terminal))
    .addCommand(unbondCommand(terminal))

const bondCommand = (terminal: Terminal): Command =>
  stakingCommand(
    terminal,
    'stake.bond',
    'bond',
    ({ height }, amount) =>
      `${amount} bonded in block ${height}: from block ${height + 1} on this key votes with its stake; keep its node running.`,
  ).description(
    "Turn balance of the folder's key into stake, and wait until that is final: a key with stake votes.",
  )

const unbondCommand = (terminal: Terminal): Command =>
  stakingCommand(
    terminal,
    'stake.unbond',
    'unbond',
    ({ height }, amount) =>
      `${amount} unbonded in block ${height}: it votes no more from block ${height + 1} on, and comes back when the unbonding period is over (\`tautline account\` says when).`,
  ).description("Turn stake of the folder's key back into balance: all of it to leave the validators.")

const stakingCommand = (
  terminal: Terminal,
  type: 'stake.bond' | 'stake.unbond',
  name: string,
  describe: (final: FinalTransaction, amount: Amount) => string,
): Command =>
  new Command(name)
    .argument('<amount>', 'base units, a whole number', parseAmount)
    .addOption(dataFlag())
    .addOption(nodeFlag())
    .addOption(readTokenFlag())
    .addOption(jsonFlag())
    .action((amount: Amount, flags: SubmitFlags) =>
      submit([{ type, amount }], flags, terminal, (final) => describe(final, amount)),
    )
