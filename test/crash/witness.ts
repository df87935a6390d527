/**
 * Remembers all that a node has ever told anybody to be final, over all of its lives, and holds it to that.
 */
import type { Client } from '../../src/client/client.ts'
import type { Json } from '../../src/codec/json.ts'
import type { FinalTransaction } from '../../src/node/service.ts'
import { type Block, hashHeader } from '../../src/objects/block.ts'
import { decodeTransaction } from '../../src/objects/transaction.ts'
import { type Address, type BlockHash, type Height, height, type TransactionId } from '../../src/units.ts'
import { pick, type Random } from './random.ts'

/** How many of the older answers are asked for again after each restart, by their ids. */
const sampleSize = 30

export class Witness {
  readonly #addresses: readonly Address[]
  readonly #supply: bigint
  /** What was answered as committed: the place of each. */
  readonly #told = new Map<TransactionId, string>()
  /** What the blocks hold, each read once. */
  readonly #found = new Map<TransactionId, string>()
  readonly #nonces = new Map<Address, number>()
  #head: { readonly height: Height; readonly hash: BlockHash }

  /** @param addresses - of all accounts that hold anything */
  constructor(addresses: readonly Address[], supply: bigint, network: BlockHash) {
    this.#addresses = addresses
    this.#supply = supply
    this.#head = { height: height(0), hash: network }
  }

  get told(): number {
    return this.#told.size
  }

  get head(): Height {
    return this.#head.height
  }

  /** Every transaction is in order, so that none may fail. */
  readonly tell = ({ id, status, height, index }: FinalTransaction): void => {
    const place = `${height}.${index} ${status}`
    const before = this.#told.get(id)
    if (before !== undefined && before !== place)
      throw new Error(`${id} was at ${before}, and is at ${place}`)
    this.#told.set(id, place)
  }

  /** All that was told is there, at its place and once; nonces leave no gap; supply is what it was. */
  async check(client: Client, random: Random): Promise<void> {
    await this.#readNewBlocks(client)
    for (const [id, place] of this.#told) {
      if (this.#found.get(id) !== place)
        throw new Error(`${id} was told to be at ${place}, and is ${this.#found.get(id) ?? 'lost'}`)
    }
    await this.#askForSome(client, random)
    await this.#addUp(client)
  }

  /** What was read before can't have changed: the next block names the last by its hash. */
  async #readNewBlocks(client: Client): Promise<void> {
    if (this.#head.height > 0) {
      const { hash } = await client.block(this.#head.height)
      if (hash !== this.#head.hash) throw new Error(`block ${this.#head.height} is another one now`)
    }
    const { head } = await client.status()
    while (this.#head.height < head.height) {
      const { blocks } = await client.segment(height(this.#head.height + 1))
      for (const block of blocks) this.#read(block)
    }
    if (this.#head.hash !== head.hash) throw new Error('the blocks do not lead to the head')
  }

  #read({ header, transactions }: Block): void {
    if (header.parent !== this.#head.hash)
      throw new Error(`block ${header.height} does not follow the one before`)
    for (const [index, transaction] of transactions.entries()) {
      const { id } = decodeTransaction(transaction as unknown as Json)
      if (this.#found.has(id)) throw new Error(`${id} is in the ledger twice`)
      const next = this.#nonces.get(transaction.from) ?? 0
      if (transaction.nonce !== next)
        throw new Error(`${id} has nonce ${transaction.nonce} instead of ${next}`)
      this.#nonces.set(transaction.from, next + 1)
      this.#found.set(id, `${header.height}.${index} committed`)
    }
    this.#head = { height: header.height, hash: hashHeader(header) }
  }

  async #askForSome(client: Client, random: Random): Promise<void> {
    const ids = [...this.#told.keys()]
    const sample = ids.length === 0 ? [] : Array.from({ length: sampleSize }, () => pick(random, ids))
    for (const id of sample) this.tell((await client.transaction(id)) as FinalTransaction)
  }

  async #addUp(client: Client): Promise<void> {
    const accounts = await Promise.all(this.#addresses.map((address) => client.account(address)))
    for (const { address, nonce } of accounts) {
      const expected = this.#nonces.get(address) ?? 0
      if (nonce !== expected)
        throw new Error(`account ${address} has nonce ${nonce} after ${expected} transactions`)
    }
    const sum = accounts.reduce((sum, { balance, stake }) => sum + BigInt(balance) + BigInt(stake), 0n)
    if (sum !== this.#supply) throw new Error(`supply is ${sum} instead of ${this.#supply}`)
  }
}
