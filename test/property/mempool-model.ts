/**
 * The mempool's rules in the plainest way: one list, searched and sorted anew at every step.
 *
 * It is told the account nonces instead of keeping them, and has no order but that of arrival.
 */
import type { MempoolLimits } from '../../src/mempool/limits.ts'
import type { DropReason, Selection } from '../../src/mempool/mempool.ts'
import type { DecodedTransaction } from '../../src/objects/transaction.ts'
import type { Address, UnixMs } from '../../src/units.ts'

const dayMs = 86_400_000

export type ModelDrop = readonly [transaction: DecodedTransaction, reason: DropReason]

export const createModel = (limits: MempoolLimits, nonceOf: (sender: Address) => number) => {
  /** In order of arrival. */
  let list: readonly DecodedTransaction[] = []

  const lineOf = (from: Address): readonly DecodedTransaction[] =>
    list
      .filter(({ transaction }) => transaction.from === from)
      .sort((one, other) => one.transaction.nonce - other.transaction.nonce)

  const readyOf = (from: Address): readonly DecodedTransaction[] =>
    lineOf(from).filter(({ transaction }, index) => transaction.nonce === nonceOf(from) + index)

  const isReady = (one: DecodedTransaction): boolean => readyOf(one.transaction.from).includes(one)

  /** Positive when the first pays more per byte. */
  const compareRates = (one: DecodedTransaction, other: DecodedTransaction): number =>
    Number(
      BigInt(one.transaction.fee) * BigInt(other.sizeBytes) -
        BigInt(other.transaction.fee) * BigInt(one.sizeBytes),
    )

  const bytesOf = (all: readonly DecodedTransaction[]): number =>
    all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)

  const without = (gone: readonly DecodedTransaction[]): readonly DecodedTransaction[] =>
    list.filter((one) => !gone.includes(one))

  const refusalOf = ({ transaction: { from, nonce } }: DecodedTransaction): string | undefined => {
    const ahead = nonce - nonceOf(from)
    const ready = readyOf(from).length
    if (ahead < 0) return 'nonce-used'
    if (ahead >= limits.maxAheadPerSender) return ahead === ready ? 'mempool-full' : 'nonce-too-far'
    const waiting = lineOf(from).length - ready
    return ahead > ready && waiting >= limits.maxWaitingPerSender ? 'nonce-too-far' : undefined
  }

  /** Victims in order, or undefined when the newcomer finds no room. */
  const victimsOf = (
    newcomer: DecodedTransaction,
    rival: DecodedTransaction | undefined,
  ): readonly DecodedTransaction[] | undefined => {
    const { from, nonce } = newcomer.transaction
    const newcomerReady = nonce <= nonceOf(from) + readyOf(from).length
    const gone: DecodedTransaction[] = rival === undefined ? [] : [rival]
    const victims: DecodedTransaction[] = []
    const tooMuch = (): boolean => {
      const all = [...without(gone), newcomer]
      return all.length > limits.maxTransactions || bytesOf(all) > limits.maxBytes
    }
    while (tooMuch()) {
      const left = without(victims)
      const isLast = (one: DecodedTransaction): boolean =>
        !left.some(
          ({ transaction }) =>
            transaction.from === one.transaction.from && transaction.nonce > one.transaction.nonce,
        )
      const [worst] = left
        .filter(isLast)
        .filter(({ transaction }) => transaction.from !== from || transaction.nonce > nonce)
        .sort(
          (one, other) =>
            Number(isReady(one)) - Number(isReady(other)) ||
            compareRates(one, other) ||
            list.indexOf(other) - list.indexOf(one),
        )
      if (worst === undefined) return undefined
      const yields = isReady(worst) === newcomerReady ? compareRates(worst, newcomer) < 0 : newcomerReady
      if (!yields) return undefined
      victims.push(worst)
      gone.push(worst)
    }
    return victims
  }

  /** Takes out what has become of no use, and of each sender's what is too much behind a gap. */
  const drop = (gone: readonly DecodedTransaction[], reason: DropReason): readonly ModelDrop[] => {
    list = without(gone)
    const surplus = [...new Set(list.map(({ transaction }) => transaction.from))].flatMap((from) =>
      lineOf(from).slice(readyOf(from).length + limits.maxWaitingPerSender),
    )
    list = without(surplus)
    return [
      ...gone.map((one): ModelDrop => [one, reason]),
      ...surplus.map((one): ModelDrop => [one, 'evicted']),
    ]
  }

  const add = (newcomer: DecodedTransaction): { outcome: string; dropped: readonly ModelDrop[] } => {
    if (list.some(({ id }) => id === newcomer.id)) return { outcome: 'known', dropped: [] }
    const { from, nonce, fee } = newcomer.transaction
    const rival = lineOf(from).find(({ transaction }) => transaction.nonce === nonce)
    const refusal = rival === undefined ? refusalOf(newcomer) : undefined
    if (refusal !== undefined) return { outcome: refusal, dropped: [] }
    if (rival !== undefined) {
      const old = BigInt(rival.transaction.fee)
      const enough = BigInt(fee) >= old + 1n && BigInt(fee) * 100n >= old * 110n
      if (!enough) return { outcome: 'replacement-underpriced', dropped: [] }
    }
    const victims = victimsOf(newcomer, rival)
    if (victims === undefined) return { outcome: 'mempool-full', dropped: [] }
    const replaced = rival === undefined ? [] : [rival]
    list = [...without([...victims, ...replaced]), newcomer]
    return {
      outcome: 'added',
      dropped: [
        ...victims.map((one): ModelDrop => [one, 'evicted']),
        ...replaced.map((one): ModelDrop => [one, 'replaced']),
      ],
    }
  }

  const select = ({ timeMs, maxTransactions, maxBytes }: Selection): readonly DecodedTransaction[] => {
    const selected: DecodedTransaction[] = []
    const lines = [...new Set(list.map(({ transaction }) => transaction.from))].map((from) => [
      ...readyOf(from),
    ])
    while (selected.length < maxTransactions) {
      const [line] = lines
        .filter(({ length }) => length > 0)
        .sort(([one], [other]) => compareRates(other!, one!) || list.indexOf(one!) - list.indexOf(other!))
      if (line === undefined) break
      const lastMs = line[0]!.transaction.validUntil * 1_000
      const fits = bytesOf(selected) + line[0]!.sizeBytes <= maxBytes
      if (fits && timeMs <= lastMs && lastMs <= timeMs + dayMs) selected.push(line.shift()!)
      else line.length = 0
    }
    return selected
  }

  return {
    list: () => list,
    readyOf,
    add,
    select,
    /** After the account nonces have moved. */
    committed: (included: readonly DecodedTransaction[]): readonly ModelDrop[] => {
      const passed = list.filter(({ transaction }) => transaction.nonce < nonceOf(transaction.from))
      const lost = passed.filter((one) => !included.some(({ id }) => id === one.id))
      list = without(passed)
      return lost.map((one): ModelDrop => [one, 'replaced'])
    },
    expire: (timeMs: UnixMs): readonly ModelDrop[] =>
      drop(
        list.filter(({ transaction }) => transaction.validUntil * 1_000 < timeMs),
        'expired',
      ),
    invalidate: (one: DecodedTransaction): readonly ModelDrop[] => drop([one], 'invalid'),
  }
}
