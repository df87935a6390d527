/** What other programs import, from the tarball as it is installed: its names, its types, and that what isn't used is left out. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'
import { beforeAll, expect, it } from 'vitest'
import { checkout } from './build.ts'
import { run } from './node-process.ts'
import { packInto } from './pack.ts'

/** Whatever the package offers to be imported as a module. */
const readEntries = async (): Promise<readonly string[]> => {
  const { exports } = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8')) as {
    exports: Record<string, string>
  }
  const paths = Object.keys(exports).filter((path) => path !== './package.json')
  return paths.map((path) => path.replace('.', 'tautline')).sort()
}

/** Uses what each entry is for, and is type-checked as strictly as can be. */
const consumer = `
import { type NodeOptions, startNode, TautlineError } from 'tautline'
import { type BrowserNode, startInBrowser } from 'tautline/browser'
import { type Amount, createClient, createSigner, RequestError, signTransaction } from 'tautline/client'
import { createIdentity, isRefused } from 'tautline/didcomm'
import edge, { type EdgeEnv } from 'tautline/edge'
import { createLightClient, LightRefusal, type Verdict, verifyFork, verifyProof } from 'tautline/verify'
import worker, { TautlineNode } from 'tautline/workerd'

const options: NodeOptions = { dataFolder: './data', port: 0, storage: 'memory' }
export const pay = async (secretKey: Uint8Array): Promise<Verdict | string> => {
  const { node, url, close } = await startNode(options)
  try {
    const client = createClient({ url })
    const signer = await createSigner(secretKey)
    const { nonce } = await client.account(signer.address)
    const operations = [{ type: 'transfer', to: signer.address, amount: '1' as Amount }] as const
    const validUntil = Math.floor(Date.now() / 1_000) + 60
    const parts = { network: node.status().network, nonce, validUntil, operations: [...operations] }
    const { id } = await client.submit((await signTransaction(parts, signer)).transaction, { wait: true })
    return await verifyProof(await client.transactionProof(id), { network: parts.network })
  } catch (error) {
    if (error instanceof TautlineError || error instanceof RequestError) return error.message
    throw error
  } finally {
    await close()
  }
}
export const look = async (join: string): Promise<string> => {
  try {
    return (await createLightClient({ join, witnesses: ['https://b.example'] }).update()).hash
  } catch (error) {
    if (!(error instanceof LightRefusal) || !error.fork) throw error
    const verdict = await verifyFork(JSON.stringify(error.fork), { network: error.fork.network })
    return verdict.ok ? verdict.accused.map(({ validator }) => validator).join(' ') : verdict.reason
  }
}
export const open = (join: string): Promise<BrowserNode> => startInBrowser({ join })
export const isBad = (value: { kind?: unknown }): boolean => isRefused(value) || createIdentity === undefined
const behind: EdgeEnv = { TAUTLINE_ORIGINS: 'https://node.example' }
export const read = (request: Request): Promise<Response> =>
  edge.fetch(request, behind, { waitUntil: () => undefined })
export const wake = (request: Request, node: TautlineNode): Promise<Response> => node.fetch(request)
export const passOn: (request: Request, env: never) => Promise<Response> = worker.fetch
// @ts-expect-error: a port is a number
export const wrong: NodeOptions = { dataFolder: './data', port: '8787' }
`

const compilerOptions = {
  target: 'ES2022',
  lib: ['ES2023', 'DOM', 'DOM.Iterable'],
  module: 'NodeNext',
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  types: [],
  skipLibCheck: true,
}

let home: string
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tautline-exports-'))
  const { path } = await packInto(folder)
  home = join(folder, 'home')
  await mkdir(home)
  await writeFile(join(home, 'package.json'), '{ "private": true, "type": "module" }\n')
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', path]
  expect(await run('npm', install, { cwd: home })).toMatchObject({ code: 0 })
  return () => rm(folder, { recursive: true })
}, 180_000)

it('are the names that they were: others rely on them', async () => {
  const list = `for (const entry of ${JSON.stringify(await readEntries())})
    console.log([entry, ...Object.keys(await import(entry)).sort()].join('\\n  '))`
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', list], { cwd: home })
  expect(stderr).toBe('')
  await expect(stdout).toMatchFileSnapshot('exports.txt')
})

it('have types that a strict program compiles with', async () => {
  await writeFile(join(home, 'consumer.ts'), consumer)
  await writeFile(join(home, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }))
  const tsc = join(checkout, 'node_modules/.bin/tsc')
  expect(await run(tsc, ['-p', home], { cwd: home })).toMatchObject({ code: 0, stdout: '' })
})

it('open a node in a program of one’s own, which pays, and proves that it has paid', async () => {
  const program = `
    import { startNode } from 'tautline'
    import { createClient } from 'tautline/client'
    import { verifyProof } from 'tautline/verify'
    const { node, url, close } = await startNode({ dataFolder: './data', port: 0 })
    const { id } = await node.spend({ operations: [{ type: 'anchor', data: 'x' }] })
    await node.waitUntilFinal(id, 30_000)
    const verdict = await verifyProof(await createClient({ url }).transactionProof(id), { network: node.network })
    await close()
    console.log(verdict.ok)
  `
  const ended = await run(process.execPath, ['--input-type=module', '-e', program], { cwd: home })
  expect(ended).toMatchObject({ code: 0, stdout: 'true\n' })
})

// Not of `tautline/workerd`, which is one Worker, whole: `worker-bundles.test.ts` bounds it.
it.each([
  { wanted: 'RequestError', from: 'tautline/client', most: 3_000 },
  { wanted: 'isRefused', from: 'tautline/didcomm', most: 3_000 },
  { wanted: 'verifyProof', from: 'tautline/verify', most: 250_000 },
  { wanted: 'createLightClient', from: 'tautline/verify', most: 300_000 },
  { wanted: 'TautlineError', from: 'tautline/browser', most: 3_000 },
  { wanted: 'default as fetchAtEdge', from: 'tautline/edge', most: 150_000 },
])(
  'leave out what isn’t used: $wanted of $from takes at most $most bytes',
  async ({ wanted, from, most }) => {
    const { outputFiles } = await build({
      stdin: {
        contents: `import { ${wanted} } from '${from}'; globalThis.wanted = ${wanted.split(' ').at(-1)}`,
        resolveDir: home,
      },
      bundle: true,
      write: false,
      minify: true,
      format: 'esm',
      target: 'es2022',
      external: ['node:*'],
      logLevel: 'silent',
    })
    expect(outputFiles[0]!.contents.length).toBeLessThan(most)
  },
)
