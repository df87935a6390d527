/** The verifier as others bundle it: for a page, with nothing of a node or of Node in it. */
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { build } from 'esbuild'
import { expect, it } from 'vitest'

const top = join(import.meta.dirname, '../../..')

const bundleOf = (contents: string) =>
  build({
    stdin: { contents, resolveDir: top },
    bundle: true,
    write: false,
    minify: true,
    metafile: true,
    platform: 'browser', // an import of Node's fails the build
    format: 'iife',
    target: 'es2022',
    logLevel: 'silent',
  })

it('`tautline/verify` takes no Node, no storage and no door with it', async () => {
  const { metafile, outputFiles } = await bundleOf(`export * from './src/exports/verify.ts'`)
  const files = Object.keys(metafile.inputs)
  expect(files.filter((file) => /^src\/light\//.test(file)).length).toBeGreaterThan(4)
  expect(
    files.filter((file) => /^(routes|src\/(runtime|storage|cli|consensus|mempool))\//.test(file)),
  ).toEqual([])
  expect(outputFiles[0]!.contents.length).toBeLessThan(300_000)
})

it('a light client runs where there is nothing but what browsers have', async () => {
  const { outputFiles } = await bundleOf(
    `import { createLightClient } from './src/exports/verify.ts'
    globalThis.createLightClient = createLightClient`,
  )
  const page: Record<string, unknown> = {
    ...{ TextEncoder, TextDecoder, URL, URLSearchParams, AbortController, DOMException, Blob, crypto },
    ...{ setTimeout, clearTimeout },
    fetch: async () => Response.json({ genesis: {} }),
  }
  runInNewContext(outputFiles[0]!.text, page)
  const light = await runInNewContext(
    `globalThis.createLightClient({ join: 'https://a.example#${'a'.repeat(64)}', fetch })
      .update().catch(({ code }) => code)`,
    page,
  )
  expect(light).toBe('forged')
})
