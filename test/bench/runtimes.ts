/**
 * One node on each runtime, alone in its network, on its usual storage, paid through its own wallet.
 *
 * The wallet signs in the node, so that the figures are of a node that signs and verifies each transaction.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Pool } from 'undici'
import { operatorToken, setUpWorkerd } from '../e2e/workerd-setup.ts'
import { bun, calm, deno, node20, node24, node26, programOf, type Runtime } from '../runtimes/programs.ts'
import { receiver } from './accounts.ts'
import { freePorts } from './node-process.ts'
import type { Options } from './options.ts'
import { type Figure, type Part, percentile, type RowName } from './rows.ts'
import type { Bench } from './throughput.ts'

export const isOfRuntimes = (part: Part): boolean => part === 'runtimes'

/** In the order of the columns. */
const benched: readonly (Runtime | 'workerd')[] = [node20, node24, node26, deno, bun, 'workerd']

/** Payments at a time, of those whose rate is measured. */
const atOnce = 64
const warmUp = 200
const patienceMs = 60_000

type RuntimeRow = Extract<RowName, `runtime${string}`>

interface Started {
  readonly url: string
  readonly token: string
  readonly pid: number
  readonly startMs: number
  end(): Promise<void>
}

export const runtimeFigures = async (
  { parts, main, runtimePayments: payments, repetitions }: Options,
  { folder }: Bench,
  report: (message: string) => void,
): Promise<readonly Figure[]> => {
  const figures: Figure[] = []
  if (!parts.has('runtimes')) return figures
  for (let repetition = 0; repetition < repetitions; repetition++) {
    let reference: Readonly<Record<'rate' | 'waited', number>> | undefined
    for (const [size, runtime] of benched.entries()) {
      const name = runtime === 'workerd' ? runtime : runtime.name
      report(`runtimes: ${name}`)
      const data = join(folder, `runtime-${repetition}-${size}`)
      await mkdir(data)
      const node = await start(runtime, main, data)
      try {
        const { rate, waitedMs } = await measure(node, payments)
        const waited = percentile(waitedMs, 0.5)
        reference ??= { rate, waited }
        const samples: Readonly<Record<RuntimeRow, number>> = {
          runtimeStart: node.startMs,
          runtimeRate: rate,
          runtimeRateShare: rate / reference.rate,
          runtimeMedian: waited,
          runtimeMedianShare: waited / reference.waited,
          runtimeP95: percentile(waitedMs, 0.95),
          runtimeResident: await residentMegabytes(node.pid),
        }
        for (const [row, sample] of Object.entries(samples))
          figures.push({ row: row as RuntimeRow, size, samples: [sample] })
      } finally {
        await node.end()
      }
    }
  }
  return figures
}

const start = async (runtime: Runtime | 'workerd', main: string, data: string): Promise<Started> => {
  const [port] = await freePorts(1)
  const { program, args } = await commandOf(runtime, main, data, port!)
  const startedMs = performance.now()
  const child = spawn(program, args, { stdio: 'ignore', env: { ...process.env, ...calm } })
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  const url = `http://127.0.0.1:${port}`
  while (
    !(await fetch(`${url}/v1/status`).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (child.exitCode !== null || performance.now() - startedMs > patienceMs)
      throw new Error(`${program} ${args.join(' ')} does not answer`)
    await sleep(2)
  }
  const startMs = performance.now() - startedMs
  const token = runtime === 'workerd' ? operatorToken : await readFile(join(data, 'operator.token'), 'utf8')
  return {
    url,
    token: token.trim(),
    pid: child.pid!,
    startMs,
    end: async () => {
      const ended = once(child, 'exit')
      kill() // workerd would wait for its sockets
      await ended
      process.off('exit', kill)
    },
  }
}

const commandOf = async (
  runtime: Runtime | 'workerd',
  main: string,
  data: string,
  port: number,
): Promise<{ readonly program: string; readonly args: readonly string[] }> =>
  runtime === 'workerd'
    ? setUpWorkerd({ data, port })
    : {
        program: await programOf(runtime),
        args: [...runtime.flags, main, 'start', '--data', data, '--port', String(port)],
      }

/** One payment after another, and then many at a time. */
const measure = async ({ url, token }: Started, payments: number) => {
  const request = {
    method: 'POST',
    path: '/v1/wallet/transactions?wait=committed',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ operations: [{ type: 'transfer', to: receiver(0), amount: '1' }] }),
  } as const
  const pay = async (by: Client | Pool): Promise<void> => {
    const { statusCode, body } = await by.request(request)
    const text = await body.text()
    if (statusCode !== 200) throw new Error(`${url} answers ${statusCode}: ${text}`)
  }
  const single = new Client(url)
  const many = new Pool(url, { connections: atOnce })
  const payMany = async (count: number): Promise<void> => {
    let left = count
    const work = async (): Promise<void> => {
      while (left-- > 0) await pay(many)
    }
    await Promise.all(Array.from({ length: atOnce }, work))
  }
  await payMany(warmUp)
  const waitedMs: number[] = []
  for (let at = 0; at < payments / 10; at++) {
    const beganMs = performance.now()
    await pay(single)
    waitedMs.push(performance.now() - beganMs)
  }
  const beganMs = performance.now()
  await payMany(payments)
  const rate = (1_000 * payments) / (performance.now() - beganMs)
  await Promise.all([single.close(), many.close()])
  return { rate, waitedMs }
}

/** See proc(5). */
const residentMegabytes = async (pid: number): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1]) / 1_000
}
