/** What test files read from the disk, for a worker to find below `/bundle`. */
import { existsSync } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { checkout } from '../../e2e/build.ts'
import { checkoutInBundle } from './bundle-suites.ts'

/** From the top of the checkout. The vectors of others may not be there, and then the tests say so. */
const read = ['openapi.yaml', 'README.md', 'test/interop/didcomm/frozen.json', '../shared/vectors']

export const bundledFiles = async (): Promise<Readonly<Record<string, Uint8Array>>> => {
  const paths = (await Promise.all(read.map((path) => filesAt(join(checkout, path))))).flat()
  const entries = paths.map(
    async (path) => [join(checkoutInBundle, relative(checkout, path)), await readFile(path)] as const,
  )
  return Object.fromEntries(await Promise.all(entries))
}

const filesAt = async (path: string): Promise<readonly string[]> => {
  if (!existsSync(path)) return []
  if ((await stat(path)).isFile()) return [path]
  const entries = await readdir(path, { withFileTypes: true, recursive: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}
