/** A transaction of a command, from signature to block. */
import { signTransaction } from '../client/sign-transaction.ts'
import type { FinalTransaction, Submission } from '../node/service.ts'
import type { Operation } from '../objects/operation.ts'
import { NoVerdict } from './failure.ts'
import { type NodeFlags, nodeClient } from './node-client.ts'
import { type KeyFlags, loadSigner } from './signer.ts'
import type { Terminal } from './terminal.ts'
import { inAnHour } from './validity.ts'

export interface SubmitFlags extends NodeFlags, KeyFlags {
  readonly memo?: string
  readonly json?: boolean
}

/**
 * Signs, submits, waits until it is final, and prints what became of it.
 *
 * @param describe - says in a sentence what is done then
 * @throws NoVerdict when it isn't committed
 */
export const submit = async (
  operations: readonly Operation[],
  flags: SubmitFlags,
  terminal: Terminal,
  describe: (final: FinalTransaction) => string,
): Promise<void> => {
  const submission = await signAndWait(operations, flags)
  if (flags.json) terminal.out(JSON.stringify(submission))
  const final = requireCommitted(submission)
  if (!flags.json) terminal.out(describe(final))
}

const signAndWait = async (operations: readonly Operation[], flags: SubmitFlags): Promise<Submission> => {
  const signer = await loadSigner(flags)
  const client = await nodeClient(flags)
  const [{ network }, { nonce }, { parameters }] = await Promise.all([
    client.status(),
    client.account(signer.address),
    client.genesis(),
  ])
  const memo = flags.memo === undefined ? {} : { memo: flags.memo }
  const { text } = await signTransaction(
    { network, nonce, validUntil: inAnHour(), operations: [...operations], ...memo },
    signer,
    parameters,
  )
  return client.submit(text, { wait: true })
}

const requireCommitted = (submission: Submission): FinalTransaction => {
  if (submission.status === 'pending') {
    throw new NoVerdict(`not final yet; ask later for transaction ${submission.id}`)
  }
  if (submission.status === 'failed') {
    const { id, height, reason } = submission
    throw new NoVerdict(
      `failed in block ${height}, and paid only its fee: ${reason?.detail ?? 'no reason given'} (${id})`,
    )
  }
  return submission
}
