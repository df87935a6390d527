/** Proofs of a ledger: how large they are as they travel, and how fast they are checked by whoever has the header. */
import { performance } from 'node:perf_hooks'
import { type Client, createClient } from '../../src/client/client.ts'
import { verifyProof } from '../../src/client/verify-proof.ts'
import { hashHeader } from '../../src/objects/block.ts'
import type { Proof } from '../../src/objects/proof.ts'
import type { BlockHash } from '../../src/units.ts'
import { spreadReceiver } from './accounts.ts'
import type { Ledger } from './ledger.ts'
import type { Figure } from './rows.ts'

/** Accounts all over the state. */
const sampled = 100

export const proofFigures = async (
  ledger: Ledger,
  url: string,
  durationMs: number,
): Promise<readonly Figure[]> => {
  const client = createClient({ url })
  const accounts: string[] = []
  const transactions: string[] = []
  for (let at = 0; at < sampled; at++) {
    const address = spreadReceiver(at, ledger.receivers)
    accounts.push(await client.accountProof(address))
    const [last] = (await client.history(address, { limit: 1 })).transactions
    if (last) transactions.push(await client.transactionProof(last.id))
  }
  return [
    { row: 'accountProof', size: ledger.accounts, samples: accounts.map(bytesOf) },
    { row: 'transactionProof', size: ledger.accounts, samples: transactions.map(bytesOf) },
    {
      row: 'proofChecks',
      size: ledger.accounts,
      samples: [await checksPerSecond(client, accounts, durationMs)],
    },
  ]
}

const bytesOf = (text: string): number => Buffer.byteLength(text)

const checksPerSecond = async (
  client: Client,
  texts: readonly string[],
  durationMs: number,
): Promise<number> => {
  const { network } = await client.status()
  const proofs = texts.map((text) => ({ text, block: blockOf(text) }))
  const startedMs = performance.now()
  let count = 0
  for (; performance.now() - startedMs < durationMs; count++) {
    const { text, block } = proofs[count % proofs.length]!
    const verdict = await verifyProof(text, { network, block })
    if (!verdict.ok) throw new Error(`a good proof was refused: ${verdict.reason}`)
  }
  return (count / (performance.now() - startedMs)) * 1_000
}

const blockOf = (text: string): BlockHash => {
  const { proof } = JSON.parse(text) as { proof: Proof }
  if (!proof.header) throw new Error('the ledger has no block')
  return hashHeader(proof.header)
}
