/** The tarball as it would be published. */
import { join } from 'node:path'
import { checkout } from './build.ts'
import { run } from './node-process.ts'

export interface Packed {
  readonly path: string
  /** What is in it, from the top of the package. */
  readonly files: readonly string[]
}

/** The build is fresh; packing would build it again, under the feet of whoever runs it. */
export const packInto = async (folder: string): Promise<Packed> => {
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder]
  const [{ filename, files }] = JSON.parse((await run('npm', pack, { cwd: checkout })).stdout)
  return { path: join(folder, filename), files: (files as { path: string }[]).map(({ path }) => path) }
}
