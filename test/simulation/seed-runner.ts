/** Runs many seeds on all cores, in processes of their own. */
import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { bundleWorker, type Change } from './bundle.ts'
import type { Seed } from './sizes.ts'
import type { Figures, Outcome } from './world.ts'

export interface RunOptions {
  /** Of the code that is simulated, before the first seed. */
  readonly change?: Change
  /** The program that runs the seeds; this one when absent. */
  readonly runtime?: Runtime
  /** Stops at the first seed that fails. */
  readonly stopsEarly?: boolean
  /** Told of each seed as it ends; in no order. */
  readonly onOutcome?: (outcome: Outcome) => void
}

export interface Runtime {
  readonly path: string
  readonly options: readonly string[]
}

export interface Tally {
  readonly runs: number
  readonly failed: readonly Outcome[]
  /** Sums over all seeds. */
  readonly figures: Figures
}

/** Seeds that a process is given at a time. */
const batch = { short: 20, long: 1 } as const
/** Real time after which a process that says nothing is taken to hang: a hundred times what a seed takes. */
const hangMs = 400_000

export const replayCommand = ({ kind, seed }: Seed): string =>
  `npm run -s simulate -- --seed ${seed} --kind ${kind} --trace`

/** One line for each seed that failed: how to see it again, and what was wrong first. */
export const describeFailures = (failed: readonly Outcome[]): string =>
  failed.map((outcome) => `${replayCommand(outcome)}  # ${outcome.faults[0]?.split('\n')[0]}`).join('\n')

/** New objects rarely outlive a seed's next moment: with room for them a seed takes a tenth less. */
const node: Runtime = { path: process.execPath, options: ['--max-semi-space-size=64'] }

export const runSeeds = async (seeds: readonly Seed[], options: RunOptions = {}): Promise<Tally> => {
  const bundle = await bundleWorker({ entry: 'worker.ts', changes: options.change ? [options.change] : [] })
  try {
    const run = new Run(seeds, bundle.path, options)
    const workers = Math.min(availableParallelism(), seeds.length)
    await Promise.all(Array.from({ length: workers }, () => run.work()))
    return run.tally
  } finally {
    await bundle.remove()
  }
}

class Run {
  readonly #seeds: readonly Seed[]
  readonly #worker: string
  readonly #options: RunOptions
  readonly #failed: Outcome[] = []
  readonly #figures: Record<keyof Figures, number> = {
    heights: 0,
    rounds: 0,
    crashes: 0,
    liars: 0,
    transactions: 0,
    frames: 0,
    simulatedMs: 0,
  }
  #next = 0
  #runs = 0

  /** @param worker - path of what is forked */
  constructor(seeds: readonly Seed[], worker: string, options: RunOptions) {
    this.#seeds = seeds
    this.#worker = worker
    this.#options = options
  }

  get tally(): Tally {
    return { runs: this.#runs, failed: this.#failed, figures: this.#figures }
  }

  async work(): Promise<void> {
    let process = this.#fork()
    for (let seeds = this.#take(); seeds.length > 0; seeds = this.#take()) {
      if (await this.#runOn(process, seeds)) continue
      process.kill('SIGKILL')
      process = this.#fork()
    }
    process.kill('SIGKILL')
  }

  #fork(): ChildProcess {
    const { path, options } = this.#options.runtime ?? node
    return fork(this.#worker, { execPath: path, execArgv: [...options] })
  }

  #take(): readonly Seed[] {
    const first = this.#seeds[this.#next]
    if (!first || (this.#options.stopsEarly && this.#failed.length > 0)) return []
    const seeds = this.#seeds
      .slice(this.#next, this.#next + batch[first.kind])
      .filter(({ kind }) => kind === first.kind)
    this.#next += seeds.length
    return seeds
  }

  /** @returns whether the process is good for more */
  #runOn(process: ChildProcess, seeds: readonly Seed[]): Promise<boolean> {
    return new Promise((resolve) => {
      let done = 0
      const end = (isAlive: boolean, why = ''): void => {
        clearTimeout(hanging)
        process.removeAllListeners()
        if (!isAlive) this.#add(deadOutcome(seeds[done]!, why))
        resolve(isAlive)
      }
      let hanging = setTimeout(() => undefined, 0)
      const watch = (): void => {
        clearTimeout(hanging)
        hanging = setTimeout(() => end(false, 'it hangs'), hangMs)
      }
      process.on('exit', (code) => end(false, `its process ends with ${code}`))
      process.on('message', (outcome: Outcome) => {
        this.#add(outcome)
        watch()
        if (++done === seeds.length) end(true)
      })
      watch()
      process.send(seeds as Seed[])
    })
  }

  #add(outcome: Outcome): void {
    this.#runs++
    if (outcome.faults.length > 0) this.#failed.push(outcome)
    for (const name of Object.keys(this.#figures) as (keyof Figures)[])
      this.#figures[name] += outcome.figures[name]
    this.#options.onOutcome?.(outcome)
  }
}

const deadOutcome = ({ kind, seed }: Seed, why: string): Outcome => ({
  kind,
  seed,
  faults: [why],
  digest: '',
  figures: { heights: 0, rounds: 0, crashes: 0, liars: 0, transactions: 0, frames: 0, simulatedMs: 0 },
  trace: '',
})
