/** A real node: the built program, started as an operator starts it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { get } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'

/** How the installed program is started: its first line names variables, then Node, then flags. */
const readShebang = async (main: string) => {
  const [line] = (await readFile(main, 'utf8')).split('\n')
  const words = line!.split(' ').slice(2)
  const node = words.indexOf('node')
  const variables = Object.fromEntries(words.slice(0, node).map((word) => word.split('=')))
  return { variables, flags: words.slice(node + 1) }
}

export interface Program {
  /** Of the build. */
  readonly main: string
  /** Where a CPU profile of each node is left when it ends. */
  readonly profiles: string | undefined
}

export interface NodeProcess {
  readonly pid: number
  readonly url: string
  /** From its start to its first answer of `/v1/status`. */
  readonly startMs: number
  /** Ends it cleanly. */
  stop(): Promise<void>
}

const pollMs = 2
const patienceMs = 120_000

/**
 * @param more - flags besides folder and port
 * @param givenPort - for a node that its peers know already; otherwise one that is free
 */
export const startNode = async (
  program: Program,
  dataFolder: string,
  more: readonly string[] = [],
  givenPort?: number,
): Promise<NodeProcess> => {
  const port = givenPort ?? (await freePort())
  const url = `http://127.0.0.1:${port}`
  const startedMs = performance.now()
  const { variables, flags } = await readShebang(program.main)
  const child = spawn(
    process.execPath,
    [
      ...profileFlags(program),
      ...flags,
      program.main,
      'start',
      ...['--data', dataFolder, '--port', String(port)],
      ...more,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...variables } },
  )
  const complaints = collect(child)
  endWithThisProcess(child)
  while (!(await answers(`${url}/v1/status`))) {
    if (child.exitCode !== null) throw new Error(`the node ended with ${child.exitCode}: ${complaints()}`)
    if (performance.now() - startedMs > patienceMs)
      throw new Error(`the node doesn't answer: ${complaints()}`)
    await sleep(pollMs)
  }
  return { pid: child.pid!, url, startMs: performance.now() - startedMs, stop: () => stop(child, complaints) }
}

const profileFlags = ({ profiles }: Program): readonly string[] =>
  profiles === undefined ? [] : ['--cpu-prof', '--cpu-prof-dir', profiles, '--cpu-prof-interval', '500']

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Below those that Linux gives to whoever connects: in a row of these one is soon taken. */
const firstPorts = { least: 20_000, most: 32_000 } as const

/** Ports in a row, as `network create` gives them. */
export const freePorts = async (count: number): Promise<readonly number[]> => {
  for (;;) {
    const first = randomInt(firstPorts.least, firstPorts.most)
    const ports = Array.from({ length: count }, (_, at) => first + at)
    const free = await Promise.all(ports.map(isFree))
    if (free.every(Boolean)) return ports
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

const answers = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    get(url, { agent: false }, (response) => {
      response.resume()
      resolve(response.statusCode === 200)
    }).on('error', () => resolve(false))
  })

const stop = async (child: ChildProcess, complaints: () => string): Promise<void> => {
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  const [code] = await ended
  if (code !== 0) throw new Error(`the node ended with ${code}: ${complaints()}`)
}

/** Runs one command of the program to its end. */
export const runCommand = async (program: Program, parameters: readonly string[]): Promise<string> => {
  const child = spawn(process.execPath, [program.main, ...parameters], { stdio: ['ignore', 'pipe', 'pipe'] })
  const complaints = collect(child)
  endWithThisProcess(child)
  let output = ''
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString()
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${parameters.join(' ')} ended with ${code}: ${complaints()}`)
  return output
}

const maxKept = 4_096

/** The end of what it says on standard error. */
const collect = (child: ChildProcess): (() => string) => {
  let text = ''
  child.stderr!.on('data', (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-maxKept)
  })
  return () => text
}

const running = new Set<ChildProcess>()
process.prependOnceListener('exit', () => {
  for (const child of running) child.kill('SIGKILL') // before their folders are removed
})

const endWithThisProcess = (child: ChildProcess): void => {
  running.add(child)
  child.once('exit', () => running.delete(child))
}
