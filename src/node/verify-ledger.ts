/**
 * Verifies a whole ledger: replays it from its genesis, and compares all that lies in it with what the blocks
 * lead to. Blocks, certificates, places and histories are compared as the replay writes them again; the pages
 * of the state are checked by their hashes, and by what they add up to. A pruned one can't be replayed: see
 * `verify-pruned.ts`.
 */
import { TautlineError } from '../errors.ts'
import { accountKeyPrefix, decodeAccount, holdingsOf } from '../ledger/account.ts'
import { genesisSupply } from '../ledger/genesis.ts'
import { burnedKey, decodeBurned } from '../ledger/working-state.ts'
import type { Verifier } from '../ports/keys.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import type { Height } from '../units.ts'
import { chainSink } from './block-sink.ts'
import { Chain } from './chain.ts'
import { ComparingStore } from './comparing-store.ts'
import { readAll, replayAll } from './replay.ts'
import { verifyPruned } from './verify-pruned.ts'

export interface Verified {
  readonly height: Height
  /** First of the blocks that are kept, and so could be verified. */
  readonly oldest: Height
  /** In these blocks. */
  readonly transactions: number
  readonly accounts: number
  readonly supply: bigint
  /** How much of the supply evidence has destroyed. */
  readonly burned: bigint
}

/**
 * @param store - in which the chain lies
 * @param scratch - an empty store, which holds a second copy of the ledger at the end
 * @param onProgress - told after each block
 * @throws TautlineError `ledger-mismatch`, saying where what is wrong
 */
export const verifyLedger = async (
  chain: Chain,
  store: ObjectStore,
  scratch: ObjectStore,
  verifier: Verifier,
  onProgress: (height: Height, of: Height) => void,
): Promise<Verified> => {
  const { height } = chain.head
  const { oldest } = chain.kept
  const transactions =
    oldest > 1
      ? await verifyPruned(chain, verifier, onProgress)
      : await replayFromGenesis(chain, new ComparingStore(scratch, store), verifier, onProgress)
  await chain.checkStalePages()
  return { height, oldest, transactions, ...(await countState(chain)) }
}

const replayFromGenesis = async (
  chain: Chain,
  store: ObjectStore,
  verifier: Verifier,
  onProgress: (height: Height, of: Height) => void,
): Promise<number> => {
  const replica = await Chain.create(store, chain.genesis)
  let transactions = 0
  await replayAll(readAll(chain), {
    sink: chainSink(replica),
    network: chain.network,
    verifier,
    onApplied: (block) => {
      transactions += block.transactions.length
      onProgress(block.header.height, chain.head.height)
    },
  })
  if (replica.head.hash !== chain.head.hash)
    throw mismatch(`the blocks lead to ${replica.head.hash}, and the head is ${chain.head.hash}`)
  return transactions
}

/** Reading every entry loads every page, and no page is taken that doesn't match its hash. */
const countState = async (chain: Chain): Promise<Pick<Verified, 'accounts' | 'supply' | 'burned'>> => {
  const burned = decodeBurned(chain.head.common.get(burnedKey))
  let accounts = 0
  let supply = burned
  for await (const [key, value] of chain.state.entries(chain.head.state)) {
    if (!key.startsWith(accountKeyPrefix)) continue
    accounts++
    supply += holdingsOf(decodeAccount(value))
  }
  const expected = genesisSupply(chain.genesis)
  if (supply !== expected)
    throw mismatch(`the accounts and what was burned add up to ${supply}, and the genesis made ${expected}`)
  return { accounts, supply, burned }
}

const mismatch = (what: string): TautlineError => new TautlineError('ledger-mismatch', what)
