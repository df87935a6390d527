/** A node in a Durable Object of the real workerd, with its storage in a folder. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'
import { type Client, createClient } from '../../src/client/client.ts'
import type { Env } from '../../src/runtime/workerd/configuration.ts'
import { checkout } from './build.ts'
import { installed } from './installed.ts'
import type { Founded } from './network-process.ts'
import { eventually, type Running, spawnProcess, temporaryFolder } from './node-process.ts'

const workerdVersion = '1.20261117.1'
/** As in `wrangler.jsonc`. */
const compatibilityDate = '2026-04-01'

export type Bindings = Partial<Record<Exclude<keyof Env, 'TAUTLINE_NODE' | 'TAUTLINE_ASSETS'>, string>>

export interface WorkerdOptions {
  /** Folder of the bundle, the configuration and the storage. */
  readonly data: string
  readonly port: number
  readonly bindings?: Bindings
  /** Another worker than the node's, in the place of its file; or its text. */
  readonly entry?: string | { readonly text: string }
  /** Ports to be listened on beside, whose number the worker finds in the header `x-tautline-door`. */
  readonly doors?: readonly number[]
  /** What the worker finds below `/bundle`. */
  readonly files?: Readonly<Record<string, Uint8Array>>
}

export interface WorkerdProcess extends Running {
  readonly url: string
  /** With the operator's token. */
  readonly client: Client
}

export const operatorToken = 'operator of the worker'

/** How the last of the nodes that were founded starts in a Durable Object for the first time: with its key as a secret, and the genesis. */
export const lastInWorkerd = async ({ nodes }: Founded): Promise<WorkerdOptions> => {
  const { folder, url } = nodes.at(-1)!
  return {
    data: await temporaryFolder(),
    port: Number(new URL(url).port),
    bindings: {
      TAUTLINE_KEY: await readFile(join(folder, 'node.key'), 'utf8'),
      TAUTLINE_GENESIS: await readFile(join(folder, 'genesis.json'), 'utf8'),
      TAUTLINE_PEERS: nodes
        .slice(0, -1)
        .map((node) => node.url)
        .join(' '),
      TAUTLINE_WITHOUT_SIGN_RECORD: 'true',
    },
  }
}

/** How it starts from then on. */
export const withItsRecord = (options: WorkerdOptions): WorkerdOptions => ({
  ...options,
  bindings: { ...options.bindings, TAUTLINE_WITHOUT_SIGN_RECORD: '' },
})

/** Resolves once it answers; that wakes the node. */
export const startWorkerd = async (options: WorkerdOptions): Promise<WorkerdProcess> => {
  const { url, ...running } = await spawnWorkerd(options)
  const client = createClient({ url, token: operatorToken })
  await eventually(
    () => client.status().catch(() => undefined),
    `workerd does not answer: ${running.stderr()}`,
  )
  return { ...running, url, client }
}

/** Starts it and asks it nothing. */
export const spawnWorkerd = async ({
  data,
  port,
  bindings = {},
  entry = 'src/runtime/workerd/worker.ts',
  doors = [],
  files = {},
}: WorkerdOptions): Promise<Running & { readonly url: string }> => {
  const folder = await installed('workerd', workerdVersion)
  const url = `http://127.0.0.1:${port}`
  await mkdir(join(data, 'objects'), { recursive: true })
  const worker = typeof entry === 'string' ? await bundleWorker(entry) : entry.text
  await writeFile(join(data, 'worker.js'), worker)
  const texts = { TAUTLINE_URL: url, TAUTLINE_OPERATOR_TOKEN: operatorToken, ...bindings }
  const names = Object.keys(files)
  for (const [at, name] of names.entries()) await writeFile(join(data, `file-${at}`), files[name]!)
  await writeFile(join(data, 'config.capnp'), configOf({ data, port, texts, doors, names }))
  const program = join(folder, 'node_modules/.bin/workerd')
  const args = ['serve', '--experimental', `-I${folder}/node_modules/`, join(data, 'config.capnp')]
  return { url, ...spawnProcess(program, args) }
}

/** As wrangler bundles. */
export const forWorkerd = {
  bundle: true,
  write: false as const,
  format: 'esm' as const,
  target: 'es2022',
  minify: true,
  platform: 'node' as const, // what it calls by a bare name is there
  mainFields: ['module', 'main'],
  conditions: ['workerd', 'worker', 'browser'],
  banner: {
    js: "import { createRequire as createWorkerRequire } from 'node:module';const require=createWorkerRequire('/');",
  },
} satisfies BuildOptions

export const bundleWorker = async (entry: string): Promise<string> => {
  const { outputFiles } = await build({ ...forWorkerd, entryPoints: [join(checkout, entry)] })
  return outputFiles[0]!.text
}

interface ConfigParts {
  readonly data: string
  readonly port: number
  readonly texts: Readonly<Record<string, string>>
  readonly doors: readonly number[]
  /** Of files that lie in the folder under their numbers. */
  readonly names: readonly string[]
}

const configOf = ({ data, port, texts, doors, names }: ConfigParts): string => {
  const bindings = Object.entries(texts).map(
    ([name, text]) => `(name = "${name}", text = ${JSON.stringify(text)}),`,
  )
  const files = names.map((name, at) => `(name = ${JSON.stringify(name)}, data = embed "file-${at}"),`)
  const sockets = doors.map(
    (door) =>
      `(name = "door-${door}", address = "127.0.0.1:${door}", service = "main",
      http = (injectRequestHeaders = [(name = "x-tautline-door", value = "${door}")])),`,
  )
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = ["public", "private"])),
    (name = "assets", disk = (path = "${join(checkout, 'dist/assets')}")),
    (name = "disk", disk = (path = "${join(data, 'objects')}", writable = true)),
  ],
  sockets = [
    (name = "http", address = "127.0.0.1:${port}", http = (), service = "main"),
    ${sockets.join('\n    ')}
  ],
);
const worker :Workerd.Worker = (
  modules = [
    (name = "worker", esModule = embed "worker.js"),
    ${files.join('\n    ')}
  ],
  compatibilityDate = "${compatibilityDate}",
  compatibilityFlags = ["nodejs_compat", "no_web_socket_compression"],
  bindings = [
    (name = "TAUTLINE_NODE", durableObjectNamespace = "TautlineNode"),
    (name = "TAUTLINE_ASSETS", service = "assets"),
    ${bindings.join('\n    ')}
  ],
  durableObjectNamespaces = [(className = "TautlineNode", uniqueKey = "tautline", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
);
`
}
