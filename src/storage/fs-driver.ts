/**
 * One file for each object, through unstorage's `fs-lite`: easy to look at, slow, and not safe from power
 * failures. Nothing is fsynced; what protects a ledger from the death of the process is the order of a
 * commit: an object's file is complete before the head names it, and a head slot that was being rewritten
 * (fs-lite truncates first) leaves the other slot.
 *
 * Two of fs-lite's habits (1.17.6) are mended here. An object `a` and an object `a:b` would need a file and
 * a folder of the same name, so files end in {@link suffix}. And errors of reading and removing come back
 * as values; they are thrown.
 */
import fsLite from 'unstorage/drivers/fs-lite'
import type { ObjectDriver } from './driver.ts'

/** Holds a character that no key does. */
const suffix = '.object'

export const fsDriver = (path: string): ObjectDriver => {
  const files = fsLite({ base: path })
  const fileOf = (key: string): string => `${key}${suffix}`
  return {
    name: 'fs',
    hasItem: (key, options) => files.hasItem(fileOf(key), options),
    getItem: async (key, options) => thrown(await files.getItem(fileOf(key), options)),
    getItemRaw: async (key, options) => thrown(await files.getItemRaw!(fileOf(key), options)),
    setItem: (key, value, options) => files.setItem!(fileOf(key), value, options),
    setItemRaw: (key, value, options) => files.setItemRaw!(fileOf(key), value, options),
    removeItem: async (key, options) => {
      thrown<unknown>(await files.removeItem!(fileOf(key), options))
    },
    getKeys: async (base, options) => {
      const found: string[] = await files.getKeys(base, options)
      return found.filter((file) => file.endsWith(suffix)).map((file) => file.slice(0, -suffix.length))
    },
  }
}

const thrown = <Value>(value: Value): Value => {
  if (value instanceof Error) throw value
  return value
}
