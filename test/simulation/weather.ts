/** What troubles the world from one phase to the next, and what it is like when it has healed. */
import type { Chance, Span } from './chance.ts'
import type { Interference } from './interference.ts'
import type { Machine } from './machine.ts'
import type { SimulatedNetwork } from './network.ts'
import type { VirtualTime } from './virtual-time.ts'

const second = 1_000
const day = 86_400 * second
/** Two honest clocks differ by twice this at most, which is within the network's precision. */
export const honestErrorMs = 240

export interface WeatherParts {
  readonly time: VirtualTime
  readonly chance: Chance
  readonly network: SimulatedNetwork
  readonly interference: Interference
  readonly machines: readonly Machine[]
  readonly phaseMs: number
  readonly note: (what: string) => void
}

type Cut = (from: Machine, to: Machine) => boolean
const never: Cut = () => false

export class Weather {
  readonly #parts: WeatherParts
  /** Chance that a machine dies right before or after something that it says leaves it. */
  crashPercent = 0
  /** Chance that a machine that is started is to die at a write. */
  faultPercent = 0

  constructor(parts: WeatherParts) {
    this.#parts = parts
  }

  change(): void {
    const { chance } = this.#parts
    this.#setLosses(chance.pick([0, 0, 0, 0, 10, 40]), chance.pick([0, 0, 30]))
    this.#setDelays(() =>
      chance.pick<Span>([
        [1, 20],
        [1, 20],
        [5, 60],
        [5, 60],
        [50, 500],
        [200, 1_500],
      ]),
    )
    this.#cut(this.#drawCut(), chance.percent(50))
    this.#clogSome()
    this.#changeMachines()
    this.crashPercent = chance.pick([0, 0, 1, 5])
    this.faultPercent = chance.pick([0, 40, 80])
    if (chance.percent(20)) this.#parts.network.breakSockets(() => chance.percent(50))
    if (chance.percent(60)) this.#crashLater(1)
    if (chance.percent(15)) this.#crashLater(this.#parts.machines.length)
  }

  /** Machines of these names and all others hear nothing of one another until the healing. */
  split(side: ReadonlySet<string>): void {
    this.#cut((from, to) => side.has(from.name) !== side.has(to.name), false)
  }

  /** All is as it should be; only the clocks of those who are skewed stay off. */
  clear(): void {
    this.#setLosses(0, 0)
    this.#setDelays(() => [1, 30])
    this.#cut(never, false)
    this.crashPercent = 0
    this.faultPercent = 0
    for (const machine of this.#parts.machines) {
      machine.lagMs = [0, 0]
      machine.pauseMs = [0, 2]
      this.#setClock(machine)
    }
    this.#eachPath((path) => path.release())
  }

  #setLosses(lossPercent: number, repeatPercent: number): void {
    Object.assign(this.#parts.interference, { lossPercent, repeatPercent })
    if (lossPercent + repeatPercent > 0)
      this.#parts.note(`${lossPercent} % get lost, ${repeatPercent} % come twice`)
  }

  #setDelays(draw: () => Span): void {
    const usual = draw()
    const isEven = this.#parts.chance.percent(50)
    this.#eachPath((path) => {
      path.delayMs = isEven ? usual : draw()
    })
  }

  #drawCut(): Cut {
    const { chance, machines } = this.#parts
    const one = chance.pick(machines)
    const group = new Set(machines.filter(() => chance.percent(50)))
    return chance.pick<Cut>([
      never,
      never,
      never,
      (from, to) => group.has(from) !== group.has(to),
      (from, to) => group.has(from) && !group.has(to),
      (from, to) => from === one || to === one,
      (_, to) => to === one,
      (from) => from === one,
    ])
  }

  /** @param isSilent - what is cut just waits, and nobody is told; else connections break */
  #cut(isCut: Cut, isSilent: boolean): void {
    const { network, note } = this.#parts
    const cut: string[] = []
    this.#eachPath((path, from, to) => {
      const isMeant = isCut(from, to) || this.#areOneKey(from, to)
      path.isCut = isMeant && !isSilent
      if (isMeant && isSilent) path.clog()
      else path.release()
      if (isMeant) cut.push(`${from.name}→${to.name}`)
    })
    network.breakSockets((from, to) => network.path(from, to).isCut)
    if (cut.length > 0) note(`${isSilent ? 'clogged' : 'cut'}: ${cut.join(' ')}`)
  }

  /** One key's two machines don't meet: each takes itself for the only one. */
  #areOneKey(from: Machine, to: Machine): boolean {
    return from !== to && from.parts.signer.address === to.parts.signer.address
  }

  /** One by one, and released in an order of their own. */
  #clogSome(): void {
    const { chance, time, machines, phaseMs, network } = this.#parts
    if (!chance.percent(40)) return
    for (let count = chance.between([1, machines.length]); count > 0; count--) {
      const [from, to] = [chance.pick(machines), chance.pick(machines)]
      const path = network.path(from.url, to.url)
      path.clog()
      time.after(chance.below(phaseMs), () => path.release())
    }
  }

  #changeMachines(): void {
    const { chance, machines } = this.#parts
    for (const machine of machines) {
      machine.lagMs = chance.percent(15) ? [0, chance.pick([50, 400])] : [0, 0]
      machine.pauseMs = chance.percent(15) ? [0, chance.pick([100, 800])] : [0, 2]
      this.#setClock(machine)
    }
  }

  #setClock({ name, parts, clock }: Machine): void {
    const { chance, note } = this.#parts
    const errorMs = parts.isSkewed ? chance.pick([second, 60 * second, 3 * day]) : honestErrorMs
    clock.set(chance.between([-errorMs, errorMs]))
    if (parts.isSkewed) note(`${name}'s clock is off by ${clock.offsetMs} ms`)
  }

  #crashLater(count: number): void {
    const { chance, time, machines, phaseMs } = this.#parts
    const atMs = chance.below(phaseMs)
    for (const machine of chance.draw(count, machines))
      time.after(atMs, () => {
        if (chance.percent(80)) machine.crash()
        else void machine.stop()
      })
  }

  #eachPath(act: (path: ReturnType<SimulatedNetwork['path']>, from: Machine, to: Machine) => void): void {
    const { machines, network } = this.#parts
    for (const from of machines) for (const to of machines) act(network.path(from.url, to.url), from, to)
  }
}
