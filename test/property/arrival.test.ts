/** A state that travels in subtrees: whatever comes in whatever order, with lies and interruptions, it arrives as it is. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json } from '../../src/codec/json.ts'
import { checkpointState } from '../../src/ledger/state/checkpoint.ts'
import { type Attempt, type Missing, OpenPages } from '../../src/ledger/state/open-pages.ts'
import type { PageLocation } from '../../src/ledger/state/page.ts'
import { PageCache } from '../../src/ledger/state/page-cache.ts'
import { childrenOf, type WalkCursor, walkState } from '../../src/ledger/state/read.ts'
import { emptyState, openState, type State } from '../../src/ledger/state/state.ts'
import { Arrival, type StoredSubtrees, subtreeTexts } from '../../src/ledger/state/subtree.ts'
import { updateState } from '../../src/ledger/state/update.ts'
import { locationsOf } from '../../src/node/arrival-record.ts'
import { height } from '../../src/units.ts'

/** So few that small states have several levels of subtrees. */
const maxEntries = 40

class Disk {
  readonly pages = new Map<PageLocation, Uint8Array>()
  readonly #cache = new PageCache()

  run<Outcome extends object>(attempt: (pages: OpenPages) => Attempt<Outcome>): Outcome {
    const pages = new OpenPages(this.#cache)
    for (;;) {
      const outcome = attempt(pages)
      if (!('missing' in outcome)) return outcome
      for (const request of (outcome as Missing).missing)
        pages.supply(request, this.pages.get(request.location))
    }
  }

  update(state: State, changes: ReadonlyMap<string, Json | undefined>): State {
    return this.run((pages) => updateState(pages, state, changes)).state
  }

  store(state: State, at: number): State {
    const checkpoint = checkpointState(this.#cache, state, height(at))
    for (const [location, bytes] of checkpoint.pages) this.pages.set(location, bytes)
    return checkpoint.state
  }

  texts(state: State, way: string): readonly string[] {
    return this.run((pages) => subtreeTexts(pages, state, way, maxEntries)).texts!
  }

  entries(state: State): Map<string, Json> {
    const entries = new Map<string, Json>()
    for (let cursor: WalkCursor | undefined = ''; cursor !== undefined; ) {
      const from: WalkCursor = cursor
      const step = this.run((pages) => walkState(pages, state, from))
      for (const [key, value] of step.entries) entries.set(key, value)
      cursor = step.next
    }
    return entries
  }

  /** Where the pages of a state lie. */
  locations(state: State): ReadonlySet<PageLocation> {
    const found = new Set<PageLocation>([state.at as PageLocation])
    for (let level: readonly { at: unknown }[] = [state]; level.length > 0; ) {
      const refs = level as readonly State[]
      level = this.run((pages) => childrenOf(pages, refs)).children
      for (const { at } of level) found.add(at as PageLocation)
    }
    return found
  }
}

const values = fc.dictionary(fc.stringMatching(/^[a-z]{1,4}$/), fc.nat(), { maxKeys: 400, size: 'max' })

/** What a source does with an answer, and when the process ends: one of these for each answer, in their order. */
const event = fc.constantFrom('fine', 'fine', 'fine', 'lie', 'cut off', 'too much', 'silent', 'crash')

test('from any sources, in any order, over interruptions, also for a newer state', () => {
  fc.assert(
    fc.property(
      values,
      values,
      fc.array(event, { maxLength: 60 }),
      fc.nat(8),
      (first, second, events, moveAfter) => {
        const source = new Disk()
        const old = source.store(source.update(emptyState, new Map(Object.entries(first))), 1)
        const present = source.store(source.update(old, new Map(Object.entries(second))), 2)
        const target = new Disk()
        let saved: { stored: StoredSubtrees; next: number } = { stored: new Map(), next: 0 }
        const outdated: PageLocation[] = []

        const fetch = (state: State, at: number, steps: number): State | undefined => {
          const arrival = new Arrival(height(at), state, saved.stored, saved.next, maxEntries)
          const save = (): void => {
            for (const [location, bytes] of arrival.takePages()) {
              expect(target.pages.has(location)).toBe(false)
              target.pages.set(location, bytes)
            }
            saved = { stored: arrival.stored, next: arrival.next }
          }
          const end = (): void => {
            save()
            outdated.push(...arrival.outdated.flatMap(locationsOf))
          }
          for (let step = 0; step < steps; step++) {
            const asked = arrival.ask()
            if (!asked) break
            const texts = source.texts(state, asked.way)
            switch (events.pop()) {
              case 'lie':
                expect(arrival.supply(asked, [`${texts[0]} `, ...texts.slice(1)])).toMatch(/a page is not/)
                arrival.giveBack(asked)
                break
              case 'cut off':
                expect(arrival.supply(asked, texts.slice(0, -1))).toMatch(/a page is missing/)
                arrival.giveBack(asked)
                break
              case 'too much':
                expect(arrival.supply(asked, [...texts, texts[0]!])).toMatch(/more than belong to it/)
                arrival.giveBack(asked)
                break
              case 'silent':
                arrival.giveBack(asked)
                break
              case 'crash':
                end()
                return undefined
              default:
                expect(arrival.supply(asked, texts)).toBeUndefined()
            }
          }
          if (!arrival.isComplete) {
            end()
            return undefined
          }
          const first = arrival.next
          const { puts, root } = arrival.finish()
          // As after a crash before there is a head: the pages above the subtrees are made again by the next one.
          if (at === 1 && arrival.next > first)
            outdated.push(...locationsOf({ ...root, at: root.location, first }))
          for (const [location, bytes] of puts) target.pages.set(location, bytes)
          saved = { stored: arrival.stored, next: arrival.next }
          outdated.push(...arrival.outdated.flatMap(locationsOf))
          expect(root.hash).toBe(state.hash)
          return openState(root)
        }

        fetch(old, 1, moveAfter)
        let arrived: State | undefined
        while (!arrived) arrived = fetch(present, 2, Number.POSITIVE_INFINITY)
        expect(target.entries(arrived)).toEqual(source.entries(present))
        // What the older state had and this one hasn't is known, so that nothing is left behind.
        for (const location of outdated) target.pages.delete(location)
        expect(target.entries(arrived)).toEqual(source.entries(present))
        const used = target.locations(arrived)
        const unused = [...target.pages.keys()].filter((location) => !used.has(location))
        expect(unused).toEqual([])
      },
    ),
    { numRuns: 150 },
  )
})
