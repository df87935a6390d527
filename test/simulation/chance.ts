/** All that is left to chance in a simulation: streams of draws that come from one seed. */
import { createHash } from 'node:crypto'
import type { Random } from '../../src/ports/random.ts'
import { seededRandom } from '../crash/random.ts'

export class Chance {
  readonly #seed: string
  readonly #fraction: () => number

  constructor(seed: string) {
    this.#seed = seed
    this.#fraction = seededRandom(createHash('sha256').update(seed).digest().readInt32LE())
  }

  /** A stream of its own: what is drawn from it changes nothing that is drawn from this one. */
  fork(name: string): Chance {
    return new Chance(`${this.#seed}/${name}`)
  }

  /** A whole number from 0 to below the limit. */
  below(limit: number): number {
    return Math.floor(this.#fraction() * limit)
  }

  /** A whole number, both ends included. */
  between([least, most]: Span): number {
    return least + this.below(most - least + 1)
  }

  percent(chance: number): boolean {
    return this.#fraction() * 100 < chance
  }

  pick<Choice>(choices: readonly Choice[]): Choice {
    return choices[this.below(choices.length)]!
  }

  /** So many of them, each once; all when there are fewer. */
  draw<Choice>(count: number, choices: Iterable<Choice>): ReadonlySet<Choice> {
    const left = [...choices]
    const drawn = new Set<Choice>()
    while (drawn.size < count && left.length > 0) drawn.add(left.splice(this.below(left.length), 1)[0]!)
    return drawn
  }

  /** What a node takes for its runtime's randomness. */
  port(): Random {
    return {
      bytes: (count) => Uint8Array.from({ length: count }, () => this.below(256)),
      fraction: () => this.#fraction(),
    }
  }
}

/** From the least to the most, both included. */
export type Span = readonly [least: number, most: number]
