/** `tautline network`: networks of several validators, from their foundation to a first look. */
import { Command } from 'commander'
import type { Terminal } from '../terminal.ts'
import { createCommand } from './network-create.ts'
import { upCommand } from './network-up.ts'
import { updateCommand } from './network-update.ts'

export const networkCommand = (terminal: Terminal): Command =>
  new Command('network')
    .description('Networks of several validators: `network up`, `network create`, `network update`.')
    .addCommand(upCommand(terminal))
    .addCommand(createCommand(terminal))
    .addCommand(updateCommand(terminal))
