/** What the real workerd is given to run a node in a Durable Object: its bundle, its configuration, folders for its storage. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type BuildOptions, build } from 'esbuild'
import type { Env } from '../../src/runtime/workerd/configuration.ts'
import { checkout } from './build.ts'
import { installed } from './installed.ts'

const workerdVersion = '1.20261117.1'
/** As in `wrangler.jsonc`. */
const compatibilityDate = '2026-04-01'

export const operatorToken = 'operator of the worker'

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

export interface Command {
  readonly url: string
  readonly program: string
  readonly args: readonly string[]
}

/** @returns what starts it */
export const setUpWorkerd = async ({
  data,
  port,
  bindings = {},
  entry = 'src/runtime/workerd/worker.ts',
  doors = [],
  files = {},
}: WorkerdOptions): Promise<Command> => {
  const folder = await installed('workerd', workerdVersion)
  const url = `http://127.0.0.1:${port}`
  await mkdir(join(data, 'objects'), { recursive: true })
  const worker = typeof entry === 'string' ? await bundleWorker(entry) : entry.text
  await writeFile(join(data, 'worker.js'), worker)
  const texts = { TAUTLINE_URL: url, TAUTLINE_OPERATOR_TOKEN: operatorToken, ...bindings }
  const names = Object.keys(files)
  for (const [at, name] of names.entries()) await writeFile(join(data, `file-${at}`), files[name]!)
  await writeFile(join(data, 'config.capnp'), configOf({ data, port, texts, doors, names }))
  return {
    url,
    program: join(folder, 'node_modules/.bin/workerd'),
    args: ['serve', '--experimental', `-I${folder}/node_modules/`, join(data, 'config.capnp')],
  }
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
