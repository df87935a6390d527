/** `tautline verify`: replays a whole ledger from its genesis, believing nothing that lies in the folder. */
import { Command } from 'commander'
import { TautlineError } from '../../errors.ts'
import { type Verified, verifyLedger } from '../../node/verify-ledger.ts'
import { createNodeVerifier } from '../../runtime/node/keys.ts'
import { openExistingFolder, withLedger, withScratchStore } from '../../runtime/node/open-ledger.ts'
import { NoVerdict, reasonOf } from '../failure.ts'
import { dataFlag, jsonFlag, storageFlag } from '../flags.ts'
import { createQuietLog } from '../log.ts'
import { progressBar } from '../progress-bar.ts'
import type { Terminal } from '../terminal.ts'

interface Flags {
  readonly data: string
  readonly storage: string
  readonly json?: boolean
}

export const verifyCommand = (terminal: Terminal): Command =>
  new Command('verify')
    .description('Replay and check a whole ledger from its genesis, while its node is not running.')
    .addOption(dataFlag())
    .addOption(storageFlag())
    .addOption(jsonFlag())
    .addHelpText(
      'after',
      '\nExit code 1 when it does not add up, 2 when it could not be checked, as while its node runs.',
    )
    .action(async (flags: Flags) => {
      const verdict = await verify(flags, terminal).catch(asVerdict)
      if (flags.json) terminal.out(JSON.stringify(verdict))
      if (!verdict.ok) throw new NoVerdict(`the ledger does not verify: ${verdict.reason}`)
      if (!flags.json) terminal.out(describe(verdict))
    })

type Verdict =
  | ({ readonly ok: true; readonly supply: string; readonly burned: string } & Omit<
      Verified,
      'supply' | 'burned'
    >)
  | { readonly ok: false; readonly reason: string }

const verify = async (flags: Flags, terminal: Terminal): Promise<Verdict> => {
  const log = createQuietLog(terminal)
  const folder = await openExistingFolder(flags.data)
  const bar = progressBar(terminal, 'blocks')
  try {
    const { supply, burned, ...counts } = await withLedger(folder, flags.storage, log, (chain, store) =>
      withScratchStore(folder, async (scratch) =>
        verifyLedger(chain, store, scratch, await createNodeVerifier(log), bar.update),
      ),
    )
    return { ok: true, ...counts, supply: supply.toString(), burned: burned.toString() }
  } finally {
    bar.clear()
    await folder.close()
  }
}

/** Trouble with the machine is no verdict about the ledger; whatever else comes up while it is read is one. */
const asVerdict = (error: unknown): Verdict => {
  if (!(error instanceof Error) || isTrouble(error)) throw error
  return { ok: false, reason: reasonOf(error) }
}

const isTrouble = (error: Error): boolean =>
  error instanceof TautlineError
    ? ['bad-configuration', 'folder-in-use', 'storage-unavailable'].includes(error.code)
    : 'syscall' in error

const describe = ({
  height,
  oldest,
  transactions,
  accounts,
  supply,
  burned,
}: Extract<Verdict, { ok: true }>): string => {
  const units = `the ${supply} base units of the genesis${burned === '0' ? '' : `, but for ${burned} that were burned`}`
  const blocks = oldest > 1 ? `blocks ${oldest} to ${height}, all that are kept,` : `${height} blocks`
  return `The ledger adds up: ${blocks} with ${transactions} transactions lead to its head; its ${accounts} accounts hold ${units}.`
}
