/** A binary heap whose items know their slots, so that any of them can be moved or removed in O(log n). */

export interface Heap<Item> {
  /** The first in order is at slot 0; what lies at slot n comes before what lies at 2n + 1 and 2n + 2. */
  readonly items: readonly Item[]
  push(item: Item): void
  /** Takes out what lies at a slot. */
  removeAt(slot: number): Item
  /** Puts an item in the place of another, or of itself when its rank has changed (and that of no other). */
  replaceAt(slot: number, item: Item): void
}

/**
 * @param before - a strict total order: no two items are equal in it
 * @param place - told each item's new slot; -1 when it has left
 */
export const createHeap = <Item>(
  before: (one: Item, other: Item) => boolean,
  place: (item: Item, slot: number) => void = () => {},
): Heap<Item> => {
  const items: Item[] = []

  const put = (item: Item, slot: number): void => {
    items[slot] = item
    place(item, slot)
  }

  const moveUp = (item: Item, from: number): number => {
    let slot = from
    while (slot > 0) {
      const parent = (slot - 1) >> 1
      if (!before(item, items[parent]!)) break
      put(items[parent]!, slot)
      slot = parent
    }
    return slot
  }

  const moveDown = (item: Item, from: number): number => {
    let slot = from
    for (;;) {
      let child = 2 * slot + 1
      if (child >= items.length) break
      if (child + 1 < items.length && before(items[child + 1]!, items[child]!)) child += 1
      if (!before(items[child]!, item)) break
      put(items[child]!, slot)
      slot = child
    }
    return slot
  }

  const settle = (item: Item, from: number): void => put(item, moveDown(item, moveUp(item, from)))

  return {
    items,
    push: (item) => put(item, moveUp(item, items.length)),
    removeAt: (slot) => {
      const removed = items[slot]!
      const last = items.pop()!
      if (slot < items.length) settle(last, slot)
      place(removed, -1)
      return removed
    },
    replaceAt: (slot, item) => settle(item, slot),
  }
}
