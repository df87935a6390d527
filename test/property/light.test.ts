/** Light clients on chains whose validators change at random, with nodes that make blocks up. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { begin, follow, type Outcome } from '../../src/light/light.ts'
import { hashHeader } from '../../src/objects/block.ts'
import type { LightBlock } from '../../src/objects/light-block.ts'
import { hashValidators, type ValidatorList } from '../../src/objects/validators.ts'
import type { Hash } from '../../src/units.ts'
import {
  anchorOf,
  certify,
  drive,
  type Headers,
  honest,
  keys,
  LongChain,
  setOf,
} from '../unit/light/long-chain.ts'

const length = 80
/** Keys that may vote; those behind them are the liars' own. */
const members = 9

const setArbitrary = fc
  .uniqueArray(fc.nat(members - 1), { minLength: 1, maxLength: members })
  .map((numbers) => setOf(...numbers))

const chainArbitrary = fc
  .record({
    first: setArbitrary,
    changes: fc.dictionary(fc.integer({ min: 1, max: length }).map(String), setArbitrary, { maxKeys: 8 }),
  })
  .map(({ first, changes }) => new LongChain({ genesis: anchorOf(first), length, changes }))

const look = async (chain: LongChain, node: Headers): Promise<Outcome> => {
  const nowMs = chain.endMs
  const { outcome } = await drive(begin({ network: chain.network }, nowMs), node, chain.network)
  if (outcome.kind !== 'begun') return outcome
  return (await drive(follow(outcome.state, { nowMs }), node, chain.network)).outcome
}

it('wherever the validators change, an honest node’s newest block is reached', () =>
  fc.assert(
    fc.asyncProperty(chainArbitrary, async (chain) => {
      const outcome = await look(chain, honest(chain))
      expect(outcome).toMatchObject({
        kind: 'followed',
        at: { height: length, hash: hashHeader(chain.headerAt(length)) },
      })
    }),
    { numRuns: 60 },
  ))

/** Members that hold no more than a third of any set, and so can't decide with whom they like. */
const corruptible = (chain: LongChain, order: readonly number[]): readonly number[] => {
  const sets = Array.from({ length: length + 1 }, (_, at) => chain.setAt(at + 1))
  const chosen: number[] = []
  for (const number of order) {
    const bad = new Set([...chosen, number].map((at) => keys[at]!.address))
    const isHarmless = (set: ValidatorList): boolean =>
      set.filter(({ address }) => bad.has(address)).length * 3 <= set.length
    if (sets.every(isHarmless)) chosen.push(number)
  }
  return chosen
}

it('as long as no third of any set lies, no made-up block is taken, whatever validators it names', () =>
  fc.assert(
    fc.asyncProperty(
      chainArbitrary,
      fc.shuffledSubarray(
        Array.from({ length: members }, (_, at) => at),
        { minLength: members },
      ),
      fc.uniqueArray(fc.integer({ min: 1, max: length }), { minLength: 0, maxLength: 6 }),
      fc.nat(4),
      async (chain, order, lies, strangers) => {
        const liars = corruptible(chain, order)
        const own = Array.from({ length: strangers + 1 }, (_, at) => members + at)
        const validators = setOf(...liars, ...own)
        const made = new Map([...lies, length].map((at) => [at, makeUp(chain, at, validators)]))
        const node: Headers = (at, options) =>
          made.get(at === 'latest' ? length : at) ?? honest(chain)(at, options)
        const outcome = await look(chain, node)
        expect(outcome.kind).toBe('refused')
      },
    ),
    { numRuns: 100 },
  ))

const makeUp = (chain: LongChain, at: number, validators: ValidatorList): LightBlock => {
  const validatorsHash = hashValidators(validators)
  const stateRoot = 'ee'.repeat(32) as Hash
  const header = { ...chain.headerAt(at), stateRoot, validatorsHash, nextValidatorsHash: validatorsHash }
  return { header, certificate: certify(header, validators), validators: [...validators] }
}
