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

export const bundleWorker = async (change?: Change): Promise<Bundle> => {
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'simulation-'))
  const path = join(folder, 'worker.mjs')
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    await build({
      entryPoints: [join(import.meta.dirname, 'worker.ts')],
      outfile: path,
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'silent',
      plugins: change ? [changing(change)] : [],
    })
  } catch (error) {
    await remove()
    throw error
  }
  return { path, remove }
}

const changing = (change: Change): Plugin => ({
  name: 'change',
  setup: ({ onLoad, onEnd }) => {
    const path = join(top, change.file)
    let isMade = false
    onLoad({ filter: /\.ts$/ }, async (loaded) => {
      if (loaded.path !== path) return undefined
      isMade = true
      return { contents: changed(await readFile(path, 'utf8'), change), loader: 'ts' }
    })
    onEnd(() => (isMade ? {} : { errors: [{ text: `${change.file} is no part of the simulated tree` }] }))
  },
})

const changed = (source: string, { file, find, replace }: Change): string => {
  const places = source.split(find).length - 1
  if (places !== 1) throw new Error(`${file} has ${places} places, and not one, that read: ${find}`)
  return source.replace(find, () => replace)
}
