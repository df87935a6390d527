/**
 * Subtrees: how a state travels from one node to another, page by page, each page proven by the one above it.
 *
 * A subtree is asked for by the digits of the way to its root page. One of few entries comes whole, in preorder;
 * of a larger one only its root page, which names those below. All that is needed to check it is the hash and the
 * count that its parent names, and for the root of all the state root of a certified header.
 */
import { encodeUtf8 } from '../../codec/bytes.ts'
import type { Hash, Height } from '../../units.ts'
import type { Attempt, OpenPages } from './open-pages.ts'
import {
  type Children,
  hashPage,
  isLeafText,
  type Page,
  type PageLocation,
  type PageRef,
  pageText,
} from './page.ts'
import { hexDigits } from './path.ts'
import type { CheckpointRoot, State } from './state.ts'
import { encodePage, locate, readBranch } from './stored-page.ts'

/** Entries of a subtree that comes whole: about half a megabyte. */
export const maxSubtreeEntries = 2_048

/** What a page is known by before it is there. */
export interface Named {
  readonly hash: Hash
  /** Entries in the subtree. */
  readonly count: number
}

/**
 * @param way - hex digits from the root down; undefined in the answer when no page begins there
 * @param maxEntries - of a subtree that comes whole
 */
export const subtreeTexts = (
  pages: OpenPages,
  state: State,
  way: string,
  maxEntries = maxSubtreeEntries,
): Attempt<{ readonly texts: readonly string[] | undefined }> => {
  const ref = follow(pages, state, way)
  const missing = pages.takeMissing()
  if (missing) return missing
  if (!ref) return { texts: undefined }
  const texts: string[] = []
  collect(pages, ref, texts, maxEntries)
  return pages.takeMissing() ?? { texts }
}

const follow = (pages: OpenPages, root: PageRef, way: string): PageRef | undefined => {
  let ref: PageRef | undefined = root
  for (const digit of way) {
    const page: Page | undefined = ref && pages.get(ref)
    ref = page?.kind === 'branch' ? page.children[hexDigits.indexOf(digit)] : undefined
  }
  return ref
}

const collect = (pages: OpenPages, ref: PageRef, texts: string[], maxEntries: number): void => {
  const page = pages.get(ref)
  if (!page) return
  texts.push(pageText(page))
  if (page.kind === 'branch' && ref.count <= maxEntries)
    for (const child of page.children) if (child) collect(pages, child, texts, maxEntries)
}

/** A subtree that is stored: where its root page lies, and the first of the places that its pages take. */
export interface StoredSubtree extends Named {
  readonly at: PageLocation
  /** Ordinal of its first page; the root page is the last. */
  readonly first: number
}

/** By the digits of the way to each. */
export type StoredSubtrees = ReadonlyMap<string, StoredSubtree>

export type Put = readonly [PageLocation, Uint8Array]

interface Node extends Named {
  readonly way: string
  /** Of a large subtree whose root page is here. */
  children?: readonly (Node | undefined)[]
  stored?: StoredSubtree
}

/**
 * A state that arrives. Subtrees come in any order and from anybody: what doesn't match is refused, and can be
 * had from another.
 */
export class Arrival {
  readonly #maxEntries: number
  readonly #height: Height
  readonly #root: Node
  readonly #before: StoredSubtrees
  readonly #wanted: Node[] = []
  readonly #stored = new Map<string, StoredSubtree>()
  readonly #puts: Put[] = []
  #next: number
  #outstanding = 0

  /**
   * @param height - of the block whose state it is; pages are stored under it
   * @param before - subtrees that an interrupted arrival has stored, maybe of another height
   * @param next - first ordinal that is free
   * @param maxEntries - of a subtree that comes whole
   */
  constructor(
    height: Height,
    root: Named,
    before: StoredSubtrees,
    next: number,
    maxEntries = maxSubtreeEntries,
  ) {
    this.#maxEntries = maxEntries
    this.#height = height
    this.#before = before
    this.#next = next
    this.#root = { ...root, way: '' }
    this.#need(this.#root)
  }

  /** Everything is here: {@link finish} it. */
  get isComplete(): boolean {
    return this.#outstanding === 0
  }

  /** Entries that are here, and of how many. */
  get progress(): { readonly entries: number; readonly of: number } {
    let entries = 0
    for (const { count } of this.#stored.values()) entries += count
    return { entries, of: this.#root.count }
  }

  /** What to ask next; undefined while all that is wanted is being asked for. */
  ask(): Pick<Node, 'way'> | undefined {
    return this.#wanted.pop()
  }

  /** It didn't come. */
  giveBack(asked: Pick<Node, 'way'>): void {
    this.#wanted.push(asked as Node)
  }

  /** @returns why the texts are not the subtree that was asked for; then it has to be given back */
  supply(asked: Pick<Node, 'way'>, texts: readonly string[]): string | undefined {
    const node = asked as Node
    const isWhole = node.count <= this.#maxEntries
    const reader = new SubtreeReader(texts)
    const refusal = isWhole ? reader.check(node) : reader.checkPage(node)
    if (refusal !== undefined) return refusal
    if (!reader.isAtEnd) return `there are ${texts.length} pages, more than belong to it`
    if (isWhole) this.#store(node, texts)
    else this.#divide(node, texts[0]!)
    this.#outstanding--
    return undefined
  }

  /** What there is to go on with after an interruption, once the pages are stored that were taken until now. */
  get stored(): StoredSubtrees {
    return new Map([...this.#before, ...this.#stored])
  }

  /** First ordinal that is free. */
  get next(): number {
    return this.#next
  }

  /** Pages that have come since this was last called. */
  takePages(): readonly Put[] {
    return this.#puts.splice(0)
  }

  /** The pages above the subtrees, and where the root lies. */
  finish(): { readonly puts: readonly Put[]; readonly root: CheckpointRoot } {
    const { hash, count, at } = this.#finishNode(this.#root)
    return { puts: this.takePages(), root: { hash, count, location: at } }
  }

  /** Subtrees of before that others have taken the place of; when this is complete, all that this state doesn't have. */
  get outdated(): readonly StoredSubtree[] {
    return [...this.#before].flatMap(([way, before]) => {
      const stored = this.#stored.get(way)
      const isOutdated = stored ? stored.at !== before.at : this.isComplete
      return isOutdated ? [before] : []
    })
  }

  #need(node: Node): void {
    const before = this.#before.get(node.way)
    if (before?.hash === node.hash) {
      node.stored = before
      this.#stored.set(node.way, before)
      return
    }
    this.#outstanding++
    this.#wanted.push(node)
  }

  #divide(node: Node, text: string): void {
    const children = readBranch(text).map(
      (child, digit): Node | undefined => child && { ...child, way: `${node.way}${hexDigits[digit]}` },
    )
    node.children = children
    // Popped from the end: the first come first.
    for (const child of children.toReversed()) if (child) this.#need(child)
  }

  #store(node: Node, texts: readonly string[]): void {
    const first = this.#next
    let at = 0
    const store = (): PageLocation => {
      const text = texts[at++]!
      if (isLeafText(text)) return this.#put(encodeUtf8(text))
      const children = readBranch(text).map((child) => child && { ...child, at: store() })
      return this.#put(encodeBranch(children))
    }
    const { hash, count } = node
    node.stored = { hash, count, at: store(), first }
    this.#stored.set(node.way, node.stored)
  }

  #finishNode(node: Node): StoredSubtree {
    if (node.stored) return node.stored
    const first = this.#next
    const children = node.children!.map((child) => child && this.#finishNode(child))
    const { hash, count } = node
    return { hash, count, at: this.#put(encodeBranch(children)), first }
  }

  #put(bytes: Uint8Array): PageLocation {
    const location = locate(this.#height, this.#next++)
    this.#puts.push([location, bytes])
    return location
  }
}

const encodeBranch = (children: Children): Uint8Array =>
  encodePage({ kind: 'branch', hash: '' as Hash, children })

/** Checks pages in preorder against what names them. */
class SubtreeReader {
  readonly #texts: readonly string[]
  #at = 0

  constructor(texts: readonly string[]) {
    this.#texts = texts
  }

  get isAtEnd(): boolean {
    return this.#at === this.#texts.length
  }

  check(named: Named): string | undefined {
    const refusal = this.checkPage(named)
    const text = this.#texts[this.#at - 1]
    if (refusal !== undefined || text === undefined || isLeafText(text)) return refusal
    for (const child of readBranch(text)) {
      const refused = child && this.check(child)
      if (refused !== undefined) return refused
    }
    return undefined
  }

  checkPage({ hash }: Named): string | undefined {
    const text = this.#texts[this.#at++]
    if (text === undefined) return 'a page is missing'
    return hashPage(text) === hash ? undefined : `a page is not ${hash}, which the one above it names`
  }
}
