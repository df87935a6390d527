/**
 * The ledger's objects in an ObjectStore: which key holds what.
 *
 * | key | value |
 * |---|---|
 * | `genesis` | canonical text of the genesis, with what the network id is the hash of |
 * | `block:<height>` | canonical text of the block |
 * | `certificate:<height>` | canonical text of its certificate |
 * | `header:<height>` | canonical text of the header of a block that is gone, and that proofs lead over |
 * | `failures:<height>` | why transactions failed, by index; absent when none did |
 * | `height:<block hash>` | its height |
 * | `transaction:<id>` | its place, `<height>.<index>` |
 * | `history:<address>:<number>` | place of an account's transaction |
 * | `validators:<hash>` | canonical text of a validator list |
 * | `hop:<number>` | height of a block after which another validator set votes |
 * | `page:<height>:<ordinal>` | page of the state, as of that checkpoint |
 * | `stale:<number>` | keys of pages that a checkpoint made unnecessary, and its height |
 *
 * Heights and numbers in keys have 16 digits, so that keys sort as they do.
 */
import * as z from 'zod'
import { decodeUtf8, encodeUtf8 } from '../codec/bytes.ts'
import { canonicalize, type Json, parseCanonical } from '../codec/json.ts'
import { TautlineError } from '../errors.ts'
import type { AssembledBlock } from '../ledger/assemble-block.ts'
import type { HistoryEntry } from '../ledger/execute-block.ts'
import type { PageLocation } from '../ledger/state/page.ts'
import type { Block, Header } from '../objects/block.ts'
import { type Genesis, type GenesisAnchor, genesisAnchorSchema, genesisSchema } from '../objects/genesis.ts'
import type { CertifiedFinality, Hop } from '../objects/proof.ts'
import { hashValidators, type ValidatorList } from '../objects/validators.ts'
import { type Certificate, certificateSchema } from '../objects/vote.ts'
import type { ObjectKey, ObjectStore } from '../ports/object-store.ts'
import {
  type Address,
  height as asHeight,
  type BlockHash,
  type Hash,
  type Height,
  type TransactionId,
} from '../units.ts'
import type { FailureReason } from './service.ts'

/** Where a transaction stands in the ledger. */
export interface Place {
  readonly height: Height
  readonly index: number
}

const digits = (value: number): string => value.toString().padStart(16, '0')

export const keys = {
  genesis: 'genesis',
  block: (height: Height) => `block:${digits(height)}`,
  certificate: (height: Height) => `certificate:${digits(height)}`,
  header: (height: Height) => `header:${digits(height)}`,
  failures: (height: Height) => `failures:${digits(height)}`,
  heightOf: (hash: BlockHash) => `height:${hash}`,
  transaction: (id: TransactionId) => `transaction:${id}`,
  history: (address: Address, number: number) => `history:${address}:${digits(number)}`,
  validators: (hash: Hash) => `validators:${hash}`,
  hop: (number: number) => `hop:${digits(number)}`,
  stale: (number: number) => `stale:${digits(number)}`,
}

/** Of the keys that pruning removes. */
export const prunedPrefixes = ['block:', 'certificate:', 'failures:', 'height:', 'history:', 'transaction:']

const storedGenesisSchema = z.strictObject({ anchor: genesisAnchorSchema, genesis: genesisSchema })

export type Put = readonly [ObjectKey, Uint8Array]

const put = (key: ObjectKey, text: string): Put => [key, encodeUtf8(text)]
const placeText = ({ height, index }: Place): string => `${height}.${index}`

export interface BlockRecord {
  readonly block: AssembledBlock
  readonly certificate: Certificate
  readonly history: readonly HistoryEntry[]
  /** Who votes on the next block. */
  readonly validators: ValidatorList
  /** Number of this change of the validator set, when it is one. */
  readonly hop?: number
}

/** What committing a block writes, but for pages and head. */
export const blockPuts = ({ block, certificate, history, validators, hop }: BlockRecord): Put[] => {
  const { height } = block.header
  const puts = [
    put(keys.block(height), block.text),
    put(keys.certificate(height), canonicalize(certificate)),
    put(keys.heightOf(block.hash), String(height)),
  ]
  // Each place is written once for the transaction and once for every account that it touches.
  const places = block.transactions.map((_, index) => encodeUtf8(placeText({ height, index })))
  for (const [index, { id }] of block.transactions.entries())
    puts.push([keys.transaction(id), places[index]!])
  for (const { address, number, index } of history) puts.push([keys.history(address, number), places[index]!])
  const failures = failuresOf(block)
  if (Object.keys(failures).length > 0)
    puts.push(put(keys.failures(height), canonicalize(failures as unknown as Json)))
  if (hop !== undefined) {
    puts.push(
      put(keys.hop(hop), String(height)),
      put(keys.validators(hashValidators(validators)), canonicalize(validators)),
    )
  }
  return puts
}

export const genesisPuts = (genesis: Genesis, anchor: GenesisAnchor): Put[] => [
  put(keys.genesis, canonicalize({ anchor, genesis })),
  put(keys.validators(hashValidators(genesis.validators)), canonicalize(genesis.validators)),
]

/** Pages that no state from a height on has. */
export interface StalePages {
  readonly height: Height
  readonly pages: readonly PageLocation[]
}

/**
 * What a ledger holds of the time before its first block: where proofs lead, up to the header that it begins after.
 *
 * @param validators - who vote on its first block
 */
export const arrivalPuts = (
  { hops, header, certificate }: CertifiedFinality,
  validators: ValidatorList,
): Put[] => {
  const next = put(keys.validators(header.nextValidatorsHash), canonicalize(validators))
  const isHop = header.nextValidatorsHash !== header.validatorsHash
  return [
    ...hops.flatMap((hop, number) => hopPuts(number, hop)),
    headerPut(header),
    put(keys.certificate(header.height), canonicalize(certificate)),
    next,
    ...(isHop ? [put(keys.hop(hops.length), String(header.height))] : []),
  ]
}

const hopPuts = (number: number, { header, certificate, validators }: Hop): Put[] => [
  put(keys.hop(number), String(header.height)),
  headerPut(header),
  put(keys.certificate(header.height), canonicalize(certificate)),
  put(keys.validators(header.nextValidatorsHash), canonicalize(validators)),
]

export const stalePut = (number: number, { height, pages }: StalePages): Put =>
  put(keys.stale(number), canonicalize({ height, pages: [...pages] }))

const failuresOf = ({ outcomes }: AssembledBlock): Record<string, FailureReason> => {
  const failures: Record<string, FailureReason> = {}
  for (const [index, outcome] of outcomes.entries())
    if (outcome.status === 'failed') failures[index] = outcome.reason
  return failures
}

export const headerPut = (header: Header): Put => put(keys.header(header.height), canonicalize(header))

/**
 * The header of a block, without its transactions being read.
 *
 * @param text - canonical, of a block that was checked: evidence, which comes first, has no member of this name
 */
export const headerIn = (text: string): Header => {
  const start = text.indexOf(headerName) + headerName.length
  return JSON.parse(text.slice(start, text.indexOf(nextName, start))) as Header
}

const headerName = '"header":'
const nextName = ',"transactions":'

export class LedgerReader {
  readonly #store: ObjectStore
  readonly #oldest: () => Height

  /** @param oldest - of the blocks that are kept */
  constructor(store: ObjectStore, oldest: () => Height) {
    this.#store = store
    this.#oldest = oldest
  }

  async genesis(): Promise<{ genesis: Genesis; anchor: GenesisAnchor }> {
    return storedGenesisSchema.parse(parseCanonical(await this.#needed(keys.genesis)))
  }

  /** A block was checked before it was committed, so what is read back is not: that costs 10 µs a transaction. */
  async block(height: Height): Promise<Block> {
    return JSON.parse(await this.blockText(height)) as Block
  }

  /** Canonical text of a block. */
  blockText(height: Height): Promise<string> {
    return this.#kept(height, keys.block(height))
  }

  /** Also of a block that is gone, if proofs lead over it. */
  async header(height: Height): Promise<Header> {
    if (height >= this.#oldest()) return headerIn(await this.blockText(height))
    return JSON.parse(await this.#kept(height, keys.header(height))) as Header
  }

  async certificate(height: Height): Promise<Certificate> {
    return certificateSchema.parse(parseCanonical(await this.certificateText(height)))
  }

  /** Canonical text of a certificate. */
  certificateText(height: Height): Promise<string> {
    return this.#kept(height, keys.certificate(height))
  }

  /** Why transactions of a block failed, by their index. */
  async failures(height: Height): Promise<Readonly<Record<string, FailureReason>>> {
    const text = await this.#text(keys.failures(height))
    return text === undefined ? {} : (JSON.parse(text) as Record<string, FailureReason>)
  }

  async heightOf(hash: BlockHash): Promise<Height | undefined> {
    const text = await this.#text(keys.heightOf(hash))
    return text === undefined ? undefined : asHeight(Number(text))
  }

  async placeOf(id: TransactionId): Promise<Place | undefined> {
    const text = await this.#text(keys.transaction(id))
    return text === undefined ? undefined : parsePlace(text)
  }

  /** Places of an account's transactions by their numbers; undefined for those whose blocks are not kept. */
  async historyPlaces(address: Address, numbers: readonly number[]): Promise<readonly (Place | undefined)[]> {
    const texts = await this.#store.getMany(numbers.map((number) => keys.history(address, number)))
    return texts.map((bytes) => bytes && parsePlace(decodeUtf8(bytes)))
  }

  /** Number of the first entry of a history that is kept, by halving. @param count - of all entries */
  async firstHistoryNumber(address: Address, count: number): Promise<number> {
    let [low, high] = [0, count]
    while (low < high) {
      const middle = (low + high) >> 1
      const [place] = await this.historyPlaces(address, [middle])
      if (place) high = middle
      else low = middle + 1
    }
    return low
  }

  async validators(hash: Hash): Promise<ValidatorList> {
    return JSON.parse(await this.#needed(keys.validators(hash))) as ValidatorList
  }

  async hopHeight(number: number): Promise<Height> {
    return asHeight(Number(await this.#needed(keys.hop(number))))
  }

  async stalePages(number: number): Promise<StalePages> {
    return JSON.parse(await this.#needed(keys.stale(number))) as StalePages
  }

  async #text(key: ObjectKey): Promise<string | undefined> {
    const bytes = await this.#store.get(key)
    return bytes && decodeUtf8(bytes)
  }

  async #needed(key: ObjectKey): Promise<string> {
    return (await this.#text(key)) ?? missing(key)
  }

  /** What belongs to a block. */
  async #kept(height: Height, key: ObjectKey): Promise<string> {
    const text = await this.#text(key)
    if (text === undefined && height < this.#oldest()) throw pruned(height, this.#oldest())
    return text ?? missing(key)
  }
}

const parsePlace = (text: string): Place => {
  const [height, index] = text.split('.')
  return { height: asHeight(Number(height)), index: Number(index) }
}

/** A block is not kept here any more, or never was. */
export const pruned = (height: Height, oldest: Height): TautlineError =>
  new TautlineError(
    'pruned',
    `this node keeps no blocks below ${oldest}, and this is about block ${height}: ask a node that keeps more`,
    { height, oldest },
  )

const missing = (key: ObjectKey): never => {
  throw new TautlineError(
    'damaged-folder',
    `the ledger lacks ${key}, which its head needs: run \`tautline verify\`, and restore a backup if it agrees`,
    { key },
  )
}
