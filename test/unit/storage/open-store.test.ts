import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createStorage } from 'unstorage'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { encodeUtf8 } from '../../../src/codec/bytes.ts'
import type { ObjectStore } from '../../../src/ports/object-store.ts'
import { fsDriver } from '../../../src/storage/fs-driver.ts'
import { openLevelDriver } from '../../../src/storage/level-driver.ts'
import { openStore } from '../../../src/storage/open-store.ts'

let folder: string
const opened: ObjectStore[] = []

const open = async (spec: string): Promise<ObjectStore> => {
  const store = await openStore(spec, folder)
  opened.push(store)
  return store
}

const spoil = async (table: string): Promise<void> => {
  const path = join(folder, 'ledger', table)
  const content = await readFile(path)
  for (let at = 0; at < content.length; at += 997) content[at]! ^= 4
  await writeFile(path, content)
}

const commit = (store: ObjectStore, head: string): Promise<void> =>
  store.commit({ puts: [['block:1', encodeUtf8('block')]], removes: [] }, encodeUtf8(head))

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tautline-storage-'))
})

afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
  await rm(folder, { recursive: true })
})

describe('--storage', () => {
  test.each([
    { spec: 'level', durability: 'power-loss', place: 'ledger' },
    { spec: 'fs', durability: 'process-crash', place: 'ledger-files' },
  ])('$spec lies in the data folder and promises $durability', async ({ spec, durability, place }) => {
    const store = await open(spec)
    expect(store.durability).toBe(durability)
    await commit(store, 'head')
    await store.close()
    expect(await readdir(folder)).toEqual([place])
    expect(await (await open(spec)).readHead()).toEqual(encodeUtf8('head'))
  })

  test.each(['level', 'fs'])('%s:PATH lies there and nowhere else', async (kind) => {
    const spec = `${kind}:${join(folder, 'else:where')}`
    await commit(await open(spec), 'head')
    expect(await readdir(folder)).toEqual(['else:where'])
  })

  test('memory leaves nothing and promises nothing', async () => {
    const store = await open('memory')
    expect(store.durability).toBe('none')
    await commit(store, 'head')
    expect(await readdir(folder)).toEqual([])
    expect(await (await open('memory')).readHead()).toBeUndefined()
  })

  test.each(['', 'lmdb', 'level:', 'memory:x', 'Level', ' level', 'constructor', 'fs:'])(
    '"%s" is refused, with what is accepted',
    async (spec) => {
      await expect(openStore(spec, folder)).rejects.toMatchObject({
        code: 'bad-configuration',
        message: expect.stringMatching(/level.*level:PATH.*fs.*memory/),
      })
    },
  )
})

describe('a ledger in LevelDB', () => {
  test('that is in use is refused, and says where it lies', async () => {
    await open('level')
    await expect(openStore('level', folder)).rejects.toMatchObject({
      code: 'folder-in-use',
      message: expect.stringContaining(join(folder, 'ledger')),
    })
  })

  test('that is damaged is refused, and says what to do', async () => {
    await (await open('level')).close()
    await writeFile(join(folder, 'ledger', 'CURRENT'), 'garbage')
    await expect(openStore('level', folder)).rejects.toMatchObject({
      code: 'damaged-folder',
      message: expect.stringMatching(/ledger is damaged.*restore/),
    })
  })

  test('can’t lie where a file is', async () => {
    await writeFile(join(folder, 'ledger'), '')
    await expect(openStore('level', folder)).rejects.toMatchObject({ code: 'bad-configuration' })
  })

  test('that has lost its file CURRENT is refused, and keeps its tables', async () => {
    const store = await open('level')
    await commit(store, 'head')
    await store.close()
    const path = join(folder, 'ledger')
    const current = await readFile(join(path, 'CURRENT'))
    await rm(join(path, 'CURRENT'))
    const before = (await readdir(path)).sort()
    await expect(open('level')).rejects.toMatchObject({
      code: 'damaged-folder',
      message: expect.stringMatching(/without its file CURRENT: restore/),
    })
    expect((await readdir(path)).sort()).toEqual(before)
    await writeFile(join(path, 'CURRENT'), current)
    expect(await (await open('level')).readHead()).toEqual(encodeUtf8('head'))
  })

  test('whose tables are damaged says so when it is read', async () => {
    const store = await open('level')
    const puts = Array.from({ length: 200 }, (_, at): [string, Uint8Array] => [
      `a:${at}`,
      new Uint8Array(100_000).fill(at),
    ])
    await store.commit({ puts, removes: [] }, encodeUtf8('head')) // more than a write buffer, so it goes to a table
    await store.close()
    await (await open('level')).close()
    for (const file of await readdir(join(folder, 'ledger'))) if (file.endsWith('.ldb')) await spoil(file)
    await expect(
      open('level').then((damaged) => damaged.getMany(puts.map(([key]) => key))),
    ).rejects.toMatchObject({ code: 'damaged-folder' })
  })
})

// A soft limit on the size of files stands in for a full disk, and `prlimit`, which lifts it, is Linux's. The
// limit is no multiple of LevelDB's 32 KiB, so that it cuts a record in two.
describe.runIf(process.platform === 'linux')('a disk that is full for a while', () => {
  test('loses nothing that LevelDB has acknowledged, before or after', async () => {
    const program = join(import.meta.dirname, 'outgrow-limit.ts')
    const flags = process.versions.deno ? 'run --allow-all' : '--import tsx'
    const command = `trap '' XFSZ; ulimit -S -f 1100; exec "$0" ${flags} "${program}" level "${folder}"`
    const { stdout } = await promisify(execFile)('bash', ['-c', command, process.execPath])
    const { acknowledged, codes, messages } = JSON.parse(stdout) as {
      acknowledged: number
      codes: readonly string[]
      messages: readonly string[]
    }
    expect(acknowledged).toBeGreaterThan(0)
    expect(codes[0]).toBe('storage-unavailable')
    // Whoever reads only the last of them is told what happened first, and what to do.
    expect(messages.at(-1)).toMatch(/since a write has failed \(.*File too large.*\).*start the node again/)
    const store = await open('level')
    expect(await store.readHead()).toEqual(encodeUtf8(String(acknowledged)))
    const blocks = Array.from({ length: acknowledged }, (_, at) => `block:${at + 1}`)
    expect((await store.getMany(blocks)).map((block) => block?.length)).toEqual(blocks.map(() => 300_000))
  })
})

describe.each([
  { name: 'level', openDriver: () => openLevelDriver(join(folder, 'plain')) },
  { name: 'fs', openDriver: async () => fsDriver(join(folder, 'plain')) },
])('the $name driver', ({ openDriver }) => {
  test('is a plain unstorage driver', async () => {
    const storage = createStorage({ driver: await openDriver() })
    await storage.setItem('page:1', 'text')
    await storage.setItem('page:2', { a: 1 })
    await storage.setItemRaw('other', Uint8Array.of(1))
    expect(await storage.getItem('page:1')).toBe('text')
    expect(await storage.getItem('page:2')).toEqual({ a: 1 })
    expect(await storage.getItem('page:3')).toBeNull()
    expect(await storage.hasItem('page:2')).toBe(true)
    expect((await storage.getKeys('page')).toSorted()).toEqual(['page:1', 'page:2'])
    await storage.removeItem('page:2')
    expect(await storage.hasItem('page:2')).toBe(false)
    expect((await storage.getKeys()).toSorted()).toEqual(['other', 'page:1'])
    await storage.dispose()
  })
})
