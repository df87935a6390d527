/** `tautline network update`: a validator's vote to take another out that never comes back. */
import { Command } from 'commander'
import type { Address, Height } from '../../units.ts'
import { dataFlag, flag, jsonFlag, nodeFlag, parseAddress, parseWhole, readTokenFlag } from '../flags.ts'
import { type SubmitFlags, submit } from '../submit.ts'
import type { Terminal } from '../terminal.ts'

interface Flags extends SubmitFlags {
  readonly remove: Address
  readonly fromHeight: Height
}

export const updateCommand = (terminal: Terminal): Command =>
  new Command('update')
    .description("Vote with the folder's key, a validator's, to take another one out of the validators.")
    .addOption(
      flag('--remove <address>', 'the validator that never comes back')
        .argParser(parseAddress)
        .makeOptionMandatory(),
    )
    .addOption(
      flag('--from-height <height>', 'the first block without it, far enough ahead for the others to vote')
        .argParser(parseWhole)
        .makeOptionMandatory(),
    )
    .addOption(dataFlag())
    .addOption(nodeFlag())
    .addOption(readTokenFlag())
    .addOption(jsonFlag())
    .addHelpText('after', explanation)
    .action(({ remove, fromHeight, ...flags }: Flags) =>
      submit(
        [{ type: 'network.update', removeValidator: remove, fromHeight }],
        flags,
        terminal,
        ({ height }) =>
          `voted in block ${height}: ${remove} is out from block ${fromHeight} on if validators with more than two thirds of the stake have voted for the same by then.`,
      ),
    )

const explanation = `
Each validator runs the same command with the same height. Votes are counted once, when the block before that
height has been executed, by the stake that is bonded then. A validator has one open vote: another replaces it.
The stake of who is taken out comes back to it after the unbonding period.`
