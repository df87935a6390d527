import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openConnectionKeyFiles } from '../../../src/runtime/node/connection-key-files.ts'

const id = 'ab'.repeat(16)
const both = Uint8Array.from({ length: 64 }, (_, at) => at)
const kept = both.slice(0, 32)
const passphrase = 'correct horse battery staple'

let folder: string
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'tautline-keys-')), 'connections')
})
afterEach(() => rm(join(folder, '..'), { recursive: true }))

const bytesThere = async (): Promise<Buffer> =>
  Buffer.concat(await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name)))))

it.each([undefined, passphrase])('keeps, replaces and erases keys (passphrase: %s)', async (word) => {
  const keys = await openConnectionKeyFiles(folder, word)
  expect(await keys.read(id)).toBeUndefined()
  await keys.write(id, both)
  expect(await (await openConnectionKeyFiles(folder, word)).read(id)).toEqual(both)
  await keys.write(id, kept)
  expect(await keys.read(id)).toEqual(kept)
  expect((await bytesThere()).includes(Buffer.from(both.subarray(32)))).toBe(false)
  await keys.erase(id)
  await keys.erase(id)
  expect(await keys.read(id)).toBeUndefined()
})

it('lets nobody else read the files', async () => {
  await (await openConnectionKeyFiles(folder, undefined)).write(id, both)
  expect((await stat(join(folder, `${id}.key`))).mode & 0o777).toBe(0o600)
  expect((await stat(folder)).mode & 0o777).toBe(0o700)
})

it('seals by a passphrase, also what was written before there was one', async () => {
  await (await openConnectionKeyFiles(folder, undefined)).write(id, both)
  expect((await bytesThere()).includes(Buffer.from(kept))).toBe(true)
  const keys = await openConnectionKeyFiles(folder, passphrase)
  expect((await bytesThere()).includes(Buffer.from(kept))).toBe(false)
  expect(await keys.read(id)).toEqual(both)
})

it('refuses another passphrase, and none', async () => {
  await (await openConnectionKeyFiles(folder, passphrase)).write(id, both)
  await expect(openConnectionKeyFiles(folder, 'another passphrase')).rejects.toThrow(
    /passphrase isn't the one/,
  )
  await expect(openConnectionKeyFiles(folder, undefined)).rejects.toThrow(/--connections-passphrase/)
})
