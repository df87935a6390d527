/**
 * The simulated tree in one file, for processes that run many seeds.
 *
 * Bundled code runs a sixth faster than what tsx loads, which names every closure that is made, and starts at once.
 * What breaks the code on purpose changes its text on the way in, so no copy of the tree is needed.
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'

/** One text of one file that is replaced by another. */
export interface Change {
  /** From the top of the tree. */
  readonly file: string
  readonly find: string
  readonly replace: string
}

export interface Bundle {
  /** Of the file that {@link runSeeds} forks. */
  readonly path: string
  remove(): Promise<void>
}

const top = join(import.meta.dirname, '../..')
/** From where the packages are found, which stay as they are. */
const cache = join(top, 'node_modules/.cache')

export interface Bundling {
  /** What is forked, from this folder. */
  readonly entry: string
  readonly changes: readonly Change[]
  readonly plugins?: readonly Plugin[]
}

export const bundleWorker = async ({ entry, changes, plugins = [] }: Bundling): Promise<Bundle> => {
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'simulation-'))
  const path = join(folder, 'worker.mjs')
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    await build({
      entryPoints: [join(import.meta.dirname, entry)],
      outfile: path,
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'silent',
      plugins: [...plugins, changing(changes)],
    })
  } catch (error) {
    await remove()
    throw error
  }
  return { path, remove }
}

/** All changes of one file are made at once. */
const changing = (changes: readonly Change[]): Plugin => ({
  name: 'change',
  setup: ({ onLoad, onEnd }) => {
    const unmade = new Set(changes)
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const here = changes.filter(({ file }) => path === join(top, file))
      if (here.length === 0) return undefined
      for (const change of here) unmade.delete(change)
      return { contents: here.reduce(changed, await readFile(path, 'utf8')), loader: 'ts' }
    })
    onEnd(() => ({
      errors: [...unmade].map(({ file }) => ({ text: `${file} is no part of the simulated tree` })),
    }))
  },
})

const changed = (source: string, { file, find, replace }: Change): string => {
  const places = source.split(find).length - 1
  if (places !== 1) throw new Error(`${file} has ${places} places, and not one, that read: ${find}`)
  return source.replace(find, () => replace)
}
