/** The operations that the flags of `transaction sign` ask for. */
import { type Command, InvalidArgumentError } from 'commander'
import { parseJson } from '../codec/json.ts'
import { TautlineError } from '../errors.ts'
import { type Operation, operationSchema } from '../objects/operation.ts'
import type { Address, Amount } from '../units.ts'
import { flag, parseAddress, parseAmount } from './flags.ts'

export interface OperationFlags {
  readonly to?: Address
  readonly amount?: Amount
  readonly anchor?: string
  readonly operations?: readonly Operation[]
}

export const addOperationFlags = (command: Command): Command =>
  command
    .addOption(flag('--to <address>', 'transfer to this account …').argParser(parseAddress))
    .addOption(flag('--amount <units>', '… this many base units').argParser(parseAmount))
    .addOption(
      flag('--anchor <text>', 'anchor this text, or the hash of something, in the ledger').conflicts([
        'to',
        'amount',
      ]),
    )
    .addOption(
      flag('--operations <json>', 'any operations, as a JSON array')
        .argParser(parseOperations)
        .conflicts(['to', 'amount', 'anchor']),
    )

export const operationsOf = ({ to, amount, anchor, operations }: OperationFlags): readonly Operation[] => {
  if (operations !== undefined) return operations
  if (anchor !== undefined) return [{ type: 'anchor', data: anchor }]
  if (to !== undefined && amount !== undefined) return [{ type: 'transfer', to, amount }]
  throw new TautlineError(
    'bad-configuration',
    'nothing to sign: give --to and --amount, or --anchor, or --operations',
  )
}

const parseOperations = (text: string): readonly Operation[] => {
  const parsed = operationSchema.array().safeParse(readJson(text))
  if (parsed.success) return parsed.data
  const { path, message } = parsed.error.issues[0]!
  throw new InvalidArgumentError(`${['operations', ...path].join('.')}: ${message}.`)
}

const readJson = (text: string): unknown => {
  try {
    return parseJson(text)
  } catch (error) {
    if (error instanceof TautlineError) throw new InvalidArgumentError(`${error.message}.`)
    throw error
  }
}
