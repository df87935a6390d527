/**
 * Walks a heap in order without taking anything out of it.
 *
 * A walk of k steps over n items costs O(k log k), whatever n is: only the children of what was visited can
 * be next. The heap must not change meanwhile.
 */
import { createHeap } from './heap.ts'

export interface Frontier<Item> {
  /** The first in order of what is in sight; undefined when nothing is left. */
  next(): Item | undefined
  /** Brings into sight what lay behind a visited item. */
  add(item: Item): void
}

interface Sighting<Item> {
  readonly item: Item
  /** Slot in the walked heap; -1 for what was added. */
  readonly slot: number
}

/**
 * @param roots - the heap's items
 * @param before - the heap's order
 */
export const createFrontier = <Item>(
  roots: readonly Item[],
  before: (one: Item, other: Item) => boolean,
): Frontier<Item> => {
  const sightings = createHeap<Sighting<Item>>((one, other) => before(one.item, other.item))

  const sight = (slot: number): void => {
    const item = roots[slot]
    if (item !== undefined) sightings.push({ item, slot })
  }

  sight(0)
  return {
    next: () => {
      if (sightings.items.length === 0) return undefined
      const { item, slot } = sightings.removeAt(0)
      if (slot >= 0) {
        sight(2 * slot + 1)
        sight(2 * slot + 2)
      }
      return item
    },
    add: (item) => sightings.push({ item, slot: -1 }),
  }
}
