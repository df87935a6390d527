/** `tautline doctor`: why the network does not move, from what one of its nodes knows. */
import { Command } from 'commander'
import { unixMs } from '../../units.ts'
import { diagnose } from '../diagnosis.ts'
import { NoVerdict } from '../failure.ts'
import { dataFlag, jsonFlag, nodeFlag, readTokenFlag } from '../flags.ts'
import { type NodeFlags, nodeClient } from '../node-client.ts'
import type { Terminal } from '../terminal.ts'

interface Flags extends NodeFlags {
  readonly json?: boolean
}

export const doctorCommand = (terminal: Terminal): Command =>
  new Command('doctor')
    .description(
      'Why does the network not move? Height, round and step, and whose votes are missing since when.',
    )
    .addOption(nodeFlag())
    .addOption(readTokenFlag())
    .addOption(dataFlag())
    .addOption(jsonFlag())
    .addHelpText(
      'after',
      '\nExit code 1 when the network does not move. With --json as GET /v1/consensus answers.',
    )
    .action(async (flags: Flags) => {
      const client = await nodeClient(flags)
      const [consensus, status] = await Promise.all([client.consensus(), client.status()])
      const { moves, sentences } = diagnose(consensus, status, unixMs(Date.now()))
      terminal.out(flags.json ? JSON.stringify(consensus) : sentences.join('\n'))
      if (!moves)
        throw new NoVerdict(`block ${consensus.height} is waited for; ask again, and at other nodes too`)
    })
