/** `tautline send`: a transfer from signature to block, for people. */
import { Command } from 'commander'
import { createClient } from '../../client/client.ts'
import { signTransaction } from '../../client/sign-transaction.ts'
import type { Submission } from '../../node/service.ts'
import type { Address, Amount } from '../../units.ts'
import { NoVerdict } from '../failure.ts'
import { dataFlag, flag, jsonFlag, keyFileFlag, nodeFlag, parseAddress, parseAmount } from '../flags.ts'
import { type NodeFlags, nodeUrl } from '../node-url.ts'
import { type KeyFlags, loadSigner } from '../signer.ts'
import type { Terminal } from '../terminal.ts'
import { inAnHour } from '../validity.ts'

interface Flags extends NodeFlags, KeyFlags {
  readonly memo?: string
  readonly json?: boolean
}

export const sendCommand = (terminal: Terminal): Command =>
  new Command('send')
    .description('Transfer base units to another account, and wait until the transfer is final.')
    .argument('<to>', 'address of the receiver', parseAddress)
    .argument('<amount>', 'base units, a whole number', parseAmount)
    .addOption(flag('--memo <text>', 'a note in the transaction, at most 256 bytes'))
    .addOption(dataFlag())
    .addOption(keyFileFlag())
    .addOption(nodeFlag())
    .addOption(jsonFlag())
    .action(async (to: Address, amount: Amount, flags: Flags) => {
      const submission = await send(to, amount, flags)
      if (flags.json) terminal.out(JSON.stringify(submission))
      refuseUnlessCommitted(submission)
      if (!flags.json)
        terminal.out(
          `Committed in block ${submission.height} as number ${submission.index}: ${submission.id}`,
        )
    })

const send = async (to: Address, amount: Amount, flags: Flags): Promise<Submission> => {
  const signer = await loadSigner(flags)
  const client = createClient({ url: await nodeUrl(flags) })
  const [{ network }, { nonce }, { parameters }] = await Promise.all([
    client.status(),
    client.account(signer.address),
    client.genesis(),
  ])
  const operations = [{ type: 'transfer' as const, to, amount }]
  const memo = flags.memo === undefined ? {} : { memo: flags.memo }
  const { text } = await signTransaction(
    { network, nonce, validUntil: inAnHour(), operations, ...memo },
    signer,
    parameters,
  )
  return client.submit(text, { wait: true })
}

type Final = Exclude<Submission, { status: 'pending' }>

function refuseUnlessCommitted(submission: Submission): asserts submission is Final {
  if (submission.status === 'pending') {
    throw new NoVerdict(`not final yet; ask later for transaction ${submission.id}`)
  }
  if (submission.status === 'failed') {
    const { id, height, reason } = submission
    throw new NoVerdict(
      `failed in block ${height}, and paid only its fee: ${reason?.detail ?? 'no reason given'} (${id})`,
    )
  }
}
