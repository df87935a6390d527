/** A new user on each runtime: the tarball and an empty folder, one command or two, and a transfer that is final. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { run, spawnProcess, temporaryFolder, untilAnswering } from '../e2e/node-process.ts'
import { type Packed, packInto } from '../e2e/pack.ts'
import { pay } from '../e2e/validators.ts'
import { bun, calm, deno, node24, node26, programOf, type Runtime } from './runtimes.ts'

/** The commands of README.md, in an empty folder. */
interface Way {
  readonly runtime: Runtime
  /** Files that the user writes first. */
  readonly files: Readonly<Record<string, string>>
  readonly install: (tarball: string) => readonly (readonly [command: string, ...args: string[]])[]
  readonly start: readonly [command: string, ...args: string[]]
}

const withNpm = (runtime: Runtime): Way => ({
  runtime,
  files: { 'package.json': '{"private":true}\n' },
  install: (tarball) => [['npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', tarball]],
  start: ['npx', 'tautline', 'start'],
})

const ways: readonly Way[] = [
  withNpm(node24),
  withNpm(node26),
  {
    runtime: bun,
    files: { 'package.json': '{"private":true}\n' },
    install: (tarball) => [['bun', 'add', tarball]],
    start: ['bunx', '--bun', 'tautline', 'start'],
  },
  {
    runtime: deno,
    files: { 'deno.json': '{"links":["./package"],"nodeModulesDir":"auto"}\n' },
    install: (tarball) => [['tar', 'xzf', tarball]],
    start: ['deno', 'run', '--allow-all', 'npm:tautline@0.1.0', 'start'],
  },
]

/** From the first command on. */
const soonMs = 60_000

let packed: Packed
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tautline-packed-'))
  packed = await packInto(folder)
  return () => rm(folder, { recursive: true })
}, 120_000)

describe.each(ways.map((way) => ({ name: way.runtime.name, way })))('with nothing but $name', ({ way }) => {
  it('installs the tarball, starts, and has a first transfer final within a minute', async () => {
    const home = join(await temporaryFolder(), 'home')
    await mkdir(home)
    for (const [name, text] of Object.entries(way.files)) await writeFile(join(home, name), text)
    const path = [dirname(await programOf(way.runtime)), process.env.PATH].join(':')
    const surroundings = { cwd: home, env: { ...calm, PATH: path } }

    const beganMs = performance.now()
    for (const [command, ...args] of way.install(packed.path)) {
      const ended = await run(command, args, surroundings)
      expect(ended.code, ended.stderr).toBe(0)
    }
    const [command, ...args] = way.start
    const node = await untilAnswering(spawnProcess(command, [...args, '--json', '--port', '0'], surroundings))
    const { status } = await pay(node, 1)
    const tookMs = performance.now() - beganMs

    expect([status, node.banner.isNew]).toEqual(['committed', true])
    expect(tookMs).toBeLessThan(soonMs)
    expect(await (await fetch(`${node.url}/metrics`)).text()).toContain('process_resident_memory_bytes')
    await node.kill('SIGTERM')
  })
})
