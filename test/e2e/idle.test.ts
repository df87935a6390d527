/** Four real validators that have nothing to do: what that costs each of them. */
import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import type { Address, Amount } from '../../src/units.ts'
import { eventually, type NodeProcess, pause, run } from './node-process.ts'
import { startWired, type Wired } from './wired-network.ts'

/** RFC 8032 §7.1, test 1. */
const receiver = 'taut16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqy3t3cr' as Address
const payment = { operations: [{ type: 'transfer' as const, to: receiver, amount: '5' as Amount }] }

const minuteMs = 60_000
/** What was said last is answered, or asked about, within this; and a new process has settled. */
const settleMs = 20_000
/** In one of the first of them V8 collects the garbage of what was before, when it likes to: once, so that one is enough. */
const maxMinutes = 3
const maxCpuSeconds = 0.1
const maxBytes = 10_000

/** User and system, of all threads. */
const cpuSecondsOf = async ({ pid }: NodeProcess): Promise<number> => {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ') // from the third on, see proc(5)
  const ticksPerSecond = Number((await run('getconf', ['CLK_TCK'])).stdout)
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

/** Bytes on all cables that lead to or from each. */
const trafficOf = ({ nodes, cables }: Wired): readonly number[] =>
  nodes.map((_, at) => {
    const ofIt = cables.flatMap((row, from) => row.filter((_, to) => from === at || to === at))
    return ofIt.reduce((sum, { bytes }) => sum + bytes, 0)
  })

interface Measured {
  readonly cpu: readonly number[]
  readonly bytes: readonly number[]
}

const measure = async (wired: Wired): Promise<Measured> => ({
  cpu: await Promise.all(wired.nodes.map(cpuSecondsOf)),
  bytes: trafficOf(wired),
})

/** What each used in a minute in which nobody asks it anything. */
const measureMinute = async (wired: Wired): Promise<Measured> => {
  const before = await measure(wired)
  await pause(minuteMs)
  const after = await measure(wired)
  const grown = (part: keyof Measured) => after[part].map((value, at) => value - before[part][at]!)
  return { cpu: grown('cpu'), bytes: grown('bytes') }
}

const heightsOf = ({ nodes }: Wired): Promise<readonly number[]> =>
  Promise.all(nodes.map(async ({ client }) => (await client.status()).head.height))

it('four linked nodes without anything to do make no block, and use next to nothing in a minute', async () => {
  const wired = await startWired()
  for (const { client } of wired.nodes) await client.spend(payment, { wait: true })
  const [{ client }] = wired.nodes as [NodeProcess]
  await eventually(async () => !(await client.consensus()).active || undefined, 'they do not come to rest')
  const heights = await heightsOf(wired)
  await pause(settleMs)
  let most = Number.POSITIVE_INFINITY
  for (let minute = 0; most >= maxCpuSeconds && minute < maxMinutes; minute++) {
    const { cpu, bytes } = await measureMinute(wired)
    most = Math.max(...cpu)
    expect(Math.max(...bytes), `bytes of each: ${bytes.join(', ')}`).toBeLessThan(maxBytes)
  }
  expect(most, 'CPU seconds').toBeLessThan(maxCpuSeconds)
  expect(await heightsOf(wired)).toEqual(heights)
})
