/** Programs of other runtimes, from npm, each in a folder of its own: none of them gets into this package or its PATH. */
import { execFile } from 'node:child_process'
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { checkout } from './build.ts'

const cache = join(checkout, 'node_modules/.cache/runtimes')
const installMs = 240_000

/** Installs a package once. @returns the folder whose `node_modules` has it */
export const installed = async (name: string, version: string): Promise<string> => {
  const folder = join(cache, `${name.replace('/', '-')}-${version}`)
  const isThere = await access(folder).then(
    () => true,
    () => false,
  )
  if (isThere) return folder
  const making = `${folder}.${process.pid}`
  await mkdir(making, { recursive: true })
  await writeFile(join(making, 'package.json'), '{"private":true}\n')
  const flags = ['--save-exact', '--no-audit', '--no-fund', '--loglevel=error']
  await promisify(execFile)('npm', ['install', ...flags, `${name}@${version}`], {
    cwd: making,
    timeout: installMs,
  })
  await rename(making, folder).catch(() => rm(making, { recursive: true })) // another one was faster
  return folder
}
