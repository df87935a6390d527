/**
 * The command line: flags and variables in, what a command prints and an exit code out.
 *
 * No command ends the process or shows a stack trace: each throws, and {@link run} says in one sentence what
 * was wrong.
 */
import { Command } from 'commander'
import { version } from '../runtime/node/package.ts'
import { accountCommand } from './commands/account.ts'
import { backupCommand } from './commands/backup.ts'
import { blameCommand } from './commands/blame.ts'
import { connectCommand } from './commands/connect.ts'
import { doctorCommand } from './commands/doctor.ts'
import { keyCommand } from './commands/key.ts'
import { lightCommand } from './commands/light.ts'
import { networkCommand } from './commands/network.ts'
import { openapiCommand } from './commands/openapi.ts'
import { peersCommand } from './commands/peers.ts'
import { proofCommand } from './commands/proof.ts'
import { restoreCommand } from './commands/restore.ts'
import { sendCommand } from './commands/send.ts'
import { stakeCommand } from './commands/stake.ts'
import { startCommand } from './commands/start.ts'
import { statusCommand } from './commands/status.ts'
import { transactionCommand } from './commands/transaction.ts'
import { verifyCommand } from './commands/verify.ts'
import { type ExitCode, failureOf } from './failure.ts'
import type { Terminal } from './terminal.ts'

export const buildProgram = (terminal: Terminal): Command => {
  const program = new Command('tautline')
    .description('A peer-to-peer ledger node, and the tools to use it.')
    .version(version, '--version', 'print the version')
    .addHelpText('after', epilogue)
  for (const make of commandMakers) program.addCommand(make(terminal))
  for (const command of withSubcommands(program)) speakThrough(command, terminal)
  return program
}

/** In the order of the help: a newcomer starts at the top. */
const commandMakers = [
  startCommand,
  networkCommand,
  statusCommand,
  peersCommand,
  doctorCommand,
  accountCommand,
  sendCommand,
  stakeCommand,
  connectCommand,
  transactionCommand,
  proofCommand,
  lightCommand,
  keyCommand,
  verifyCommand,
  blameCommand,
  backupCommand,
  restoreCommand,
  openapiCommand,
]

const epilogue = `
Every flag can be given as an environment variable: --data ./ledger is TAUTLINE_DATA=./ledger.
Exit codes: 0 done; 1 the answer is no (a proof that doesn't hold, a refused transaction, a ledger
that doesn't add up); 2 it couldn't be done (a wrong flag, a folder in use, no node there).`

/** @param args - without the program's own name */
export const run = async (args: readonly string[], terminal: Terminal): Promise<ExitCode> => {
  const program = buildProgram(terminal)
  ignoreUnsetVariables(program)
  try {
    await program.parseAsync(args.length === 0 ? ['--help'] : [...args], { from: 'user' })
    return 0
  } catch (error) {
    const { exitCode, sentence } = failureOf(error)
    if (sentence !== undefined) terminal.err(`tautline: ${sentence}`)
    return exitCode
  }
}

const withSubcommands = (command: Command): readonly Command[] => [
  command,
  ...command.commands.flatMap(withSubcommands),
]

const speakThrough = (command: Command, terminal: Terminal): void => {
  command
    .exitOverride()
    .helpOption('--help', 'print this help')
    .helpCommand(false)
    .configureHelp({ helpWidth: 100, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => terminal.out(text.trimEnd()),
      writeErr: (text) => terminal.err(text.trimEnd()),
      outputError: (text, write) => write(`${asSentence(text)}; see \`${fullName(command)} --help\``),
    })
}

const fullName = (command: Command): string =>
  command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name()

/** "error: unknown option '--prot'⏎(Did you mean --port?)⏎" on one line, in our name. */
const asSentence = (text: string): string =>
  text
    .trim()
    .replace(/^error: /, 'tautline: ')
    .replaceAll('\n', ' ')
    .replace(/\.$/, '')

const off = new Set(['0', 'false', 'no', 'off'])

/** An empty variable is an unset one, and a switch can be said to be off; to commander both would mean on. */
const ignoreUnsetVariables = (program: Command): void => {
  for (const option of withSubcommands(program).flatMap(({ options }) => options)) {
    const value = option.envVar === undefined ? undefined : process.env[option.envVar]
    const isSwitch = !option.required && !option.optional
    if (value === '' || (isSwitch && value !== undefined && off.has(value)))
      delete process.env[option.envVar!]
  }
}
