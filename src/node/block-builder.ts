/** Builds this node's own blocks: whether there is anything to put into one, and what. */
import type { Dropped, Mempool } from '../mempool/mempool.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import { type Address, type UnixMs, unixMs } from '../units.ts'
import type { Candidate, Chain } from './chain.ts'
import type { Door } from './door.ts'
import type { EvidencePool } from './evidence-pool.ts'

/** How long a proposer waits for transactions that are at the door already: full blocks cost less than many small ones. */
export const lingerMs = 20

export interface BlockBuilderParts {
  readonly chain: Chain
  readonly mempool: Mempool
  readonly door: Door
  readonly evidence: EvidencePool
  readonly clock: Clock
  readonly log: Log
  readonly onDropped: (dropped: readonly Dropped[]) => void
}

export class BlockBuilder {
  readonly #parts: BlockBuilderParts

  constructor(parts: BlockBuilderParts) {
    this.#parts = parts
  }

  /** There is something that a block made now could hold, or a heartbeat is due. */
  get hasContent(): boolean {
    const { mempool, evidence } = this.#parts
    const time = this.#blockTime()
    return mempool.hasIncludable(time) || evidence.hasIncludable || this.#isHeartbeatDue(time)
  }

  /** Milliseconds until the heartbeat is due; negative when it is. */
  get untilHeartbeatMs(): number {
    const { chain, clock } = this.#parts
    return chain.head.time + chain.genesis.parameters.heartbeatMs - clock.now()
  }

  /** @returns undefined when there is nothing that a block could hold, and no heartbeat due */
  async build(proposer: Address): Promise<Candidate | undefined> {
    const { chain, mempool, evidence, onDropped } = this.#parts
    const { maxBlockTransactions, maxBlockBytes } = chain.genesis.parameters
    await this.#linger(maxBlockTransactions)
    const time = this.#blockTime()
    this.#warnWhenLate(time)
    onDropped(mempool.expire(time))
    const selected = mempool.select({
      timeMs: time,
      maxTransactions: maxBlockTransactions,
      maxBytes: maxBlockBytes,
    })
    const candidate = await chain.execute(selected, { time, proposer, evidence: evidence.select() })
    const refused = candidate.execution.refused.map(({ transaction }) => transaction.id)
    if (refused.length > 0) onDropped(mempool.invalidate(refused))
    const { execution } = candidate
    const isEmpty = execution.included.length === 0 && execution.evidence.length === 0
    return isEmpty && !this.#isHeartbeatDue(time) ? undefined : candidate
  }

  async #linger(enough: number): Promise<void> {
    const { door, mempool, clock } = this.#parts
    if (door.isEmpty || mempool.size.transactions >= enough) return
    const over = new AbortController()
    const cancel = clock.schedule(lingerMs, () => over.abort())
    await door.empty(over.signal)
    cancel()
  }

  #warnWhenLate(time: UnixMs): void {
    const { clock, chain, log } = this.#parts
    const behindMs = time - clock.now()
    if (behindMs <= chain.genesis.parameters.clockPrecisionMs) return
    log.warn(
      "this machine's clock is behind the last block: no block of its own can be valid until it has caught up",
      { behindMs },
    )
  }

  #blockTime(): UnixMs {
    const { chain, clock } = this.#parts
    return unixMs(Math.max(clock.now(), chain.head.time + 1))
  }

  #isHeartbeatDue(time: UnixMs): boolean {
    const { head, genesis } = this.#parts.chain
    return time >= head.time + genesis.parameters.heartbeatMs
  }
}
