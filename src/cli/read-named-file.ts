/** Reading files that somebody named. */
import { readFile } from 'node:fs/promises'

/** Node leaves out which path it was when a folder lies there; whoever named it is told. */
export const readNamedFile = (path: string): Promise<Buffer> =>
  readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw Object.assign(error, { path })
  })
