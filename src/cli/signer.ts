/** The key that a command signs with: the data folder's, or another file's. */
import { join } from 'node:path'
import { TautlineError } from '../errors.ts'
import type { Signer } from '../ports/keys.ts'
import { readDataFile } from '../runtime/node/data-folder.ts'
import { createNodeSigner } from '../runtime/node/keys.ts'
import { readSecretKey } from '../runtime/secret-key.ts'
import { readNamedFile } from './read-named-file.ts'

export interface KeyFlags {
  readonly data: string
  readonly keyFile?: string
}

/** Works beside a running node: the folder isn't locked for it. */
export const loadSigner = async (flags: KeyFlags): Promise<Signer> =>
  createNodeSigner(await loadSecretKey(flags))

/** @returns a seed of 32 bytes */
export const loadSecretKey = async ({ data, keyFile }: KeyFlags): Promise<Uint8Array> => {
  const path = keyFile ?? join(data, 'node.key')
  const text =
    keyFile === undefined
      ? await readDataFile(data, 'node.key')
      : (await readNamedFile(keyFile)).toString('utf8')
  if (text !== undefined) return readSecretKey(text, path)
  throw new TautlineError(
    'bad-configuration',
    `there is no key at ${path}: give the node's folder with --data or a key with --key-file, or make one with \`tautline key new\``,
  )
}
