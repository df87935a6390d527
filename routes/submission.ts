/** What is answered to whoever submitted a transaction: at once, or once it is final. */
import type { NodeService, Submission } from '../src/node/service.ts'
import { respondFresh } from './caching.ts'

export interface Waiting {
  readonly waitMs: number
  /** Aborts when the doors close: whoever waits then is told what is known by then. */
  readonly closing: AbortSignal
}

/** 200 when the transaction is final, 202 while it is pending. */
export const respondSubmission = async (
  node: NodeService,
  submission: Submission,
  waiting: Waiting | undefined,
): Promise<Response> => {
  const known =
    submission.status === 'pending' && waiting ? await settle(node, submission, waiting) : submission
  return respondFresh(JSON.stringify(known), known.status === 'pending' ? 202 : 200)
}

const settle = (
  node: NodeService,
  pending: Submission,
  { waitMs, closing }: Waiting,
): Promise<Submission> => {
  if (closing.aborted) return Promise.resolve(pending)
  return new Promise((resolve, reject) => {
    const giveUp = () => resolve(pending)
    closing.addEventListener('abort', giveUp, { once: true })
    node
      .waitUntilFinal(pending.id, waitMs)
      .then(resolve, reject)
      .finally(() => closing.removeEventListener('abort', giveUp))
  })
}
