/**
 * `npm run bench`: what the node does on this machine, beside what the machine could do at most.
 *
 * In: the built program. Out: one table, or JSON, on standard output; how it goes on standard error. Absolute
 * figures are the machine's as much as the node's, so what is asked of the node is asked of ratios within one
 * run. Must never take a figure from anything but the program as it is started by its users.
 */
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { bundleFigures, isOfBundles } from './bundles.ts'
import { envelopeFigures, isOfEnvelopes } from './envelopes.ts'
import { isOfLight, lightFigures } from './light.ts'
import { limitFigures, openLimitMeter } from './limit.ts'
import { isOfLines, lineFigures } from './lines.ts'
import { openLoadGenerator } from './load-generator.ts'
import { ownVerifier } from './native-verification.ts'
import { isOfNetworks, runNetworkStages } from './network-stages.ts'
import { type Options, readOptions, usage } from './options.ts'
import { type Figure, type Part, rows } from './rows.ts'
import { isOfRuntimes, runtimeFigures } from './runtimes.ts'
import { runStages } from './stages.ts'
import { linesOf, renderTables } from './table.ts'
import type { Bench } from './throughput.ts'

const report = (message: string): void => void process.stderr.write(`${message}\n`)

const bench = async (options: Options): Promise<readonly Figure[]> => {
  const folder = await mkdtemp(join(options.folder, 'tautline-bench-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const meter = await openLimitMeter(options.limitMs)
  const generator = await openLoadGenerator()
  try {
    return await measure(options, { folder, meter, generator })
  } finally {
    generator.end()
    meter.end()
  }
}

const measure = async (options: Options, parts: Bench): Promise<readonly Figure[]> => {
  const figures = [
    ...([...options.parts].some(isOfLedgers) ? await runStages(options, parts, report) : []),
    ...(await runNetworkStages(options, parts, report)),
    ...envelopeFigures(options, report),
    ...(await lineFigures(options, parts.folder, report)),
    ...(await lightFigures(options, report)),
    ...(await bundleFigures(options)),
    ...(await runtimeFigures(options, parts, report)),
  ]
  const isMeasured = figures.some(({ row }) => row === 'allCores')
  if (isMeasured || !options.parts.has('limit')) return figures
  return [...figures, ...(await measureLimit(options, parts))]
}

/** Measured on ledgers that are filled first. */
const isOfLedgers = (part: Part): boolean =>
  part !== 'limit' &&
  ![isOfNetworks, isOfEnvelopes, isOfLines, isOfLight, isOfBundles, isOfRuntimes].some((isOf) => isOf(part))

/** For runs without a load that it would have been measured around. */
const measureLimit = async (
  { accounts, repetitions }: Options,
  { meter }: Bench,
): Promise<readonly Figure[]> => {
  const figures: Figure[] = []
  for (let repetition = 0; repetition < repetitions; repetition++) {
    figures.push(...limitFigures(accounts[0]!, await meter.measure()))
  }
  return figures
}

/** Rows are shown when their part was asked for; the samples of one row and size become one figure. */
const chosen = (figures: readonly Figure[], { parts }: Options): readonly Figure[] => {
  const merged = new Map<string, Figure>()
  for (const { row, size, samples } of figures) {
    if (!parts.has(rows[row].part)) continue
    const key = `${row} ${size}`
    merged.set(key, { row, size, samples: [...(merged.get(key)?.samples ?? []), ...samples] })
  }
  return [...merged.values()]
}

const machine = {
  cores: availableParallelism(),
  processor: cpus()[0]?.model ?? 'unknown',
  node: process.version,
  verifier: ownVerifier.name,
  system: `${process.platform} ${process.arch}`,
}

const main = async (options: Options): Promise<void> => {
  const lines = linesOf(chosen(await bench(options), options))
  if (options.json) return void process.stdout.write(`${JSON.stringify({ machine, lines }, undefined, 2)}\n`)
  const { cores, processor, node, verifier, system } = machine
  process.stdout.write(
    `\n${cores} × ${processor}, Node ${node}, ${system}; the node verifies by ${verifier}\n\n${renderTables(lines)}\n`,
  )
}

/** @returns undefined, with the reason on standard error, when they can't be followed */
const understand = (argv: readonly string[]): Options | undefined => {
  try {
    return readOptions(argv)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    report(`${error.message}\n\n${usage}`)
    return undefined
  }
}

// Ended by exit, so that nodes and folders go too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
const options = understand(process.argv.slice(2))
if (options) await main(options)
else process.exitCode = 2
