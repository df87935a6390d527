/**
 * What goes with the oldest blocks when they are pruned: their transactions' places, their entries in histories,
 * and all that is filed under their heights. Where the validators change, header and certificate stay, since
 * proofs lead over them for ever; the state, which later blocks build on, has nothing to do with it.
 */
import { utf8Bytes } from '../codec/bytes.ts'
import type { Json } from '../codec/json.ts'
import { accountsTouchedBy } from '../ledger/transact.ts'
import { type Block, hashHeader } from '../objects/block.ts'
import { decodeTransaction } from '../objects/transaction.ts'
import type { ObjectKey } from '../ports/object-store.ts'
import { type Address, height as asHeight, type Height } from '../units.ts'
import { headerPut, keys, type LedgerReader, type Put } from './ledger-store.ts'

export interface OldBlocks {
  readonly puts: readonly Put[]
  readonly removes: readonly ObjectKey[]
  /** Of the texts of the blocks. */
  readonly blockBytes: number
}

/** @param entriesOf - how many entries an account's history has had so far */
export const collectOldBlocks = async (
  reader: LedgerReader,
  { from, below }: { from: Height; below: Height },
  entriesOf: (address: Address) => Promise<number>,
): Promise<OldBlocks> => {
  const history = new OldHistory(reader, entriesOf)
  const puts: Put[] = []
  const removes: ObjectKey[] = []
  let blockBytes = 0
  for (let height = from; height < below; height = asHeight(height + 1)) {
    const text = await reader.blockText(height)
    const { header, transactions } = JSON.parse(text) as Block
    const failures = await reader.failures(height)
    for (const [index, value] of transactions.entries()) {
      const { id, transaction } = decodeTransaction(value as unknown as Json)
      removes.push(keys.transaction(id))
      const status = failures[index] ? 'failed' : 'committed'
      for (const address of accountsTouchedBy(transaction, status)) removes.push(await history.next(address))
    }
    removes.push(keys.failures(height), keys.heightOf(hashHeader(header)), keys.block(height))
    if (header.nextValidatorsHash === header.validatorsHash) removes.push(keys.certificate(height))
    else puts.push(headerPut(header))
    blockBytes += utf8Bytes(text)
  }
  return { puts, removes, blockBytes }
}

/** Entries of histories go in the order in which they came. */
class OldHistory {
  readonly #reader: LedgerReader
  readonly #entriesOf: (address: Address) => Promise<number>
  readonly #next = new Map<Address, number>()

  constructor(reader: LedgerReader, entriesOf: (address: Address) => Promise<number>) {
    this.#reader = reader
    this.#entriesOf = entriesOf
  }

  async next(address: Address): Promise<ObjectKey> {
    const number =
      this.#next.get(address) ??
      (await this.#reader.firstHistoryNumber(address, await this.#entriesOf(address)))
    this.#next.set(address, number + 1)
    return keys.history(address, number)
  }
}
