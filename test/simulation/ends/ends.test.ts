import { beforeAll, describe, expect, it } from 'vitest'
import { describeFailedEnds, type EndsTally, runEnds } from './run.ts'
import { drawScenario } from './scenario.ts'
import { ciEnds } from './sizes.ts'
import { simulateEnds } from './world.ts'

describe('seeds of ends: two ends of a connection crash, are restored, part and let go', () => {
  let tally: EndsTally
  beforeAll(async () => {
    tally = await runEnds({ from: 0, to: ciEnds })
  }, 890_000)

  it('no message takes effect twice or out of order, and in the end both views agree', () => {
    expect(describeFailedEnds(tally.failed)).toBe('')
    expect(tally.runs).toBe(ciEnds)
  })

  // Without these the other tests could pass in a world where nothing happens.
  it('the seeds are hard: ends crash, are restored, rotate, lose messages, and are lied to', () => {
    const { said, taken, lost, crashes, restores, rotations, refused, active, ended, apart } = tally.figures
    expect(said).toBeGreaterThan(5 * ciEnds)
    expect(taken).toBeGreaterThan(said / 2)
    expect(lost).toBeGreaterThan(0)
    expect(crashes).toBeGreaterThan(ciEnds)
    expect(restores).toBeGreaterThan(ciEnds / 10)
    expect(rotations).toBeGreaterThan(ciEnds / 4)
    expect(refused).toBeGreaterThan(ciEnds / 4)
    expect(active).toBeGreaterThan(ciEnds / 4)
    expect(ended).toBeGreaterThan(ciEnds / 10)
    expect(apart).toBeLessThan(ciEnds / 5)
  })
})

describe('the simulator of ends', () => {
  it('gives the same digest for the same seed, in whichever company', async () => {
    const digests = async (from: number, to: number) => {
      const found = new Map<number, string>()
      await runEnds({ from, to }, { onOutcome: ({ seed, digest }) => found.set(seed, digest) })
      return found
    }
    const [some, others] = [await digests(0, 6), await digests(3, 6)]
    for (const [seed, digest] of others) expect(some.get(seed), `seed ${seed}`).toBe(digest)
    expect(new Set(some.values()).size).toBe(6)
  })

  it('finds nothing wrong with real keys and limits either', () => {
    for (let seed = 0; seed < 5; seed++) {
      const { faults } = simulateEnds(drawScenario(seed))
      expect(faults, `seed ${seed}`).toEqual([])
    }
  })
})
