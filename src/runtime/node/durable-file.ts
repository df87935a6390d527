/**
 * Files that are there whole or not at all, whatever happens while they are written: a temporary file,
 * fsync, rename, and an fsync of the folder, without which the rename itself may be lost.
 */
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'

export const writeFileDurably = async (
  path: string,
  content: string | Uint8Array,
  mode: number,
): Promise<void> => {
  const temporary = `${path}.new`
  await rm(temporary, { force: true }) // a leftover would keep its own mode
  const file = await open(temporary, 'wx', mode)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  await syncFolder(dirname(path))
}

/** Makes names that were added to a folder durable. Windows can't open folders, and NTFS journals names itself. */
export const syncFolder = async (path: string): Promise<void> => {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
