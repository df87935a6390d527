/** The build that tests with real processes run: `dist/` of this checkout, made anew only when it is older than its sources. */
import { execFile } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

export const checkout = fileURLToPath(new URL('../../', import.meta.url))
export const program = join(checkout, 'dist/src/cli/main.js')

const sources = ['src', 'routes', 'package.json', 'tsconfig.json']
/** What the build writes last. */
const lastWritten = 'dist/assets'

/** Builds at most once in a test file, and in a run only the first file finds anything to do. */
export const ensureBuilt = (): Promise<void> => {
  built ??= buildWhenStale()
  return built
}

let built: Promise<void> | undefined

const buildWhenStale = async (): Promise<void> => {
  const [changedMs, builtMs] = await Promise.all([newest(sources), newest([lastWritten])])
  if (builtMs > changedMs) return
  await promisify(execFile)('npm', ['run', '-s', 'build'], { cwd: checkout }).catch(
    (error: { stdout?: string; stderr?: string }) => {
      throw new Error(`the build failed:\n${error.stdout}${error.stderr}`)
    },
  )
}

/** When a file below these was last written; 0 when there is none. */
const newest = async (names: readonly string[]): Promise<number> => {
  const times = await Promise.all(names.map((name) => newestBelow(join(checkout, name))))
  return Math.max(...times)
}

const newestBelow = async (path: string): Promise<number> => {
  const found = await stat(path).catch(() => undefined)
  if (!found?.isDirectory()) return found?.mtimeMs ?? 0
  const names = await readdir(path)
  return Math.max(0, ...(await Promise.all(names.map((name) => newestBelow(join(path, name))))))
}
