/** `tautline transaction sign`: prints a signed transaction, to be sent by whatever means. */
import { Command } from 'commander'
import { signTransaction } from '../../client/sign-transaction.ts'
import { defaultParameters } from '../../objects/parameters.ts'
import type { Amount, NetworkId } from '../../units.ts'
import {
  dataFlag,
  flag,
  keyFileFlag,
  nodeFlag,
  parseAmount,
  parseNetworkId,
  parseWhole,
  readTokenFlag,
} from '../flags.ts'
import { type NodeFlags, nodeClient } from '../node-client.ts'
import { addOperationFlags, type OperationFlags, operationsOf } from '../operations.ts'
import { type KeyFlags, loadSigner } from '../signer.ts'
import type { Terminal } from '../terminal.ts'
import { inAnHour } from '../validity.ts'

interface Flags extends OperationFlags, NodeFlags, KeyFlags {
  readonly memo?: string
  readonly network?: NetworkId
  readonly nonce?: number
  readonly fee?: Amount
  readonly validUntil?: number
}

export const transactionCommand = (terminal: Terminal): Command =>
  new Command('transaction')
    .description('Make transactions: `transaction sign`.')
    .addCommand(signCommand(terminal))

const signCommand = (terminal: Terminal): Command =>
  addOperationFlags(new Command('sign'))
    .description(
      'Print a signed transaction as one line of JSON. With --network and --nonce no node is asked.',
    )
    .addOption(flag('--memo <text>', 'a note in the transaction, at most 256 bytes'))
    .addOption(dataFlag())
    .addOption(keyFileFlag())
    .addOption(
      flag('--network <id>', 'the network that it is for (default: the one of --node)').argParser(
        parseNetworkId,
      ),
    )
    .addOption(
      flag('--nonce <number>', "the account's next sequence number (default: as --node says)").argParser(
        parseWhole,
      ),
    )
    .addOption(flag('--fee <units>', 'what to pay (default: the least for its size)').argParser(parseAmount))
    .addOption(
      flag(
        '--valid-until <seconds>',
        'Unix time after which it must not be included (default: in an hour)',
      ).argParser(parseWhole),
    )
    .addOption(nodeFlag())
    .addOption(readTokenFlag())
    .addHelpText('after', examples)
    .action(async (flags: Flags) => terminal.out(await sign(flags)))

const examples = `
Examples:
  tautline transaction sign --to taut1… --amount 250 |
    curl -s -H 'content-type: application/json' --data-binary @- http://127.0.0.1:8787/v1/transactions
  tautline transaction sign --operations '[{"type":"stake.bond","amount":"1000000"}]'
  tautline transaction sign --anchor "$(sha256sum < report.pdf)" --network 3f… --nonce 7   # offline`

const sign = async (flags: Flags): Promise<string> => {
  const operations = [...operationsOf(flags)]
  const signer = await loadSigner(flags)
  const client = await nodeClient(flags)
  const isOnline = flags.network === undefined || flags.nonce === undefined
  const network = flags.network ?? (await client.status()).network
  const nonce = flags.nonce ?? (await client.account(signer.address)).nonce
  const parameters =
    isOnline && flags.fee === undefined ? (await client.genesis()).parameters : defaultParameters
  const { fee, memo, validUntil = inAnHour() } = flags
  const parts = { network, nonce, fee, validUntil, operations, ...(memo === undefined ? {} : { memo }) }
  return (await signTransaction(parts, signer, parameters)).text
}
