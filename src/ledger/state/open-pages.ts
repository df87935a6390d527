/**
 * The pages that one operation works with, over all its attempts.
 *
 * They stay here until the operation is over and this is dropped, whatever the cache evicts meanwhile, so an
 * operation on more pages than the cache holds still comes to an end. Reading for a block and then updating
 * with its results is one operation: share this, and nothing is loaded or hashed to a path twice.
 */
import { assert } from '../../errors.ts'
import { keyPattern, type Page, type PageLocation, type PageRef } from './page.ts'
import type { PageCache } from './page-cache.ts'
import { type Path, pathOf } from './path.ts'
import { damagedPage, decodePage, type PageRequest } from './stored-page.ts'

/** What an attempt ends with when pages are missing: load and supply them, then try again. */
export interface Missing {
  readonly missing: readonly PageRequest[]
}

export type Attempt<Outcome> = Outcome | Missing

export class OpenPages {
  readonly #cache: PageCache
  readonly #pages = new Map<PageLocation, Page>()
  readonly #paths = new Map<string, Path>()
  readonly #missing = new Map<PageLocation, PageRequest>()

  constructor(cache: PageCache) {
    this.#cache = cache
  }

  /**
   * The page that is referred to; when it isn't in memory it is noted as missing.
   *
   * @throws TautlineError `damaged-folder` when another page lies there
   */
  get(ref: PageRef): Page | undefined {
    if (typeof ref.at !== 'string') return ref.at
    const page = this.#pages.get(ref.at) ?? this.#open(ref.at)
    if (!page) this.#missing.set(ref.at, { location: ref.at, hash: ref.hash })
    else if (page.hash !== ref.hash)
      throw damagedPage({ location: ref.at, hash: ref.hash }, 'is not the one expected there')
    return page
  }

  #open(location: PageLocation): Page | undefined {
    const page = this.#cache.get(location)
    if (page) this.#pages.set(location, page)
    return page
  }

  /**
   * Takes in what the storage has for a missing page.
   *
   * @throws TautlineError `damaged-folder` when that is not the page, or nothing
   */
  supply(request: PageRequest, bytes: Uint8Array | undefined): void {
    const page = decodePage(request, bytes)
    this.#pages.set(request.location, page)
    this.#cache.put(request.location, page)
  }

  pathOf(key: string): Path {
    const known = this.#paths.get(key)
    if (known) return known
    assert(keyPattern.test(key), `a state key is printable ASCII without quotes and backslashes: ${key}`)
    const path = pathOf(key)
    this.#paths.set(key, path)
    return path
  }

  /** What was missing since this was last asked. */
  takeMissing(): Missing | undefined {
    if (this.#missing.size === 0) return undefined
    const missing = [...this.#missing.values()]
    this.#missing.clear()
    return { missing }
  }
}
