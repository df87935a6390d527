/** `tautline proof check`: checks a proof that a node gave, without asking any node. */
import { Command } from 'commander'
import { type Accused, type ForkVerdict, verifyFork } from '../../client/verify-fork.ts'
import { type Verdict, verifyProof } from '../../client/verify-proof.ts'
import { type RevealVerdict, verifyReveal } from '../../client/verify-reveal.ts'
import { decodeUtf8 } from '../../codec/bytes.ts'
import { TautlineError } from '../../errors.ts'
import type { NetworkId } from '../../units.ts'
import { columns } from '../columns.ts'
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
      'Check the answer of a request with ?proof=true, a revealed payload, or evidence of a fork, offline; exit code 1 when it does not hold.',
    )
    .argument(
      '<file>',
      "the node's answer as it was saved, or what `tautline light` has written; - reads standard input",
    )
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
      if (!json) terminal.out(describe(verdict))
    })

type Checked = Verdict | ForkVerdict | RevealVerdict

const check = async (bytes: Uint8Array, network: NetworkId): Promise<Checked> => {
  try {
    const text = decodeUtf8(bytes)
    switch (kindOf(text)) {
      case 'fork':
        return await verifyFork(text, { network })
      case 'reveal':
        return await verifyReveal(text, { network })
      default:
        return await verifyProof(text, { network })
    }
  } catch (error) {
    if (error instanceof TautlineError) return { ok: false, reason: error.message }
    throw error
  }
}

/** Of what isn't the plain answer of a node. */
const kindOf = (text: string): unknown => {
  try {
    return (JSON.parse(text) as { kind?: unknown } | null)?.kind
  } catch {
    return undefined
  }
}

const describe = (verdict: Extract<Checked, { ok: true }>): string => {
  const { proves } = verdict
  if (verdict.kind !== 'fork') return `The proof holds: ${proves}.`
  const named = verdict.accused.map(
    ({ validator, stake, charge }) => [validator, stake, charges[charge]] as const,
  )
  return `The evidence holds: ${proves}.\n${columns(['named', 'stake', ''], named)}`
}

const charges: Readonly<Record<Accused['charge'], string>> = {
  equivocation: 'signed both in one round: it has contradicted itself',
  both: 'signed both in different rounds: `tautline blame` tells why, by the messages of that height',
  impossible: 'signed a block with validators whom nothing leads to',
}
