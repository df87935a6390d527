import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { version } from '../../../src/runtime/version.ts'

const top = join(import.meta.dirname, '../../..')

/** What a tab loads to be a node, gzipped. Raise it knowingly: it says what everybody pays who opens the page. */
const maxBundleBytes = 120_000

describe('the bundle for browsers', () => {
  it('is one module without anything of Node, and no larger than it was allowed to become', async () => {
    const { outputFiles, metafile } = await build({
      entryPoints: [join(top, 'src/runtime/browser/browser.ts')],
      bundle: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      platform: 'browser', // where an import of node:… fails
      write: false,
      metafile: true,
      logLevel: 'silent',
    })
    const [output] = Object.values(metafile.outputs)
    expect(output!.imports).toEqual([])
    const bytes = gzipSync(outputFiles[0]!.contents, { level: 9 }).length
    expect(bytes).toBeLessThan(maxBundleBytes)
    expect(bytes, 'the bound is far above the bundle: lower it').toBeGreaterThan(maxBundleBytes * 0.9)
  })

  it('says the version of the package', () => {
    expect(JSON.parse(readFileSync(join(top, 'package.json'), 'utf8'))).toMatchObject({ version })
  })
})
