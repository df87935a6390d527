import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalize, type Json } from '../../src/codec/json.ts'
import { checkpointState } from '../../src/ledger/state/checkpoint.ts'
import { type Attempt, OpenPages } from '../../src/ledger/state/open-pages.ts'
import type { PageLocation } from '../../src/ledger/state/page.ts'
import { PageCache } from '../../src/ledger/state/page-cache.ts'
import { verifyStateProof } from '../../src/ledger/state/proof.ts'
import { proveState, readState, type WalkCursor, walkState } from '../../src/ledger/state/read.ts'
import { emptyState, openState, type State } from '../../src/ledger/state/state.ts'
import { type StateChanges, updateState } from '../../src/ledger/state/update.ts'
import { type Hash, height } from '../../src/units.ts'

type Model = ReadonlyMap<string, Json>

/** A storage and what works on it, as a node has them. */
class World {
  readonly store = new Map<PageLocation, Uint8Array>()
  cache: PageCache
  loads = 0
  #height = 0

  constructor(cacheBytes?: number) {
    this.cache = new PageCache(cacheBytes)
  }

  run<Outcome extends object>(operation: (pages: OpenPages) => Attempt<Outcome>): Outcome {
    const pages = new OpenPages(this.cache)
    for (;;) {
      const result = operation(pages)
      if (!('missing' in result)) return result
      expect(result.missing).not.toHaveLength(0)
      for (const request of result.missing) pages.supply(request, this.store.get(request.location))
      this.loads += result.missing.length
    }
  }

  update(state: State, changes: StateChanges): State {
    return this.run((pages) => updateState(pages, state, changes)).state
  }

  read(state: State, keys: readonly string[]): ReadonlyMap<string, Json | undefined> {
    return this.run((pages) => readState(pages, state, keys)).values
  }

  prove(state: State, key: string): readonly string[] {
    return this.run((pages) => proveState(pages, state, key)).pages
  }

  entries(state: State): Map<string, Json> {
    const entries = new Map<string, Json>()
    for (let cursor: WalkCursor | undefined = ''; cursor !== undefined; ) {
      const from: WalkCursor = cursor
      const step = this.run((pages) => walkState(pages, state, from))
      for (const [key, value] of step.entries) {
        expect(entries.has(key)).toBe(false)
        entries.set(key, value)
      }
      cursor = step.next
    }
    return entries
  }

  /** Stores the dirty pages and deletes the stale ones. */
  checkpoint(state: State): State {
    const { pages, stale, root, state: clean } = checkpointState(this.cache, state, height(this.#height++))
    expect(pages).toHaveLength(state.dirtyPages)
    for (const [location, bytes] of pages) {
      expect(this.store.has(location)).toBe(false)
      this.store.set(location, bytes)
    }
    for (const location of stale) expect(this.store.delete(location)).toBe(true)
    expect(clean).toEqual(openState(root))
    return clean
  }

  /** Forgets everything that is not in the storage. */
  restart(): void {
    this.cache = new PageCache()
  }
}

/** Strings in which escapes, code units above ASCII and the marks of JSON lie. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.constantFrom('"', '\\', '\\"', '},{', '"}}', '\ufffd'),
)
const value: fc.Arbitrary<Json> = fc.oneof(
  fc.record({ balance: fc.nat().map(String), nonce: fc.nat(), unbonding: fc.constant([]) }),
  fc.array(fc.record({ address: text, stake: text }), { maxLength: 3 }),
  fc.dictionary(text, fc.oneof(text, fc.integer(), fc.boolean()), { maxKeys: 3 }),
)

/** Few enough to be hit again, enough for two levels of branches. */
const keyOf = (index: number): string =>
  ['validators', '10', '9', '__proto__', 'constructor'][index] ?? `account/${index}`
const key = fc.integer({ min: 0, max: 600 }).map(keyOf)

const contents = (maxLength: number): fc.Arbitrary<Map<string, Json>> =>
  fc
    .uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, maxLength, size: 'max' })
    .map((list) => new Map(list))

/** Sets and removals; ranges are removed too, so that subtrees shrink back into leaves. */
const changes: fc.Arbitrary<StateChanges> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .array(fc.tuple(key, fc.option(value, { nil: undefined })), { maxLength: 80, size: 'max' })
      .map((list) => new Map(list)),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 0, max: 600 }))
      .map(
        ([from, count]) => new Map(Array.from({ length: count }, (_, at) => [keyOf(from + at), undefined])),
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 0, max: 300 }), value)
      .map(
        ([from, count, same]) => new Map(Array.from({ length: count }, (_, at) => [keyOf(from + at), same])),
      ),
  },
)

const applied = (model: Model, changed: StateChanges): Model => {
  const after = new Map(model)
  for (const [name, to] of changed) {
    if (to === undefined) after.delete(name)
    else after.set(name, to)
  }
  return after
}

const texts = (entries: ReadonlyMap<string, Json | undefined>): (readonly [string, string | undefined])[] =>
  Array.from(entries, ([name, of]) => [name, of === undefined ? undefined : canonicalize(of)] as const).sort(
    ([one], [other]) => (one < other ? -1 : 1),
  )

const stateOf = (model: Model): State => new World().update(emptyState, model)

const expectContents = (world: World, state: State, model: Model): void => {
  expect(state.count).toBe(model.size)
  expect(texts(world.entries(state))).toEqual(texts(model))
  const asked = [...model.keys(), 'nobody']
  expect(texts(world.read(state, asked))).toEqual(texts(new Map([...model, ['nobody', undefined]])))
}

describe('a state is what its contents are', () => {
  test('the same contents in any order and in any portions have the same root', () => {
    fc.assert(
      fc.property(
        contents(300),
        fc.infiniteStream(fc.nat()),
        fc.integer({ min: 1, max: 50 }),
        (model, order, portion) => {
          const shuffled = [...model]
            .map((entry) => [order.next().value as number, entry] as const)
            .sort(([one], [other]) => one - other)
          const world = new World()
          let state: State = emptyState
          for (let from = 0; from < shuffled.length; from += portion) {
            state = world.update(
              state,
              new Map(shuffled.slice(from, from + portion).map(([, entry]) => entry)),
            )
          }
          expect(state.hash).toBe(stateOf(model).hash)
        },
      ),
      { numRuns: 30 },
    )
  })

  test('different contents have different roots', () => {
    fc.assert(
      fc.property(contents(80), changes, (model, changed) => {
        const after = applied(model, changed)
        const same = JSON.stringify(texts(model)) === JSON.stringify(texts(after))
        expect(stateOf(after).hash === stateOf(model).hash).toBe(same)
      }),
      { numRuns: 50 },
    )
  })

  test('an update that changes nothing gives back the same state', () => {
    fc.assert(
      fc.property(contents(100), (model) => {
        const world = new World()
        const state = world.checkpoint(world.update(emptyState, model))
        expect(world.update(state, new Map([...model, ['nobody', undefined]]))).toBe(state)
      }),
      { numRuns: 20 },
    )
  })
})

/** What happens to a state, one after the other. */
type Step =
  | { readonly kind: 'update'; readonly changes: StateChanges }
  | { readonly kind: 'checkpoint' | 'restart' }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: changes.map((changed) => ({ kind: 'update', changes: changed }) as const) },
  { weight: 2, arbitrary: fc.constant({ kind: 'checkpoint' } as const) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' } as const) },
)
const life = fc.array(step, { minLength: 1, maxLength: 12, size: 'max' })

/** Goes through a life and checks it against the model at each step; returns how many pages were loaded. */
const live = (steps: readonly Step[], cacheBytes?: number): number => {
  const world = new World(cacheBytes)
  let state: State = emptyState
  let model: Model = new Map()
  let stored: { readonly state: State; readonly model: Model } | undefined
  for (const { kind, ...rest } of steps) {
    if (kind === 'update') {
      const { changes: changed } = rest as { changes: StateChanges }
      state = world.update(state, changed)
      model = applied(model, changed)
    } else if (kind === 'checkpoint') {
      state = world.checkpoint(state)
      stored = { state, model }
    } else if (stored) {
      world.cache = new PageCache(cacheBytes)
      state = stored.state
      model = stored.model
    }
    expect(state.hash).toBe(stateOf(model).hash)
    expectContents(world, state, model)
  }
  return world.loads
}

describe('states against a plain map', () => {
  test('updates, checkpoints with deletion of what is stale, restarts', () => {
    fc.assert(
      fc.property(life, (steps) => void live(steps)),
      { numRuns: 25 },
    )
  })

  test('with a cache of 4 KiB, smaller than what one operation needs', () => {
    fc.assert(
      fc.property(life, (steps) => void live(steps, 4 * 1024)),
      { numRuns: 25 },
    )
    const all = new Map(Array.from({ length: 600 }, (_, index) => [keyOf(index), { nonce: index }]))
    expect(live([{ kind: 'update', changes: all }, { kind: 'checkpoint' }], 4 * 1024)).toBeGreaterThan(32)
  })

  test('after a checkpoint the storage holds the pages of that state and no others', () => {
    fc.assert(
      fc.property(
        fc.array(changes, { minLength: 1, maxLength: 10, size: 'max' }),
        fc.infiniteStream(fc.boolean()),
        (list, stored) => {
          const world = new World()
          let state: State = emptyState
          for (const changed of list) {
            state = world.update(state, changed)
            if (stored.next().value) state = world.checkpoint(state)
          }
          state = world.checkpoint(state)
          world.restart()
          world.loads = 0
          world.run((pages) =>
            readState(
              pages,
              state,
              Array.from({ length: 1_300 }, (_, index) => keyOf(index)),
            ),
          )
          expect(world.loads).toBe(world.store.size)
          expect(state.dirtyPages).toBe(0)
        },
      ),
      { numRuns: 25 },
    )
  })

  test('old states stay readable while new ones are made from them, in several lines', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), changes), { minLength: 2, maxLength: 8, size: 'max' }),
        (list) => {
          const world = new World()
          const made: { readonly state: State; readonly model: Model }[] = [
            { state: emptyState, model: new Map() },
          ]
          for (const [pick, changed] of list) {
            const { state, model } = made[pick % made.length]!
            made.push({ state: world.update(state, changed), model: applied(model, changed) })
          }
          for (const { state, model } of made) expectContents(world, state, model)
        },
      ),
      { numRuns: 30 },
    )
  })

  test('pages of a second line of states from one checkpoint are not stale for the first', () => {
    const world = new World()
    const base = world.checkpoint(world.update(emptyState, new Map([['account/1', { nonce: 0 }]])))
    const one = world.update(base, new Map([['account/1', { nonce: 1 }]]))
    const other = world.update(base, new Map([['account/1', { nonce: 2 }]]))
    expect(one.dirtyPages).toBe(1)
    expect(checkpointState(world.cache, one, height(7)).stale).toEqual([base.at])
    expect(checkpointState(world.cache, other, height(8)).stale).toEqual([base.at])
    expect(checkpointState(world.cache, base, height(9))).toMatchObject({ pages: [], stale: [] })
  })
})

describe('an update with pages that are not in memory', () => {
  const model = new Map(Array.from({ length: 400 }, (_, index) => [keyOf(index), { nonce: index }]))

  test('asks for all pages of a level at once', () => {
    const world = new World()
    const state = world.checkpoint(world.update(emptyState, model))
    world.restart()
    let attempts = 0
    world.run((pages) => {
      attempts++
      return updateState(pages, state, new Map([...model.keys()].map((name) => [name, { nonce: 1 }])))
    })
    expect(attempts).toBe(4) // misses the root, its children, their children
  })

  test('asks for the siblings that a removal joins into one leaf', () => {
    const world = new World()
    const few = new Map([...model].slice(0, 33))
    const state = world.checkpoint(world.update(emptyState, few))
    world.restart()
    const [gone] = few.keys()
    const after = world.update(state, new Map([[gone!, undefined]]))
    expect(after.dirtyPages).toBe(1)
    expect(after.hash).toBe(stateOf(applied(few, new Map([[gone!, undefined]]))).hash)
    expect(world.loads).toBe(world.store.size)
  })

  test('reading before updating with the same open pages loads and evicts nothing twice', () => {
    const world = new World(1)
    const state = world.checkpoint(world.update(emptyState, model))
    const pages = new OpenPages(world.cache)
    const again = (operation: () => Attempt<object>): number => {
      let loaded = 0
      for (let result = operation(); 'missing' in result; result = operation()) {
        for (const request of result.missing) pages.supply(request, world.store.get(request.location))
        loaded += result.missing.length
      }
      return loaded
    }
    expect(again(() => readState(pages, state, [...model.keys()]))).toBe(world.store.size)
    expect(
      again(() => updateState(pages, state, new Map([...model.keys()].map((name) => [name, { nonce: 0 }])))),
    ).toBe(0)
  })

  test('a page in memory does not pass for another one that is looked for in its place', () => {
    const world = new World()
    const one = world.checkpoint(world.update(emptyState, new Map([['account/1', { nonce: 1 }]])))
    const other = stateOf(new Map([['account/1', { nonce: 2 }]]))
    const wrong = openState({ hash: other.hash, count: 1, location: one.at as PageLocation })
    expect(() => world.read(wrong, ['account/1'])).toThrow(
      expect.objectContaining({ code: 'damaged-folder' }),
    )
    expect(world.loads).toBe(0)
  })

  test('what an operation has opened stays open when the cache evicts it', () => {
    const world = new World(16 * 1024)
    const state = world.checkpoint(world.update(emptyState, new Map([['account/1', { nonce: 1 }]])))
    const pages = new OpenPages(world.cache)
    const read = (from: OpenPages): object => readState(from, state, ['account/1'])
    expect(read(pages)).toHaveProperty('values')
    checkpointState(world.cache, world.update(emptyState, model), height(9))
    expect(read(new OpenPages(world.cache))).toHaveProperty('missing')
    expect(read(pages)).toHaveProperty('values')
  })

  test('a walk asks for one branch of pages at a time', () => {
    const world = new World()
    const state = world.checkpoint(world.update(emptyState, model))
    world.restart()
    let most = 0
    for (let cursor: WalkCursor | undefined = ''; cursor !== undefined; ) {
      const from: WalkCursor = cursor
      const step = world.run((pages) => {
        const result = walkState(pages, state, from)
        if ('missing' in result) most = Math.max(most, result.missing.length)
        return result
      })
      cursor = step.next
    }
    expect(most).toBe(16)
    expect(world.loads).toBe(world.store.size)
  })

  test('refuses a damaged page, a missing one and another one', () => {
    const world = new World()
    const state = world.checkpoint(world.update(emptyState, model))
    const damaged = expect.objectContaining({ code: 'damaged-folder' })
    const read = (): unknown => {
      world.restart()
      return world.read(state, [...model.keys()])
    }
    for (const [location, bytes] of [...world.store]) {
      for (const wrong of wrongBytes(bytes)) {
        world.store.set(location, wrong)
        expect(read).toThrow(damaged)
      }
      world.store.delete(location)
      expect(read).toThrow(damaged)
      world.store.set(location, bytes)
    }
    expect(read()).toBeInstanceOf(Map)
  })

  const wrongBytes = (bytes: Uint8Array): Uint8Array[] => {
    const [text, locations] = new TextDecoder().decode(bytes).split('\n')
    return [
      new Uint8Array(),
      bytes.slice(1),
      bytes.slice(0, -1),
      Uint8Array.of(0xff, ...bytes.slice(1)),
      bytes.map((byte, at) => (at === 20 ? byte ^ 1 : byte)),
      ...(locations === undefined
        ? ['\n', '\n[]']
        : ['', '\n', '\n[]', `${locations}!`, '\n[""]', '\n{}']
      ).map((line) => new TextEncoder().encode(`${text}${line}`)),
    ]
  }

  test('a branch that names another page of the storage as its child is found out', () => {
    const world = new World()
    const state = world.checkpoint(world.update(emptyState, model))
    const root = state.at as PageLocation
    const swap = (of: string): string => of.replace(/(.*\n\[)("[^"]*"),("[^"]*")/, '$1$3,$2')
    const before = new TextDecoder().decode(world.store.get(root))
    expect(swap(before)).not.toBe(before)
    world.store.set(root, new TextEncoder().encode(swap(before)))
    const damaged = expect.objectContaining({ code: 'damaged-folder' })
    world.restart()
    expect(() => world.read(state, [...model.keys()])).toThrow(damaged)
    expect(() => world.read(state, [...model.keys()])).toThrow(damaged)
  })
})

describe('proofs', () => {
  const accepted = (root: Hash, name: string, pages: readonly string[]): string | undefined => {
    const verdict = verifyStateProof(root, name, pages)
    if ('refusal' in verdict) throw new Error(verdict.refusal)
    return verdict.value === undefined ? undefined : canonicalize(verdict.value)
  }
  const truth = (model: Model, name: string): string | undefined => {
    const found = model.get(name)
    return found === undefined ? undefined : canonicalize(found)
  }
  const refused = { refusal: expect.any(String) }
  const anyContents = fc.oneof(contents(20), contents(400))

  test('of presence and of absence, from memory and from the storage', () => {
    fc.assert(
      fc.property(anyContents, fc.array(key, { maxLength: 40, size: 'max' }), (model, names) => {
        const world = new World()
        const dirty = world.update(emptyState, model)
        const clean = world.checkpoint(dirty)
        world.restart()
        for (const name of names) {
          const pages = world.prove(dirty, name)
          expect(accepted(dirty.hash, name, pages)).toBe(truth(model, name))
          expect(world.prove(clean, name)).toEqual(pages)
        }
      }),
      { numRuns: 25 },
    )
  })

  /** Another character in place of one; a lone surrogate has the UTF-8 of U+FFFD. */
  const replaced = (of: string, at: number, by: string): string => of.slice(0, at) + by + of.slice(at + 1)
  const character = fc.oneof(
    fc.constantFrom('0', '1', 'a', 'f', '"', ' ', '}', '\ud800', '\ufffd'),
    fc.string({ minLength: 1, maxLength: 1 }),
  )

  test('refuse any single changed character in a page and in the root', () => {
    fc.assert(
      fc.property(anyContents, key, fc.nat(), fc.nat(), character, (model, name, pick, place, by) => {
        const world = new World()
        const state = world.update(emptyState, model)
        const pages = world.prove(state, name)
        const forged = pages.map((page, depth) =>
          depth === pick % pages.length ? replaced(page, place % page.length, by) : page,
        )
        if (forged.join() !== pages.join())
          expect(verifyStateProof(state.hash, name, forged)).toEqual(refused)
        const root = replaced(state.hash, place % 64, by) as Hash
        if (root !== state.hash) expect(verifyStateProof(root, name, pages)).toEqual(refused)
      }),
      { numRuns: 300 },
    )
  })

  test('refuse every character of one proof changed', () => {
    const model = new Map(Array.from({ length: 40 }, (_, index) => [keyOf(index), { memo: '\ufffd' }]))
    const world = new World()
    const { hash, ...state } = world.update(emptyState, model)
    const pages = world.prove({ hash, ...state }, keyOf(7))
    expect(accepted(hash, keyOf(7), pages)).toBe('{"memo":"\ufffd"}')
    for (const [depth, page] of pages.entries()) {
      for (let at = 0; at < page.length; at++) {
        for (const by of ['0', '}', '\ud800']) {
          if (page[at] === by) continue
          const forged = pages.with(depth, replaced(page, at, by))
          expect(verifyStateProof(hash, keyOf(7), forged)).toEqual(refused)
        }
      }
    }
  })

  test('for another key are refused, or say the truth about that key', () => {
    fc.assert(
      fc.property(
        anyContents,
        key,
        fc.oneof(key, fc.string({ unit: 'binary' }), fc.constant('\ud800')),
        (model, name, other) => {
          const world = new World()
          const state = world.update(emptyState, model)
          const verdict = verifyStateProof(state.hash, other, world.prove(state, name))
          if ('refusal' in verdict) return
          expect(verdict.value === undefined ? undefined : canonicalize(verdict.value)).toBe(
            truth(model, other),
          )
        },
      ),
      { numRuns: 100 },
    )
  })

  test('refuse surplus, missing and reordered pages, and other spellings', () => {
    fc.assert(
      fc.property(contents(400), key, (model, name) => {
        const world = new World()
        const state = world.update(emptyState, model)
        const pages = world.prove(state, name)
        const last = pages.at(-1)!
        for (const wrong of [
          [],
          pages.slice(1),
          [...pages, last],
          [...pages, ...pages],
          [...pages, '{"entries":{}}'],
          [` ${pages[0]}`, ...pages.slice(1)],
        ]) {
          expect(verifyStateProof(state.hash, name, wrong)).toEqual(refused)
        }
        if (pages.length > 1) {
          expect(verifyStateProof(state.hash, name, pages.slice(0, -1))).toEqual(refused)
          expect(verifyStateProof(state.hash, name, pages.toReversed())).toEqual(refused)
        }
      }),
      { numRuns: 25 },
    )
  })
})
