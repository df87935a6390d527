/**
 * Blocks that readers of events go through: read and taken apart once for all who come by at about the same time.
 *
 * No reader keeps one while it waits for the network, so that slow ones cost no memory.
 */
import { LRUCache } from 'lru-cache'
import type { Json } from '../codec/json.ts'
import type { Block, Header } from '../objects/block.ts'
import { decodeTransaction } from '../objects/transaction.ts'
import type { Height } from '../units.ts'
import type { Chain } from './chain.ts'
import { type FinalWithTransaction, finalAt } from './finals.ts'
import type { FailureReason } from './service.ts'

/** Characters of text whose blocks are kept: two of the largest, in three times as many bytes of memory. */
const maxKeptChars = 8 * 1024 * 1024

export class RecentBlocks {
  readonly #chain: Chain
  readonly #kept = new LRUCache<Height, RecentBlock>({ maxSize: maxKeptChars })
  readonly #reading = new Map<Height, Promise<RecentBlock>>()

  constructor(chain: Chain) {
    this.#chain = chain
  }

  /** @param height - of a committed block */
  async at(height: Height): Promise<RecentBlock> {
    const known = this.#kept.get(height) ?? this.#reading.get(height)
    if (known) return known
    const reading = this.#read(height).finally(() => this.#reading.delete(height))
    this.#reading.set(height, reading)
    return reading
  }

  async #read(height: Height): Promise<RecentBlock> {
    const { reader } = this.#chain
    const text = await reader.blockText(height)
    const block = new RecentBlock(JSON.parse(text) as Block, await reader.failures(height), text.length)
    this.#kept.set(height, block, { size: text.length })
    return block
  }
}

export class RecentBlock {
  readonly #block: Block
  readonly #failures: Readonly<Record<string, FailureReason>>
  readonly #finals: (FinalWithTransaction | undefined)[] = []
  readonly #chars: number

  constructor(block: Block, failures: Readonly<Record<string, FailureReason>>, chars: number) {
    this.#block = block
    this.#failures = failures
    this.#chars = chars
  }

  get header(): Header {
    return this.#block.header
  }

  /** Number of transactions. */
  get count(): number {
    return this.#block.transactions.length
  }

  final(index: number): FinalWithTransaction {
    this.#finals[index] ??= this.#takeApart(index)
    return this.#finals[index]
  }

  /** About so many of its transactions have that many characters, and at least one. */
  countIn(chars: number): number {
    return Math.max(1, Math.floor((chars * this.count) / this.#chars))
  }

  #takeApart(index: number): FinalWithTransaction {
    const transaction = this.#block.transactions[index]!
    const { id } = decodeTransaction(transaction as unknown as Json)
    const place = { height: this.header.height, index }
    return { ...finalAt(id, place, this.#failures[index]), transaction }
  }
}
