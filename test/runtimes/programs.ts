/** Programs that run a node as it is built for Node: what each is, and where it is. */
import { join } from 'node:path'
import { installed } from '../e2e/installed.ts'

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
