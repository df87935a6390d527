/** The state over the store: each operation of `ledger/state` with the pages that it misses loaded. */
import type { Json } from '../codec/json.ts'
import { type Checkpoint, checkpointState } from '../ledger/state/checkpoint.ts'
import { type Attempt, type Missing, OpenPages } from '../ledger/state/open-pages.ts'
import type { PageLocation, PageRef } from '../ledger/state/page.ts'
import { PageCache } from '../ledger/state/page-cache.ts'
import { childrenOf, proveState, readState, walkState } from '../ledger/state/read.ts'
import type { State } from '../ledger/state/state.ts'
import { subtreeTexts } from '../ledger/state/subtree.ts'
import { type StateChanges, updateState } from '../ledger/state/update.ts'
import type { StateValues } from '../ledger/working-state.ts'
import type { ObjectStore } from '../ports/object-store.ts'
import type { Height } from '../units.ts'

/** Pages whose bytes are in memory beside their text: 1 MB. */
const loadedAtOnce = 256

export class StateAccess {
  readonly #store: ObjectStore
  readonly #cache = new PageCache()

  constructor(store: ObjectStore) {
    this.#store = store
  }

  get cachedBytes(): number {
    return this.#cache.sizeBytes
  }

  /** Values by key, when all pages that this takes are in memory. */
  peek(state: State, keys: readonly string[]): StateValues | undefined {
    const attempt = readState(this.open(), state, keys)
    return isMissing(attempt) ? undefined : attempt.values
  }

  /** Values by key, undefined where there is none. */
  async read(state: State, keys: readonly string[], pages = this.open()): Promise<StateValues> {
    return (await this.#complete(pages, () => readState(pages, state, keys))).values
  }

  async update(state: State, changes: StateChanges, pages = this.open()): Promise<State> {
    return (await this.#complete(pages, () => updateState(pages, state, changes))).state
  }

  async prove(state: State, key: string): Promise<readonly string[]> {
    const pages = this.open()
    return (await this.#complete(pages, () => proveState(pages, state, key))).pages
  }

  /** Texts of a subtree's pages: see {@link subtreeTexts}. */
  async subtree(state: State, way: string): Promise<readonly string[] | undefined> {
    const pages = this.open()
    return (await this.#complete(pages, () => subtreeTexts(pages, state, way))).texts
  }

  /** All entries, in an order that only the contents decide. */
  async *entries(state: State): AsyncGenerator<readonly [key: string, value: Json]> {
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const at: string = cursor
      const pages = this.open()
      const { entries, next } = await this.#complete(pages, () => walkState(pages, state, at))
      yield* entries
      cursor = next
    }
  }

  /** Where all stored pages of a state lie. */
  async locations(state: State): Promise<ReadonlySet<PageLocation>> {
    const found = new Set<PageLocation>()
    for (let level: readonly PageRef[] = [state]; level.length > 0; ) {
      for (const { at } of level) if (typeof at === 'string') found.add(at)
      const pages = this.open()
      const refs = level
      level = (await this.#complete(pages, () => childrenOf(pages, refs))).children
    }
    return found
  }

  checkpoint(state: State, height: Height): Checkpoint {
    return checkpointState(this.#cache, state, height)
  }

  /** Pages for several steps of one operation, so that none is loaded twice. */
  open(): OpenPages {
    return new OpenPages(this.#cache)
  }

  async #complete<Outcome extends object>(
    pages: OpenPages,
    attempt: () => Attempt<Outcome>,
  ): Promise<Outcome> {
    for (;;) {
      const outcome = attempt()
      if (!isMissing(outcome)) return outcome
      for (let at = 0; at < outcome.missing.length; at += loadedAtOnce)
        await this.#load(pages, outcome.missing.slice(at, at + loadedAtOnce))
    }
  }

  async #load(pages: OpenPages, requests: Missing['missing']): Promise<void> {
    const bytes = await this.#store.getMany(requests.map(({ location }) => location))
    for (const [at, request] of requests.entries()) pages.supply(request, bytes[at])
  }
}

const isMissing = (attempt: object): attempt is Missing => 'missing' in attempt
