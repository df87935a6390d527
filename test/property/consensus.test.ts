import { beforeAll, describe, expect, test } from 'vitest'
import { blame } from '../../src/consensus/blame.ts'
import { height, network } from '../unit/consensus/actor.ts'
import { type Outcome, simulate } from './consensus-world.ts'

const seeds = 400

describe('four to seven validators through partitions, losses, crashes and twins', () => {
  let outcomes: readonly (Outcome & { readonly seed: number })[]
  beforeAll(() => {
    outcomes = Array.from({ length: seeds }, (_, seed) => ({ seed, ...simulate(seed) }))
  }, 120_000)

  test('one block is decided, by all who are honest, and nobody honest contradicts itself', () => {
    for (const { seed, faults, trace } of outcomes) {
      const replay = `simulate(${seed}) in consensus-world.ts:\n${trace.slice(-60).join('\n')}`
      expect(faults, replay).toEqual([])
    }
  })

  test('only those who lie are accused, or blamed afterwards', () => {
    for (const { seed, accused, liars, validators, messages } of outcomes) {
      const { findings } = blame({ network, height, validators }, messages)
      const named = [...accused, ...findings.map(({ validator }) => validator)]
      expect(
        named.filter((key) => !liars.has(key)),
        `simulate(${seed})`,
      ).toEqual([])
    }
  })

  // Without these the other tests could pass in a world where nothing happens.
  test('the seeds are hard: rounds fail, nodes crash, liars are seen', () => {
    expect(outcomes.filter(({ rounds }) => rounds >= 2).length).toBeGreaterThan(seeds / 4)
    expect(outcomes.filter(({ crashes }) => crashes > 0).length).toBeGreaterThan(seeds / 4)
    expect(outcomes.filter(({ accused }) => accused.size > 0).length).toBeGreaterThan(seeds / 10)
  })

  test('the same seed gives the same run', () => {
    for (const { seed, digest } of outcomes.slice(0, 10)) expect(simulate(seed).digest).toBe(digest)
  })
})
