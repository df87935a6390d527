/** Fetches the pages of a snapshot from all who have it, and stores them as they come. */
import type { PageLocation } from '../../ledger/state/page.ts'
import { Arrival, type Named, type Put, type StoredSubtree } from '../../ledger/state/subtree.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { ObjectKey, ObjectStore } from '../../ports/object-store.ts'
import type { Height, NetworkId } from '../../units.ts'
import { type ArrivalRecord, encodeArrival, locationsOf } from '../arrival-record.ts'
import { Bell } from '../bell.ts'
import { progressMs, requestsEach, savedAtOnceChars } from './limits.ts'
import { type Source, SourceFault } from './sources.ts'

export interface DownloadParts {
  readonly store: ObjectStore
  readonly network: NetworkId
  readonly clock: Clock
  readonly log: Log
}

export class Download {
  readonly #parts: DownloadParts
  readonly #sources: readonly Source[]
  readonly #height: Height
  readonly #arrival: Arrival
  /** Pages of earlier snapshots that were outdated already. */
  readonly #outdatedBefore: readonly StoredSubtree[]
  /** Rings when there may be more to ask, or all has come. */
  readonly #changed = new Bell()
  readonly #over = new AbortController()
  #unsavedChars = 0
  #saving: Promise<void> = Promise.resolve()

  /** @param before - what an interrupted arrival has left */
  constructor(
    parts: DownloadParts,
    sources: readonly Source[],
    before: ArrivalRecord | undefined,
    { height, ...root }: Named & { readonly height: Height },
  ) {
    this.#parts = parts
    this.#sources = sources
    this.#height = height
    this.#outdatedBefore = before?.outdated ?? []
    this.#arrival = new Arrival(height, root, before?.stored ?? new Map(), before?.next ?? 0)
  }

  /** @returns whether all of it has come */
  async run(): Promise<boolean> {
    const cancel = this.#tellProgress()
    try {
      await Promise.all(
        this.#sources.flatMap((source) => Array.from({ length: requestsEach }, () => this.#askFor(source))),
      )
      await this.#saving
    } finally {
      cancel()
      this.#over.abort()
    }
    if (!this.#arrival.isComplete) await this.#save()
    return this.#arrival.isComplete
  }

  /**
   * Stores the pages above all others.
   *
   * @returns where the state lies now, and the pages of older snapshots that it doesn't have
   */
  async finish(): Promise<{ readonly location: PageLocation; readonly removes: readonly ObjectKey[] }> {
    const removes = this.#outdated.flatMap(locationsOf)
    const first = this.#arrival.next
    const { puts, root } = this.#arrival.finish()
    // Should this end before there is a head, these will be made again, and those of now belong to nothing.
    const { hash, count, location: at } = root
    const again = this.#arrival.next > first ? [{ hash, count, at, first }] : []
    await this.#write(puts, again)
    return { location: root.location, removes }
  }

  async #askFor(source: Source): Promise<void> {
    while (!this.#arrival.isComplete && source.fault === undefined && !this.#over.signal.aborted) {
      const asked = this.#arrival.ask()
      if (!asked) {
        await this.#changed.rings(this.#over.signal)
        continue
      }
      const refusal = await this.#fetch(source, asked)
      if (refusal !== undefined) {
        this.#arrival.giveBack(asked)
        source.drop(refusal)
      }
      this.#changed.ring()
      if (this.#unsavedChars >= savedAtOnceChars) await this.#save()
    }
    this.#changed.ring() // who waits for what this one was asked must look again
  }

  /** @returns why the answer is no good */
  async #fetch(source: Source, asked: { readonly way: string }): Promise<string | undefined> {
    try {
      const texts = await source.pages(this.#height, asked.way)
      const refusal = this.#arrival.supply(asked, texts)
      if (refusal !== undefined) return `it gave a false page of the snapshot: ${refusal}`
      for (const text of texts) this.#unsavedChars += text.length
      return undefined
    } catch (error) {
      if (error instanceof SourceFault) return error.message
      throw error
    }
  }

  /** One after the other; resolves when all that has come by now is durable. */
  #save(): Promise<void> {
    this.#unsavedChars = 0
    this.#saving = this.#saving.then(() => this.#write(this.#arrival.takePages()))
    return this.#saving
  }

  #write(puts: readonly Put[], again: readonly StoredSubtree[] = []): Promise<void> {
    const { store, network } = this.#parts
    const { stored, next } = this.#arrival
    const record: ArrivalRecord = { network, next, stored, outdated: [...this.#outdated, ...again] }
    return store.commit({ puts, removes: [] }, encodeArrival(record))
  }

  get #outdated(): readonly StoredSubtree[] {
    return [...this.#outdatedBefore, ...this.#arrival.outdated]
  }

  #tellProgress(): () => void {
    const { clock, log } = this.#parts
    let cancel = (): void => undefined
    const tell = (): void => {
      log.info('fetching the snapshot', { ...this.#arrival.progress })
      cancel = clock.schedule(progressMs, tell)
    }
    cancel = clock.schedule(progressMs, tell)
    return () => cancel()
  }
}
