/** What a running node counts, read from its `/metrics`. */
import { setTimeout as sleep } from 'node:timers/promises'

export interface Counts {
  readonly committed: number
  readonly failed: number
  readonly blocks: number
  readonly entries: number
  /** Sent to peers, of all kinds together. */
  readonly peerMessages: number
  readonly peerBytes: number
}

export const readCounts = async (url: string): Promise<Counts> => {
  const response = await fetch(`${url}/metrics`)
  const text = await response.text()
  return {
    committed: metric(text, 'tautline_transactions_committed_total'),
    failed: metric(text, 'tautline_transactions_failed_total'),
    blocks: metric(text, 'tautline_blocks_committed_total'),
    entries: metric(text, 'tautline_state_entries'),
    peerMessages: metric(text, 'tautline_peer_messages_sent_total'),
    peerBytes: metric(text, 'tautline_peer_bytes_sent_total'),
  }
}

/** The sum over its labels. */
const metric = (text: string, name: string): number => {
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{.*\\})? (\\S+)$`, 'gm'))]
  if (values.length === 0) throw new Error(`the node has no metric ${name}: expected it in /metrics`)
  return values.reduce((sum, [, value]) => sum + Number(value), 0)
}

/** Each look costs the node a third of a millisecond. */
const pollMs = 20
/** Without any progress. */
const patienceMs = 30_000

/** Resolves when so many transactions are final, all of them committed. */
export const untilCommitted = async (url: string, total: number): Promise<void> => {
  let last = -1
  for (let progressMs = Date.now(); ; ) {
    const { committed, failed } = await readCounts(url)
    if (failed > 0) throw new Error(`${failed} transactions of the load were committed as failed`)
    if (committed >= total) return
    if (committed > last) progressMs = Date.now()
    if (Date.now() - progressMs > patienceMs)
      throw new Error(`${committed} of ${total} transactions became final, and no more do`)
    last = committed
    await sleep(pollMs)
  }
}
