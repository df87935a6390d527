/** Files that the build makes and a page consists of. */
import type { Context } from 'hono'
import { TautlineError } from '../src/errors.ts'
import type { docsAssets } from './docs.ts'
import type { peerAssets } from './peer-page.ts'

export type Asset = keyof typeof docsAssets | keyof typeof peerAssets

/** The contents of a file; undefined when the program was built without it. */
export type ReadAsset = (name: Asset) => Promise<Uint8Array<ArrayBuffer> | undefined>

/** @throws TautlineError `not-found` */
export const respondAsset = async (
  c: Context,
  readAsset: ReadAsset,
  name: Asset,
  headers: Readonly<Record<string, string>>,
): Promise<Response> => {
  const bytes = await readAsset(name)
  if (bytes) return c.body(bytes, 200, headers)
  throw new TautlineError('not-found', `${name} isn't part of this installation: run \`npm run build\``)
}
