/**
 * Pages: what the tree is made of, and their canonical texts, which are what is hashed and proven.
 *
 * A leaf is `{"entries":{"<key>":<value>,…}}`, a branch `{"children":{"0":{"count":N,"hash":"…"},…}}` with
 * its non-empty children only. Pages never change; where one lies in storage is not part of it.
 */
import { hashCanonical } from '../../crypto/hash.ts'
import type { Branded, Hash } from '../../units.ts'
import { hexDigits } from './path.ts'

/** Object key under which a page is stored: `page:<height, 16 digits>:<ordinal>`. */
export type PageLocation = Branded<string, 'PageLocation'>

/** A subtree with at most this many entries is one leaf, any other is a branch. */
export const maxLeafEntries = 32

export interface PageRef {
  readonly hash: Hash
  /** Entries in the subtree. */
  readonly count: number
  /** A clean page lies in storage; a dirty one exists only here. */
  readonly at: PageLocation | Page
}

/** Entries as a leaf has them; it is not hashed yet. */
export interface LeafBody {
  /** Canonical text. Values stay text until they are read: less memory than parsed ones, and ready to be hashed. */
  readonly text: string
  /** Where each entry begins in the text. */
  readonly starts: readonly number[]
}

export interface Leaf extends LeafBody {
  readonly kind: 'leaf'
  readonly hash: Hash
}

export interface Branch {
  readonly kind: 'branch'
  readonly hash: Hash
  /** By hex digit, 16 of them. */
  readonly children: Children
}

export type Page = Leaf | Branch
export type Children = readonly (PageRef | undefined)[]

/**
 * What keys are made of: printable ASCII above the quote and without backslash. So a key in quotes needs no
 * escapes, and the texts of entries sort as their keys do.
 */
export const keyPattern = /^[#-[\]-~]+$/

const leafHead = '{"entries":{'
const leafTail = '}}'

/** The text of an entry within its leaf. */
export const entryText = (key: string, valueText: string): string => `"${key}":${valueText}`

/** The key of an entry's text. */
export const entryKey = (entry: string): string => keyAt(entry, 0)

/** @param entries - their texts, sorted */
export const makeLeaf = (entries: readonly string[]): Leaf => {
  let next = leafHead.length
  const starts = entries.map((entry) => {
    const start = next
    next += entry.length + 1
    return start
  })
  return hashLeaf({ text: `${leafHead}${entries.join(',')}${leafTail}`, starts })
}

export const hashLeaf = ({ text, starts }: LeafBody): Leaf => ({
  kind: 'leaf',
  hash: hashPage(text),
  text,
  starts,
})

/** Puts an entry's text in place of one with the same key. Twice as fast as making a leaf from all its entries. */
export const replaceEntry = (leaf: LeafBody, index: number, entry: string): LeafBody => {
  const before = entryAt(leaf, index)
  if (entry === before) return leaf
  const start = leaf.starts[index]!
  const shift = entry.length - before.length
  return {
    text: leaf.text.slice(0, start) + entry + leaf.text.slice(start + before.length),
    starts: shift === 0 ? leaf.starts : leaf.starts.map((at, other) => (other > index ? at + shift : at)),
  }
}

/** Whether a page's canonical text is a leaf's. */
export const isLeafText = (text: string): boolean => text.startsWith(leafHead)

/** The leaf of a canonical text that matched its hash, which vouches for its form. */
export const readLeaf = (text: string, hash: Hash): Leaf => ({
  kind: 'leaf',
  hash,
  text,
  starts: findStarts(text),
})

const findStarts = (text: string): readonly number[] => {
  const starts: number[] = []
  const end = text.length - leafTail.length
  for (let start = leafHead.length; start < end; start = endOfValue(text, endOfKey(text, start) + 2) + 1)
    starts.push(start)
  return starts
}

/** Index of the quote after an entry's key. */
const endOfKey = (text: string, start: number): number => text.indexOf('"', start + 1)

/** Index of the comma or brace after a value. */
const endOfValue = (text: string, start: number): number => {
  let depth = 0
  for (let at = start; ; at++) {
    const unit = text.charCodeAt(at)
    if (unit === 0x22) at = endOfString(text, at)
    else if (unit === 0x7b || unit === 0x5b) depth++
    else if (depth === 0 && (unit === 0x2c || unit === 0x7d)) return at
    else if (unit === 0x7d || unit === 0x5d) depth--
  }
}

const endOfString = (text: string, start: number): number => {
  let at = start + 1
  for (let unit = text.charCodeAt(at); unit !== 0x22; unit = text.charCodeAt(at)) at += unit === 0x5c ? 2 : 1
  return at
}

/** The texts of a leaf's entries, in order. */
export const leafEntries = (leaf: LeafBody): string[] => leaf.starts.map((_, index) => entryAt(leaf, index))

const entryAt = ({ text, starts }: LeafBody, index: number): string =>
  text.slice(
    starts[index],
    index + 1 < starts.length ? starts[index + 1]! - 1 : text.length - leafTail.length,
  )

/** Index of a key's entry, or −1. */
export const findEntry = ({ text, starts }: LeafBody, key: string): number => {
  let from = 0
  let to = starts.length
  while (from < to) {
    const middle = (from + to) >> 1
    const found = keyAt(text, starts[middle]!)
    if (found === key) return middle
    if (found < key) from = middle + 1
    else to = middle
  }
  return -1
}

const keyAt = (text: string, start: number): string => text.slice(start + 1, endOfKey(text, start))

/** Canonical text of the value under a key, if the leaf has it. */
export const findValueText = (leaf: LeafBody, key: string): string | undefined => {
  const index = findEntry(leaf, key)
  return index < 0 ? undefined : entryAt(leaf, index).slice(entryText(key, '').length)
}

export const makeBranch = (children: Children): Branch => ({
  kind: 'branch',
  hash: hashPage(branchText(children)),
  children,
})

/** Entries below a branch. */
export const countEntries = (children: Children): number =>
  children.reduce((sum, child) => sum + (child?.count ?? 0), 0)

/** Entries below a page that travels alone; undefined when the text is another page's. */
export const countEntriesIn = (text: string, hash: Hash): number | undefined => {
  if (hashPage(text) !== hash) return undefined
  if (isLeafText(text)) return readLeaf(text, hash).starts.length
  const { children } = JSON.parse(text) as { children: Record<string, { count: number }> }
  return Object.values(children).reduce((sum, { count }) => sum + count, 0)
}

export const pageText = (page: Page): string => (page.kind === 'leaf' ? page.text : branchText(page.children))

const branchText = (children: Children): string => {
  const members = children.flatMap((child, digit) =>
    child ? `"${hexDigits[digit]}":{"count":${child.count},"hash":"${child.hash}"}` : [],
  )
  return `{"children":{${members.join(',')}}}`
}

export const hashPage = (text: string): Hash => hashCanonical('state-page', text)
