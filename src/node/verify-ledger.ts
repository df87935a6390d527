/**
 * Verifies a whole ledger: replays it from its genesis into a scratch store, and compares all that lies in it.
 *
 * Blocks are checked by the replay. Beside them a ledger holds what follows from them and is read without
 * another check: the state's pages, the places of transactions, and the histories. Each is compared.
 */
import { type Json, parseCanonical } from '../codec/json.ts'
import { TautlineError } from '../errors.ts'
import { accountKeyPrefix, decodeAccount } from '../ledger/account.ts'
import { genesisSupply } from '../ledger/genesis.ts'
import type { Block } from '../objects/block.ts'
import { decodeTransaction } from '../objects/transaction.ts'
import type { Verifier } from '../ports/keys.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { type Address, height as asHeight, type Height } from '../units.ts'
import { Chain } from './chain.ts'
import { replayBlock } from './replay.ts'

/** History entries that are compared at a time. */
const historyBatch = 1_000

export interface Verified {
  readonly height: Height
  readonly transactions: number
  readonly accounts: number
  readonly supply: bigint
}

/**
 * @param scratch - an empty store, which holds a second copy of the ledger at the end
 * @param onProgress - told after each block
 * @throws TautlineError `ledger-mismatch`, saying where what is wrong
 */
export const verifyLedger = async (
  chain: Chain,
  scratch: ObjectStore,
  verifier: Verifier,
  onProgress: (height: Height, of: Height) => void,
): Promise<Verified> => {
  const replica = await Chain.create(scratch, chain.genesis)
  if (replica.network !== chain.network)
    throw mismatch(`the genesis is of network ${replica.network}, and its id is kept as ${chain.network}`)
  let transactions = 0
  for (let at = asHeight(1); at <= chain.head.height; at = asHeight(at + 1)) {
    const block = await replayBlock(replica, verifier, await readUnchecked(chain, at))
    await comparePlaces(chain, block)
    transactions += block.transactions.length
    onProgress(at, chain.head.height)
  }
  if (replica.head.hash !== chain.head.hash)
    throw mismatch(`the blocks lead to ${replica.head.hash}, and the head is ${chain.head.hash}`)
  return { height: chain.head.height, transactions, ...(await compareState(chain, replica)) }
}

const readUnchecked = async (chain: Chain, at: Height) => ({
  block: parseCanonical(await chain.reader.blockText(at)),
  certificate: (await chain.reader.certificate(at)) as unknown as Json,
})

const comparePlaces = async (chain: Chain, { header, transactions }: Block): Promise<void> => {
  const ids = transactions.map((transaction) => decodeTransaction(transaction as unknown as Json).id)
  const places = await chain.reader.placesOf(ids)
  for (const [index, place] of places.entries()) {
    if (place?.height === header.height && place.index === index) continue
    throw mismatch(
      `transaction ${ids[index]} is in block ${header.height} at ${index}, and is not found there by its id`,
    )
  }
}

/** Reading every entry loads every page, and no page is taken that doesn't match its hash. */
const compareState = async (chain: Chain, replica: Chain): Promise<{ accounts: number; supply: bigint }> => {
  let accounts = 0
  let supply = 0n
  for await (const [key, value] of chain.state.entries(chain.head.state)) {
    if (!key.startsWith(accountKeyPrefix)) continue
    const { balance, stake, unbonding, history } = decodeAccount(value)
    accounts++
    supply += balance + stake + unbonding.reduce((sum, { amount }) => sum + amount, 0n)
    await compareHistory(chain, replica, key.slice(accountKeyPrefix.length) as Address, history)
  }
  const expected = genesisSupply(chain.genesis)
  if (supply !== expected)
    throw mismatch(`the accounts add up to ${supply}, and the genesis made ${expected}`)
  return { accounts, supply }
}

const compareHistory = async (
  chain: Chain,
  replica: Chain,
  address: Address,
  count: number,
): Promise<void> => {
  for (let first = 0; first < count; first += historyBatch) {
    const numbers = Array.from({ length: Math.min(historyBatch, count - first) }, (_, at) => first + at)
    const [kept, replayed] = await Promise.all(
      [chain, replica].map(({ reader }) => reader.historyPlaces(address, numbers)),
    )
    const differs = numbers.findIndex(
      (_, at) => kept![at]!.height !== replayed![at]!.height || kept![at]!.index !== replayed![at]!.index,
    )
    if (differs >= 0)
      throw mismatch(
        `entry ${first + differs} of the history of ${address} names another transaction than the blocks do`,
      )
  }
}

const mismatch = (what: string): TautlineError => new TautlineError('ledger-mismatch', what)
