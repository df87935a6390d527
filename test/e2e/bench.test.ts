import { describe, expect, it } from 'vitest'
import { type RowName, rowNames, runtimeNames } from '../bench/rows.ts'
import type { Line } from '../bench/table.ts'
import { program } from './build.ts'
import { type Finished, spawnProcess } from './node-process.ts'

const sizes = [200, 400]

const bench = async (...flags: readonly string[]): Promise<Finished> => {
  const running = spawnProcess('npm', ['run', '-s', 'bench', '--', '--main', program, ...flags])
  return { ...(await running.exited), stdout: running.stdout(), stderr: running.stderr() }
}

const linesOf = ({ code, stdout, stderr }: Finished): ReadonlyMap<RowName, Line> => {
  expect({ code, stderr }).toMatchObject({ code: 0 })
  const { lines } = JSON.parse(stdout) as { lines: readonly Line[] }
  return new Map(lines.map((line) => [line.row, line]))
}

const measuredSizes = (row: RowName): readonly number[] => {
  if (/^(networkLatency|light)/.test(row)) return [1, 4]
  if (row.startsWith('network')) return [4]
  if (/^(keyAgreements|sealed|opened)/.test(row)) return [100, 60_000]
  if (/^(line|outbox)/.test(row)) return [100]
  if (row.startsWith('runtime')) return runtimeNames.map((_, at) => at)
  return row.startsWith('sync') || row.endsWith('Bundle') ? sizes.slice(0, 1) : sizes
}

describe('the bench on tiny ledgers', () => {
  it('measures every row at every size of the state', async () => {
    const lines = linesOf(await bench('--quick', '--json', '--accounts', sizes.join(',')))
    expect([...lines.keys()]).toEqual(rowNames)
    for (const [row, { figures }] of lines) {
      expect(
        figures.map(({ size }) => size),
        row,
      ).toEqual(measuredSizes(row))
      for (const { value } of figures) {
        if (row.startsWith('idleB') || row === 'idleCpu') expect(value, row).toBeGreaterThanOrEqual(0)
        else expect(value, row).toBeGreaterThan(0)
      }
    }
    const valuesOf = (row: RowName) => lines.get(row)!.figures.map(({ value }) => value)
    expect(valuesOf('idleBlocks')).toEqual(sizes.map(() => 0))
    expect(valuesOf('networkShare')[0]).toBeLessThan(100)
    for (const row of ['sealedShare', 'openedShare'] as const)
      expect(valuesOf(row)[0], 'two key agreements at the least, and some noise').toBeLessThan(75)
    expect(valuesOf('networkBytes')[0], 'a transaction over three links').toBeGreaterThan(1_000)
    for (const at of sizes.keys()) {
      expect(valuesOf('latencyMedian')[at]).toBeLessThanOrEqual(valuesOf('latencyP95')[at]!)
      expect(valuesOf('idleAnonymous')[at]).toBeLessThan(valuesOf('idleResident')[at]!)
      expect(valuesOf('ndjsonShare')[at]).toBeLessThan(100)
      expect(valuesOf('singleShare')[at]).toBeLessThan(100)
      expect(valuesOf('disk')[at], 'a transaction of half a kilobyte').toBeGreaterThan(100)
    }
  })

  it('runs chosen parts only, and prints a table', async () => {
    const { code, stdout } = await bench('--quick', '--only', 'limit,start', '--accounts', '200')
    expect(code).toBe(0)
    expect(stdout).toMatch(/200 accounts/)
    expect(stdout).toMatch(/Ed25519 verifications by node:crypto, all cores +[\d,.]+ \/s/)
    expect(stdout).toMatch(/cold start to first answer +[\d,.]+ ms/)
    expect(stdout).not.toMatch(/NDJSON|median|RssAnon|disk|replayed/)
  })

  it.each([
    [['--only', 'everything']],
    [['--accounts', '1e6']],
    [['--accounts', '2']],
    [['--faster']],
    [['--main', '/no/such/build.js']],
  ])('refuses %j and says what it takes', async (flags) => {
    const { code, stdout, stderr } = await bench(...flags)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/--only PART,PART/)
  })
})
