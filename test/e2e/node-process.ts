/**
 * Real processes for tests: started from the build, waited for, and never left behind.
 *
 * Each leads a process group, so that what npm or bash have started ends with them. Importing this file sees to
 * it that the build is there before the tests, and that after each of them, passed or not, all groups are killed
 * and all folders removed.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll } from 'vitest'
import { type Client, createClient } from '../../src/client/client.ts'
import { checkout, ensureBuilt, program } from './build.ts'

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Running {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined
  readonly exited: Promise<Exit>
  /** What it has printed so far. */
  readonly stdout: () => string
  readonly stderr: () => string
  /** Resolves when it has ended. */
  readonly kill: (signal: NodeJS.Signals) => Promise<Exit>
}

export interface Finished extends Exit {
  readonly stdout: string
  readonly stderr: string
}

export interface Surroundings {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
}

/** A hang ends as a failed test with what was printed, and not as a silent one. */
const hangMs = 60_000
const buildMs = 300_000

const alive = new Set<ChildProcess>()
const folders: string[] = []

beforeAll(ensureBuilt, buildMs)

afterEach(async () => {
  for (const child of alive) killGroup(child, 'SIGKILL')
  await Promise.all([...alive].map((child) => once(child, 'exit')))
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true, maxRetries: 5 })
})

process.on('exit', () => {
  for (const child of alive) killGroup(child, 'SIGKILL')
})

/** A new folder that is gone after the test. */
export const temporaryFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'tautline-e2e-'))
  folders.push(folder)
  return folder
}

/** What a program sees of ours: nothing that the test runner or the developer has set. */
const plainEnvironment = (): Record<string, string> => ({
  PATH: process.env.PATH ?? '',
  HOME: process.env.HOME ?? tmpdir(),
  TMPDIR: tmpdir(),
})

export const spawnProcess = (
  command: string,
  args: readonly string[],
  { cwd = checkout, env = {}, input = '' }: Surroundings = {},
): Running => {
  const child = spawn(command, args, { cwd, env: { ...plainEnvironment(), ...env }, detached: true })
  alive.add(child)
  const exited = new Promise<Exit>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', () => alive.delete(child))
    child.on('close', (code, signal) => resolve({ code, signal }))
  })
  exited.catch(() => alive.delete(child))
  child.stdin.on('error', () => {}) // it may end without having read
  child.stdin.end(input)
  const kill = (signal: NodeJS.Signals): Promise<Exit> => {
    killGroup(child, signal)
    return within(exited, () => `still there after ${signal}`)
  }
  return { pid: child.pid, exited, stdout: collect(child.stdout), stderr: collect(child.stderr), kill }
}

const collect = (stream: NodeJS.ReadableStream): (() => string) => {
  let text = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    text += chunk
  })
  return () => text
}

const killGroup = ({ pid }: ChildProcess, signal: NodeJS.Signals): void => {
  try {
    if (pid !== undefined) process.kill(-pid, signal)
  } catch {
    // it has ended meanwhile
  }
}

const within = async <Value>(promise: Promise<Value>, what: () => string): Promise<Value> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what()}, for ${hangMs / 1_000} s`)), hangMs)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** Runs a program to its end. */
export const run = async (
  command: string,
  args: readonly string[],
  surroundings?: Surroundings,
): Promise<Finished> => {
  const running = spawnProcess(command, args, surroundings)
  const exit = await within(
    running.exited,
    () => `${command} ${args.join(' ')}: not ended\n${running.stderr()}`,
  )
  return { ...exit, stdout: running.stdout(), stderr: running.stderr() }
}

/** Runs `tautline` to its end. */
export const tautline = async (args: readonly string[], surroundings?: Surroundings): Promise<Finished> =>
  run(process.execPath, [program, ...args], surroundings)

/** Asks again and again until there is an answer. */
export const eventually = <Value>(ask: () => Promise<Value | undefined>, what: string): Promise<Value> => {
  let isOver = false
  const asking = async (): Promise<Value> => {
    for (;;) {
      const answer = await ask()
      if (answer !== undefined) return answer
      if (isOver) throw new Error(what)
      await pause(20)
    }
  }
  return within(asking(), () => what).finally(() => {
    isOver = true
  })
}

export const pause = (durationMs: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, durationMs))

/** As `tautline start --json` prints it. */
export interface Banner {
  readonly address: string
  readonly network: string
  readonly url: string
  readonly token: string
  readonly isNew: boolean
}

export interface NodeProcess extends Running {
  readonly url: string
  readonly banner: Banner
  /** With the operator's token. */
  readonly client: Client
}

export interface NodeOptions extends Surroundings {
  readonly data: string
  readonly flags?: readonly string[]
}

/** Starts a node on a free port and doesn't wait for it. */
export const spawnNode = ({ data, flags = [], ...surroundings }: NodeOptions): Running =>
  spawnProcess(
    process.execPath,
    [program, 'start', '--json', '--port', '0', '--data', data, ...flags],
    surroundings,
  )

/** Resolves once the node answers. */
export const startNode = (options: NodeOptions): Promise<NodeProcess> => untilAnswering(spawnNode(options))

export const untilAnswering = async (running: Running): Promise<NodeProcess> => {
  const banner = JSON.parse(await firstLine(running)) as Banner
  const token = (await readFile(banner.token, 'utf8')).trim()
  const client = createClient({ url: banner.url, token })
  await client.status()
  return { ...running, url: banner.url, banner, client }
}

const firstLine = async ({ exited, stdout, stderr }: Running): Promise<string> => {
  let exit: Exit | undefined
  exited.then((ended) => {
    exit = ended
  })
  return eventually(async () => {
    const end = stdout().indexOf('\n')
    if (end >= 0) return stdout().slice(0, end)
    if (exit) throw new Error(`the node has ended (${exit.code ?? exit.signal}): ${stderr()}`)
    return undefined
  }, `the node did not start: ${stderr()}`)
}
