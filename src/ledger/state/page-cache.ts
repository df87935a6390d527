/**
 * Clean pages in memory, those used lately, bounded in bytes. Any of them can be loaded again.
 */
import { LRUCache } from 'lru-cache'
import type { Page, PageLocation } from './page.ts'

/** Bytes of page text; memory is about 1.5 times that. */
export const defaultCacheBytes = 48 * 1024 * 1024

/** Least that is accounted for a page: what the cache itself keeps for each. */
const overheadBytes = 256
/** Of a branch, for each child: its part of the text. */
const childBytes = 96

export class PageCache {
  readonly #pages: LRUCache<PageLocation, Page>

  constructor(maxBytes = defaultCacheBytes) {
    this.#pages = new LRUCache({ maxSize: maxBytes, sizeCalculation: sizeBytesOf })
  }

  get sizeBytes(): number {
    return this.#pages.calculatedSize
  }

  get(location: PageLocation): Page | undefined {
    return this.#pages.get(location)
  }

  /** Keeps a page as long as there is room; one larger than the whole cache isn't kept at all. */
  put(location: PageLocation, page: Page): void {
    this.#pages.set(location, page)
  }
}

/** Text of the state is ASCII, so its length is its size. */
const sizeBytesOf = (page: Page): number =>
  overheadBytes + (page.kind === 'leaf' ? page.text.length : page.children.length * childBytes)
