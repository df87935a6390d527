import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, it } from 'vitest'

const top = join(import.meta.dirname, '../../..')

/** What a Worker has to load before it answers, gzipped; Cloudflare takes 3 MB on its free plan. Raise them knowingly. */
const maxBytes = { node: 250_000, edge: 40_000 }

const bundle = async (entry: string) => {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(top, entry)],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    platform: 'node', // workerd has many of Node's modules
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'browser'],
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  const bytes = gzipSync(outputFiles[0]!.contents, { level: 9 }).length
  return { bytes, files: Object.keys(metafile.inputs) }
}

/** What can't run there, or belongs to another runtime. */
const foreign =
  /node_modules\/(undici|ws|@hono\/node-|classic-level|sodium-native|consola|commander)|src\/runtime\/node\//

it('the Worker that is a node has nothing of Node’s own room, and is no larger than it was allowed to become', async () => {
  const { bytes, files } = await bundle('src/runtime/workerd/worker.ts')
  expect(files.filter((file) => foreign.test(file))).toEqual([])
  expect(bytes).toBeLessThan(maxBytes.node)
  expect(bytes, 'the bound is far above the bundle: lower it').toBeGreaterThan(maxBytes.node * 0.9)
})

it('the edge function is small, and knows no node’s inside', async () => {
  const { bytes, files } = await bundle('src/runtime/edge/edge.ts')
  expect(files.filter((file) => foreign.test(file) || file.includes('src/node/'))).toEqual([])
  expect(bytes).toBeLessThan(maxBytes.edge)
  expect(bytes, 'the bound is far above the bundle: lower it').toBeGreaterThan(maxBytes.edge * 0.9)
})
