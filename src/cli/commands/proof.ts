/** `tautline proof check`: checks a proof that a node gave, without asking any node. */
import { Command } from 'commander'
import { type Verdict, verifyProof } from '../../client/verify-proof.ts'
import { decodeUtf8 } from '../../codec/bytes.ts'
import { TautlineError } from '../../errors.ts'
import type { NetworkId } from '../../units.ts'
import { NoVerdict } from '../failure.ts'
import { flag, jsonFlag, parseNetworkId } from '../flags.ts'
import { readNamedFile } from '../read-named-file.ts'
import type { Terminal } from '../terminal.ts'

interface Flags {
  readonly network: NetworkId
  readonly json?: boolean
}

export const proofCommand = (terminal: Terminal): Command =>
  new Command('proof').description('Check proofs: `proof check`.').addCommand(checkCommand(terminal))

const checkCommand = (terminal: Terminal): Command =>
  new Command('check')
    .description(
      'Check the answer of a request with ?proof=true, offline; exit code 1 when it does not hold.',
    )
    .argument('<file>', "the node's answer as it was saved; - reads standard input")
    .addOption(
      flag('--network <id>', 'the network that you trust, 64 hex digits')
        .argParser(parseNetworkId)
        .makeOptionMandatory(),
    )
    .addOption(jsonFlag())
    .action(async (file: string, { network, json }: Flags) => {
      const verdict = await check(
        file === '-' ? await terminal.readInput() : await readNamedFile(file),
        network,
      )
      if (json) terminal.out(JSON.stringify(verdict))
      if (!verdict.ok) throw new NoVerdict(`the proof does not hold: ${verdict.reason}`)
      if (!json) terminal.out(`The proof holds: ${verdict.proves}.`)
    })

const check = async (bytes: Uint8Array, network: NetworkId): Promise<Verdict> => {
  try {
    return await verifyProof(decodeUtf8(bytes), { network })
  } catch (error) {
    if (error instanceof TautlineError) return { ok: false, reason: error.message }
    throw error
  }
}
