/** Reading the ledger for those who ask: blocks, segments, transactions, histories, validators. */
import { utf8Bytes } from '../codec/bytes.ts'
import type { Json } from '../codec/json.ts'
import { TautlineError } from '../errors.ts'
import { maxSegmentBytes } from '../messages/limits.ts'
import { type Block, hashHeader } from '../objects/block.ts'
import { decodeTransaction } from '../objects/transaction.ts'
import type { ValidatorList } from '../objects/validators.ts'
import {
  type Address,
  amount,
  height as asHeight,
  type BlockHash,
  type Height,
  type TransactionId,
} from '../units.ts'
import type { Chain } from './chain.ts'
import { type FinalWithTransaction, finalAt } from './finals.ts'
import { headerIn, type Place } from './ledger-store.ts'
import { proveAccount, proveTransaction } from './proofs.ts'
import type { AccountView, CommittedBlock, HistoryPage, SegmentText, ValidatorsView } from './service.ts'

export const readBlock = async (
  chain: Chain,
  at: Height | BlockHash | 'latest',
): Promise<CommittedBlock | undefined> => {
  const height = await heightOf(chain, at)
  if (height === undefined || height < 1 || height > chain.head.height) return undefined
  const block = await chain.reader.block(height)
  return { hash: hashHeader(block.header), block, certificate: await chain.reader.certificate(height) }
}

const heightOf = async (chain: Chain, at: Height | BlockHash | 'latest'): Promise<Height | undefined> => {
  if (at === 'latest') return chain.head.height
  return typeof at === 'number' ? at : chain.reader.heightOf(at)
}

/**
 * Consecutive blocks, ending at the latest where the validators change: the certificate of the last proves all of them.
 * Written out from their texts as they are stored: taking them apart would cost 30 µs a transaction.
 *
 * @param certificates - give each block's own, too
 */
export const readSegment = async (
  { head, reader }: Pick<Chain, 'head' | 'reader'>,
  from: Height,
  limit: number,
  { certificates: areWanted } = { certificates: false },
): Promise<SegmentText> => {
  const blocks: string[] = []
  const certificates: string[] = []
  let bytes = 0
  for (let height = from; height <= head.height && blocks.length < limit; height = asHeight(height + 1)) {
    const block = await reader.blockText(height)
    const certificate = areWanted ? await reader.certificateText(height) : ''
    bytes += utf8Bytes(block) + certificate.length
    if (blocks.length > 0 && bytes > maxSegmentBytes) break
    blocks.push(block)
    if (areWanted) certificates.push(certificate)
    const { validatorsHash, nextValidatorsHash } = headerIn(block)
    if (nextValidatorsHash !== validatorsHash) break
  }
  const members = [`"blocks":[${blocks.join(',')}]`]
  if (areWanted) members.push(`"certificates":[${certificates.join(',')}]`)
  if (blocks.length > 0) {
    const last = certificates.at(-1) ?? (await reader.certificateText(asHeight(from + blocks.length - 1)))
    members.push(`"certificate":${last}`)
  }
  return { text: `{${members.join(',')}}`, blocks: blocks.length }
}

/** @returns undefined when no block has the transaction */
export const readTransaction = async (chain: Chain, id: TransactionId, { proof }: { proof: boolean }) => {
  const place = await chain.reader.placeOf(id)
  if (!place) return undefined
  const final = await readPlace(chain, place)
  if (!proof) return final
  // The reason of a failure is this node's word: it isn't in any hash, so it has no place beside a proof.
  const { reason: _, ...proven } = final
  return { ...proven, proof: await proveTransaction(chain, place) }
}

const readPlace = async (chain: Chain, { height, index }: Place): Promise<FinalWithTransaction> => {
  const block = await chain.reader.block(height)
  const failures = await chain.reader.failures(height)
  return finalsIn(block, failures, [index])[0]!
}

const finalsIn = (
  { header, transactions }: Block,
  failures: Awaited<ReturnType<Chain['reader']['failures']>>,
  indices: readonly number[],
): readonly FinalWithTransaction[] =>
  indices.map((index) => {
    const transaction = transactions[index]!
    const { id } = decodeTransaction(transaction as unknown as Json)
    return { ...finalAt(id, { height: header.height, index }, failures[index]), transaction }
  })

export const readAccount = async (
  chain: Chain,
  address: Address,
  { proof }: { proof: boolean },
): Promise<AccountView> => {
  const head = chain.head
  const { balance, nonce, stake, unbonding, expelled } = await chain.account(address, head)
  const view = {
    address,
    balance: amount(balance),
    nonce,
    stake: amount(stake),
    unbonding: unbonding.map(({ amount: part, time }) => ({ amount: amount(part), time })),
    ...(expelled && ({ expelled } as const)),
    height: head.height,
  }
  return proof ? { ...view, proof: await proveAccount(chain, address, head) } : view
}

/** @param cursor - number of the entry after which the page ends, as the page before gave it */
export const readHistory = async (
  chain: Chain,
  address: Address,
  cursor: string | undefined,
  limit: number,
): Promise<HistoryPage> => {
  const { history: count } = await chain.account(address)
  const end = cursor === undefined ? count : parseCursor(cursor, count)
  const first = Math.max(0, end - limit)
  const numbers = Array.from({ length: end - first }, (_, at) => end - 1 - at)
  const places = await chain.reader.historyPlaces(address, numbers)
  const kept = places.filter((place) => place !== undefined)
  const isEnd = first === 0 || kept.length < places.length
  const transactions: FinalWithTransaction[] = []
  for (const run of runsOfOneBlock(kept)) {
    const height = run[0]!.height
    const block = await chain.reader.block(height)
    transactions.push(
      ...finalsIn(
        block,
        await chain.reader.failures(height),
        run.map(({ index }) => index),
      ),
    )
  }
  return isEnd ? { transactions } : { transactions, cursor: String(first) }
}

const parseCursor = (cursor: string, count: number): number => {
  const end = Number(cursor)
  if (/^\d{1,15}$/.test(cursor) && end <= count) return end
  throw new TautlineError(
    'malformed-request',
    'cursor: expected the `cursor` of the page before, or none for the first page',
    { parameter: 'cursor' },
  )
}

/** An account's transactions of one block lie side by side, and the block is read once for them. */
const runsOfOneBlock = (places: readonly Place[]): readonly (readonly Place[])[] => {
  const runs: Place[][] = []
  for (const place of places) {
    const run = runs.at(-1)
    if (run?.[0]?.height === place.height) run.push(place)
    else runs.push([place])
  }
  return runs
}

/** @returns undefined when there is no such block yet */
export const readValidators = async (
  chain: Chain,
  at: Height | undefined,
): Promise<ValidatorsView | undefined> => {
  const { head } = chain
  const next = asHeight(head.height + 1)
  if (at === undefined || at === next) return validatorsView(next, head.validators.list)
  if (at > next) return undefined
  if (at === 0) return validatorsView(at, chain.genesis.validators)
  const header = await chain.reader.header(at)
  return validatorsView(at, await chain.reader.validators(header.validatorsHash))
}

const validatorsView = (height: Height, validators: ValidatorList): ValidatorsView => ({
  height,
  totalStake: amount(validators.reduce((sum, { stake }) => sum + BigInt(stake), 0n)),
  validators,
})
