/** Makes one worker of test files: what they read lies beside them, and what they borrow from Node is what workerd has. */
import { readFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { checkout } from '../../e2e/build.ts'
import { forWorkerd } from '../../e2e/workerd-setup.ts'

/** Where workerd shows the modules of a worker as files. */
const bundleFolder = '/bundle'
export const checkoutInBundle = 'main'

const here = import.meta.dirname
/** What tests import, from the top of the checkout, and what they get. */
const replacements: Readonly<Record<string, string>> = {
  'src/runtime/node/serve.ts': join(here, 'serve.ts'),
  'src/runtime/node/keys.ts': join(here, 'keys.ts'),
  'src/runtime/node/engine.ts': join(here, 'transport.ts'),
  'src/runtime/node/transport.ts': join(here, 'transport.ts'),
  'src/cli/program.ts': join(here, 'program.ts'),
  'test/api/slow-reader.ts': join(here, 'slow-reader.ts'),
  'test/api/serve-answers.ts': join(here, 'serve-answers.ts'),
}
const packages: Readonly<Record<string, string>> = {
  vitest: join(here, 'vitest.ts'),
  undici: join(here, 'undici.ts'),
}

export interface SuiteParts {
  /** Of tests, from the top of the checkout. */
  readonly files: readonly string[]
  /** Ports for nodes that tests start. */
  readonly doors: readonly number[]
  /** URL of somebody who reads slowly. */
  readonly outside: string
}

export const bundleSuites = async ({ files, doors, outside }: SuiteParts): Promise<string> => {
  const { outputFiles } = await build({
    ...forWorkerd,
    minify: false,
    logLevel: 'silent',
    entryPoints: [join(here, 'suite-worker.ts')],
    define: { DOORS: JSON.stringify(doors), OUTSIDE: JSON.stringify(outside) },
    plugins: [borrowing, reading, testFiles(files)],
  })
  return outputFiles[0]!.text
}

const borrowing: Plugin = {
  name: 'borrowing',
  setup: ({ onResolve }) => {
    onResolve({ filter: /^(vitest|undici)$/ }, ({ path }) => ({ path: packages[path]! }))
    onResolve({ filter: /^\.\.?\/.*\.ts$/ }, ({ path, importer }) => {
      if (importer.startsWith(here)) return undefined
      const wanted = relative(checkout, join(dirname(importer), path))
        .split(sep)
        .join('/')
      const replacement = replacements[wanted]
      return replacement === undefined ? undefined : { path: replacement }
    })
  },
}

/** Files beside a test are found where workerd shows them. */
const reading: Plugin = {
  name: 'reading',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      if (!text.includes('import.meta.dirname')) return undefined
      const folder = join(bundleFolder, checkoutInBundle, relative(checkout, dirname(path)))
      return { contents: text.replaceAll('import.meta.dirname', JSON.stringify(folder)), loader: 'ts' }
    })
  },
}

/** The files as modules that are run when they are asked for. */
const testFiles = (files: readonly string[]): Plugin => ({
  name: 'test files',
  setup: ({ onLoad }) => {
    onLoad({ filter: /workerd\/test-files\.ts$/ }, () => ({
      contents: `const files = {${files
        .map((file) => `${JSON.stringify(file)}: () => import(${JSON.stringify(join(checkout, file))}),`)
        .join('\n')}}
export const importTestFile = (path) => files[path]()`,
      resolveDir: checkout,
    }))
  },
})
