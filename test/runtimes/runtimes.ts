/** Programs that run a node as it is built for Node: what each is, and how it runs a file. */
import { join } from 'node:path'
import { program } from '../e2e/build.ts'
import { installed } from '../e2e/installed.ts'
import {
  type NodeProcess,
  type Running,
  type Surroundings,
  spawnProcess,
  untilAnswering,
} from '../e2e/node-process.ts'

export interface Runtime {
  readonly name: string
  /** On npm, with its program. */
  readonly package: string
  readonly version: string
  /** What comes before the file to run. */
  readonly flags: readonly string[]
  /** What a program sees of it in `process.versions`. */
  readonly versions: readonly [name: string, version: string]
}

const node = (version: string): Runtime => ({
  name: `Node ${version.split('.')[0]}`,
  package: 'node',
  version,
  flags: [],
  versions: ['node', version],
})

export const node20 = node('20.20.2')
export const node24 = node('24.21.0')
export const node26 = node('26.10.0')

export const deno: Runtime = {
  name: 'Deno',
  package: 'deno',
  version: '2.9.6',
  flags: ['run', '--allow-all', '--no-prompt'],
  versions: ['deno', '2.9.6'],
}

export const bun: Runtime = {
  name: 'Bun',
  package: 'bun',
  version: '1.4.5',
  flags: ['--bun'],
  versions: ['bun', '1.4.5'],
}

/** Beside the Node that the tests themselves run on. */
export const others: readonly Runtime[] = [node24, node26, deno, bun]

/** Nothing is asked of anybody beside the tests, and who is asked is trusted by what this machine trusts. */
export const calm = { DENO_NO_UPDATE_CHECK: '1', DENO_TLS_CA_STORE: 'system', NO_COLOR: '1' }

/** Installed when it isn't yet. @returns the path of its program */
export const programOf = async ({ package: name, version }: Runtime): Promise<string> =>
  join(await installed(name, version), 'node_modules/.bin', name)

export const spawnOn = async (
  runtime: Runtime,
  args: readonly string[],
  { env, ...surroundings }: Surroundings = {},
): Promise<Running> =>
  spawnProcess(await programOf(runtime), [...runtime.flags, ...args], {
    ...surroundings,
    env: { ...calm, ...env },
  })

/** A node as the folder says. Resolves once it answers. */
export const startInFolderOn = async (
  runtime: Runtime,
  data: string,
  flags: readonly string[] = [],
): Promise<NodeProcess> =>
  untilAnswering(await spawnOn(runtime, [program, 'start', '--json', '--data', data, ...flags]))

/** A node of a new network of its own, on a free port. Resolves once it answers. */
export const startOn = async (runtime: Runtime, data: string): Promise<NodeProcess> =>
  untilAnswering(await spawnOn(runtime, [program, 'start', '--json', '--port', '0', '--data', data]))
