/**
 * Partitions with a short horizon: each round's proposals, prevotes and precommits have one of their own.
 *
 * What breaks a protocol is that some see a step completed and others don't, and uniform losses nearly never
 * make that happen. The favourite here: all but a few agree, and one of them may learn that they did.
 */
import type { ConsensusMessage } from '../../src/objects/vote.ts'
import type { Address } from '../../src/units.ts'
import type { Chance } from './chance.ts'
import type { VirtualTime } from './virtual-time.ts'

/** Whether nothing goes from one machine to another. */
type Cut = (from: string, to: string) => boolean
type Plan = Readonly<Record<ConsensusMessage['kind'], Cut>>

/**
 * How long a round's partitions may last, from the first message that is judged by them. If they never ended, who
 * lacks a quorum's votes of a round could not even leave it; when they end a round or two later, what was hidden
 * then comes late.
 */
const planMs = [2_000, 3_500, 8_000] as const

interface Judged {
  readonly plan: Plan
  readonly endMs: number
}

const never: Cut = () => false
const open: Plan = { proposal: never, prevote: never, precommit: never }

export interface Cast {
  /** Names of the machines that vote. */
  readonly voters: readonly string[]
  /** Who signs with a key; several when it is on several machines. */
  readonly machinesOf: (key: Address) => readonly string[]
  /** Machines of who proposes in a round of the present height. */
  readonly proposersOf: (height: number, round: number) => readonly string[]
}

export class PartitionPlans {
  readonly #chance: Chance
  readonly #cast: Cast
  readonly #time: VirtualTime
  readonly #judged = new Map<string, Judged>()

  constructor(time: VirtualTime, chance: Chance, cast: Cast) {
    this.#time = time
    this.#chance = chance
    this.#cast = cast
  }

  /** What doesn't arrive from its author doesn't arrive through others either. */
  isCut(from: string, to: string, { kind, height, round, validator }: ConsensusMessage): boolean {
    const name = `${height} ${round}`
    const judged = this.#judged.get(name) ?? {
      plan: this.#drawPlan(height, round),
      endMs: this.#time.nowMs + this.#chance.pick(planMs),
    }
    this.#judged.set(name, judged)
    const { plan, endMs } = judged
    if (plan === open || this.#time.nowMs > endMs) return false
    return plan[kind](from, to) || this.#cast.machinesOf(validator).every((author) => plan[kind](author, to))
  }

  #drawPlan(height: number, round: number): Plan {
    const style = this.#chance.below(10)
    if (style < 3) return open
    if (style < 5) return this.#planHiddenPolka(height, round)
    if (style < 9) return this.#planHiddenDecision(height, round)
    return { proposal: this.#drawCut(), prevote: this.#drawCut(), precommit: this.#drawCut() }
  }

  /** The few, among them who proposes next, hear enough to go on, and not enough to know. */
  #planHiddenDecision(height: number, round: number): Plan {
    const { loners, one, misses } = this.#drawFew(height, round)
    const isDeaf = this.#chance.percent(50)
    return {
      proposal: (_, to) => loners.has(to),
      prevote: (from, to) => isDeaf && loners.has(to) && misses(to, from),
      precommit: (from, to) => to !== one && misses(to, from),
    }
  }

  /** The few vote nil, and of those who agree each misses a few: one alone may see that they do, or nobody. */
  #planHiddenPolka(height: number, round: number): Plan {
    const { loners, one, misses } = this.#drawFew(height, round)
    const isSeen = this.#chance.percent(50)
    return {
      proposal: (_, to) => loners.has(to),
      prevote: (from, to) => !(isSeen && to === one) && misses(to, from),
      precommit: never,
    }
  }

  /** The few, one of the others, and whom of these everybody misses. */
  #drawFew(height: number, round: number) {
    const { voters, proposersOf } = this.#cast
    const few = Math.floor((voters.length - 1) / 3)
    const loners = new Set([...proposersOf(height, round + 1), ...this.#chance.draw(few - 1, voters)])
    const others = voters.filter((voter) => !loners.has(voter))
    const one = others.length === 0 ? undefined : this.#chance.pick(others)
    const missed = new Map(
      voters.map((voter) => [
        voter,
        this.#chance.draw(
          few,
          others.filter((other) => other !== voter),
        ),
      ]),
    )
    const misses = (to: string, from: string): boolean => missed.get(to)?.has(from) ?? false
    return { loners, one, misses }
  }

  #drawCut(): Cut {
    const { voters } = this.#cast
    const one = this.#chance.pick(voters)
    const group = new Set(voters.filter(() => this.#chance.percent(50)))
    const unheard = new Map(voters.map((voter) => [voter, this.#chance.pick(voters)]))
    return this.#chance.pick<Cut>([
      never,
      (from, to) => group.has(from) !== group.has(to),
      (_, to) => group.has(to),
      (_, to) => to === one,
      (_, to) => to !== one,
      (from, to) => unheard.get(to) === from,
    ])
  }
}
