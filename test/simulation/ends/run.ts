/** Runs many seeds of ends on all cores, in processes of their own. */
import { type ChildProcess, fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { bundleWorker, type Change } from '../bundle.ts'
import { smallLimits, swapPrimitives } from './swap.ts'
import { type EndsFigures, type EndsOutcome, noFigures } from './world.ts'

export interface EndsOptions {
  /** Of the code that is simulated, before the first seed. */
  readonly change?: Change
  /** Stops at the first seed that fails. */
  readonly stopsEarly?: boolean
  readonly keepsTraces?: boolean
  /** Told of each seed as it ends; in no order. */
  readonly onOutcome?: (outcome: EndsOutcome) => void
}

export interface EndsTally {
  readonly runs: number
  readonly failed: readonly EndsOutcome[]
  /** Sums over all seeds. */
  readonly figures: EndsFigures
}

/** From the first on, without the last. */
export interface EndsRange {
  readonly from: number
  readonly to: number
}

/** Seeds that a process is given at a time. */
const batch = 25
/** Real time after which a process that says nothing is taken to hang: hundreds of times what a seed takes. */
const hangMs = 120_000

export const replayEndsCommand = (seed: number): string =>
  `npm run -s simulate -- --kind ends --seed ${seed} --trace`

/** One line for each seed that failed: how to see it again, and what was wrong first. */
export const describeFailedEnds = (failed: readonly EndsOutcome[]): string =>
  failed.map(({ seed, faults }) => `${replayEndsCommand(seed)}  # ${faults[0]?.split('\n')[0]}`).join('\n')

export const runEnds = async (range: EndsRange, options: EndsOptions = {}): Promise<EndsTally> => {
  const { change } = options
  const bundle = await bundleWorker({
    entry: 'ends/worker.ts',
    changes: [...smallLimits, ...(change ? [change] : [])],
    plugins: [swapPrimitives],
  })
  const batches = Array.from({ length: Math.ceil((range.to - range.from) / batch) }, (_, at) =>
    seedsOf(range, range.from + at * batch),
  )
  const failed: EndsOutcome[] = []
  const figures: Record<keyof EndsFigures, number> = { ...noFigures }
  let runs = 0
  const add = (outcome: EndsOutcome): void => {
    runs++
    if (outcome.faults.length > 0) failed.push(outcome)
    for (const name of Object.keys(figures) as (keyof EndsFigures)[]) figures[name] += outcome.figures[name]
    options.onOutcome?.(outcome)
  }
  const work = async (): Promise<void> => {
    const start = () => fork(bundle.path, options.keepsTraces ? ['--trace'] : [])
    let worker = start()
    for (let seeds = batches.shift(); seeds; seeds = batches.shift()) {
      const isAlive = await runOn(worker, seeds, add)
      if (!isAlive) {
        worker.kill('SIGKILL')
        worker = start()
      }
      if (options.stopsEarly && failed.length > 0) break
    }
    worker.kill('SIGKILL')
  }
  try {
    await Promise.all(Array.from({ length: Math.min(availableParallelism(), batches.length) }, work))
    return { runs, failed, figures }
  } finally {
    await bundle.remove()
  }
}

const seedsOf = ({ to }: EndsRange, first: number): readonly number[] =>
  Array.from({ length: Math.min(batch, to - first) }, (_, at) => first + at)

/** @returns whether the process is good for more */
const runOn = (
  worker: ChildProcess,
  seeds: readonly number[],
  add: (outcome: EndsOutcome) => void,
): Promise<boolean> =>
  new Promise((resolve) => {
    let done = 0
    const end = (isAlive: boolean, why = ''): void => {
      clearTimeout(hanging)
      worker.removeAllListeners()
      if (!isAlive) add({ seed: seeds[done]!, faults: [why], digest: '', figures: noFigures, trace: '' })
      resolve(isAlive)
    }
    const hanging = setTimeout(() => end(false, 'it hangs'), hangMs)
    worker.on('exit', (code) => end(false, `its process ends with ${code}`))
    worker.on('message', (outcome: EndsOutcome) => {
      add(outcome)
      hanging.refresh()
      if (++done === seeds.length) end(true)
    })
    worker.send(seeds as number[])
  })
