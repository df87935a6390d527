/**
 * Pruner: keeps a ledger as small as its operator wants.
 *
 * In: how much to keep, and that the head has moved or time has passed. Out: the oldest blocks removed, some at a
 * time, so that commits never wait long. What a start or a proof needs stays whatever was wanted: the state, the
 * blocks since the oldest snapshot, and the headers where the validators changed.
 */
import { TautlineError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import { height as asHeight, type Height } from '../units.ts'
import type { Chain } from './chain.ts'
import { prunedPrefixes } from './ledger-store.ts'

/** The newest blocks, as many as … */
export type Keep =
  | { readonly kind: 'all' }
  | { readonly kind: 'blocks'; readonly blocks: number }
  | { readonly kind: 'age'; readonly ageMs: number }
  /** Of their canonical texts. */
  | { readonly kind: 'size'; readonly sizeBytes: number }

/** Blocks that are removed in one step. */
export const maxPrunedAtOnce = 32
/** How long after the head moved, or a step failed. Blocks that come meanwhile are looked at together. */
const restMs = 1_000
/** The room of removed blocks is given back when they had so many bytes, and a fourth of what is kept: it takes rewriting that. */
const reclaimBytes = 16 * 1024 * 1024
/** How often it is looked whether blocks have become too old while none come. */
const ageCheckMs = 10 * 60_000

export interface PrunerParts {
  readonly chain: Chain
  readonly store: Pick<ObjectStore, 'reclaim'>
  readonly keep: Keep
  readonly clock: Clock
  readonly log: Log
}

export class Pruner {
  readonly #parts: PrunerParts
  #cancel: (() => void) | undefined
  #isAtWork = false
  #isClosed = false
  /** Bytes of blocks that were removed since their room was last given back. */
  #removedBytes = 0

  constructor(parts: PrunerParts) {
    this.#parts = parts
    this.headMoved()
  }

  /** There is a new block. */
  headMoved(): void {
    if (this.#parts.keep.kind !== 'all') this.#rest(restMs)
  }

  /** What is being removed is finished by the chain. */
  close(): void {
    this.#isClosed = true
    this.#cancel?.()
  }

  /** One that is under way already stays as it is. */
  #rest(delayMs: number): void {
    if (this.#isAtWork || this.#isClosed) return
    this.#cancel ??= this.#parts.clock.schedule(delayMs, () => void this.#work())
  }

  async #work(): Promise<void> {
    const { log, keep } = this.#parts
    this.#cancel = undefined
    this.#isAtWork = true
    try {
      while (!this.#isClosed && (await this.#step()));
      await this.#reclaim()
    } catch (error) {
      if (!(error instanceof TautlineError)) throw error
      if (!this.#isClosed)
        log.warn(`old blocks could not be removed: ${error.message}; trying again after the next block`)
    } finally {
      this.#isAtWork = false
    }
    if (keep.kind === 'age') this.#rest(ageCheckMs)
  }

  /** @returns whether anything was removed */
  async #step(): Promise<boolean> {
    const { chain } = this.#parts
    const { oldest } = chain.kept
    const below = await this.#firstWanted(asHeight(oldest + maxPrunedAtOnce))
    this.#removedBytes += await chain.prune(below)
    return chain.kept.oldest > oldest
  }

  /** The lowest block that is wanted, or the given height if that is lower. */
  async #firstWanted(highest: Height): Promise<Height> {
    const { chain, keep, clock } = this.#parts
    const { oldest, blockBytes } = chain.kept
    const limit = Math.min(highest, chain.oldestNeeded)
    let surplusBytes = keep.kind === 'size' ? blockBytes - keep.sizeBytes : 0
    let at = oldest
    for (; at < limit; at = asHeight(at + 1)) {
      switch (keep.kind) {
        case 'all':
          return at
        case 'blocks':
          if (at > chain.head.height - keep.blocks) return at
          break
        case 'age':
          if ((await chain.reader.header(at)).time > clock.now() - keep.ageMs) return at
          break
        case 'size':
          if (surplusBytes <= 0) return at
          surplusBytes -= (await chain.reader.blockText(at)).length
      }
    }
    return at
  }

  async #reclaim(): Promise<void> {
    const { chain, store, log } = this.#parts
    const { oldest, blockBytes } = chain.kept
    if (this.#isClosed || this.#removedBytes < Math.max(reclaimBytes, blockBytes / 4)) return
    log.debug('old blocks were removed', { oldest, bytes: this.#removedBytes })
    this.#removedBytes = 0
    await store.reclaim(prunedPrefixes)
  }
}
