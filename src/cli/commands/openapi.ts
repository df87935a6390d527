/** `tautline openapi`: for those who build tautline. Needs the development packages of a checkout. */
import { copyFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Command } from 'commander'
import { TautlineError } from '../../errors.ts'
import { makeFolder } from '../../runtime/node/data-folder.ts'
import { packageFolder } from '../../runtime/node/package.ts'
import { flag } from '../flags.ts'
import { openapiText } from '../openapi-text.ts'
import type { Terminal } from '../terminal.ts'

interface Flags {
  readonly assets?: string
}

export const openapiCommand = (terminal: Terminal): Command =>
  new Command('openapi')
    .description('Print openapi.yaml, the description of the HTTP API (in a checkout only).')
    .addOption(
      flag('--assets <folder>', 'put the files of the pages /docs and /peer into this folder instead'),
    )
    .action(({ assets }: Flags) =>
      fromCheckout(async () => {
        if (assets !== undefined) return writeAssets(assets)
        terminal.out((await openapiText()).trimEnd())
      }),
    )

const writeAssets = async (folder: string): Promise<void> => {
  const { docsAssets } = await import('../../../routes/docs.ts')
  const { resolve } = createRequire(import.meta.url)
  await makeFolder(folder)
  for (const name of Object.keys(docsAssets))
    await copyFile(resolve(`swagger-ui-dist/${name}`), join(folder, name))
  await bundlePeerPage(folder)
}

/** The page, its scripts, and a node as one module for pages of others. */
const bundlePeerPage = async (folder: string): Promise<void> => {
  const { build } = await import('esbuild')
  const sourceOf = (name: string): string => join(packageFolder, 'src', name)
  await build({
    entryPoints: {
      peer: sourceOf('explorer/peer.ts'),
      worker: sourceOf('explorer/worker.ts'),
      offline: sourceOf('explorer/offline.ts'),
      tautline: sourceOf('runtime/browser/browser.ts'),
    },
    outdir: folder,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
  })
  for (const name of ['peer.html', 'peer.css'])
    await copyFile(sourceOf(`explorer/${name}`), join(folder, name))
}

const fromCheckout = async (run: () => Promise<void>): Promise<void> => {
  try {
    await run()
  } catch (cause) {
    if (!isMissingModule(cause)) throw cause
    throw new TautlineError(
      'bad-configuration',
      'this needs the development packages: run it in a checkout of tautline, after `npm ci`',
      {},
      cause,
    )
  }
}

const isMissingModule = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND')
