import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type DataFolder, openDataFolder, readDataFile } from '../../../src/runtime/node/data-folder.ts'

let parent: string
let path: string
const opened: DataFolder[] = []

const open = async (...given: Parameters<typeof openDataFolder>): Promise<DataFolder> => {
  const folder = await openDataFolder(...given)
  opened.push(folder)
  return folder
}

const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o777

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'tautline-data-'))
  path = join(parent, 'deep', 'data')
})

afterEach(async () => {
  for (const folder of opened.splice(0)) await folder.close()
  await rm(parent, { recursive: true })
})

describe('files of a data folder', () => {
  test('the folder is made for its operator alone', async () => {
    const folder = await open(path)
    expect(folder.path).toBe(path)
    expect(await modeOf(path)).toBe(0o700)
    expect(await readdir(path)).toEqual(['lock'])
  })

  test('what is written is read, by others without the lock too; what isn’t there is undefined', async () => {
    const folder = await open(path)
    expect(await folder.readFile('genesis.json')).toBeUndefined()
    expect(await readDataFile(path, 'node.json')).toBeUndefined()
    await folder.writeFile('genesis.json', '{"name":"ä€😀"}')
    await folder.writeFile('genesis.json', '{}')
    await folder.writeFile('node.json', '{"url":"http://127.0.0.1:8787"}')
    expect(await folder.readFile('genesis.json')).toBe('{}')
    expect(await readDataFile(path, 'node.json')).toBe('{"url":"http://127.0.0.1:8787"}')
  })

  test('secrets are for the operator alone, and no temporary file stays', async () => {
    const folder = await open(path)
    for (const name of ['node.key', 'operator.token', 'genesis.json', 'node.json'] as const)
      await folder.writeFile(name, 'x')
    expect(await modeOf(join(path, 'node.key'))).toBe(0o600)
    expect(await modeOf(join(path, 'operator.token'))).toBe(0o600)
    expect(await modeOf(join(path, 'genesis.json'))).toBe(0o644)
    expect((await readdir(path)).toSorted()).toEqual([
      'genesis.json',
      'lock',
      'node.json',
      'node.key',
      'operator.token',
    ])
  })

  test('a leftover of a write that was killed is in nobody’s way and lends no mode', async () => {
    const folder = await open(path)
    await writeFile(join(path, 'node.key.new'), 'half', { mode: 0o666 })
    await folder.writeFile('node.key', 'whole')
    expect(await folder.readFile('node.key')).toBe('whole')
    expect(await modeOf(join(path, 'node.key'))).toBe(0o600)
  })

  test('a key that others can read is closed to them, and the operator is told once', async () => {
    const warnings: string[] = []
    const folder = await open(path, { warn: (message) => warnings.push(message) })
    await folder.writeFile('node.key', 'seed')
    await chmod(join(path, 'node.key'), 0o644)
    expect(await folder.readFile('node.key')).toBe('seed')
    expect(await modeOf(join(path, 'node.key'))).toBe(0o600)
    expect(await folder.readFile('node.key')).toBe('seed')
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('node.key')
  })

  test('a file in the folder’s place is refused with a sentence', async () => {
    await writeFile(join(parent, 'file'), '')
    await expect(openDataFolder(join(parent, 'file'))).rejects.toMatchObject({ code: 'bad-configuration' })
    await expect(openDataFolder(join(parent, 'file', 'below'))).rejects.toMatchObject({
      code: 'bad-configuration',
    })
  })
})

describe('the lock of a data folder', () => {
  const inUse = { code: 'folder-in-use', message: expect.stringContaining('--data') }
  const children: ChildProcess[] = []

  const hold = async (): Promise<ChildProcess> => {
    const program = join(import.meta.dirname, 'hold-data-folder.ts')
    const child = spawn(process.execPath, ['--import', 'tsx', program, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(child)
    const [output] = await Promise.race([once(child.stdout!, 'data'), once(child, 'exit')])
    expect(String(output)).toBe('held\n')
    return child
  }

  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL')
  })

  test('a second opening is refused, a second after closing isn’t', async () => {
    const first = await open(path)
    await expect(openDataFolder(path)).rejects.toMatchObject({ ...inUse, details: { path } })
    await first.close()
    await open(path)
  })

  test('it keeps another process out while its holder lives, and is free when that one is killed', async () => {
    const child = await hold()
    await expect(openDataFolder(path)).rejects.toMatchObject(inUse)
    await expect(openDataFolder(path)).rejects.toMatchObject(inUse) // being refused lets nobody in
    child.kill('SIGKILL')
    await once(child, 'exit')
    await open(path)
  })

  test('files that a power failure left empty behind the lock don’t keep a node from starting', async () => {
    await (await open(path)).close()
    const lock = join(path, 'lock')
    for (const file of await readdir(lock)) await writeFile(join(lock, file), '')
    await open(path)
    await expect(openDataFolder(path)).rejects.toMatchObject(inUse)
  })

  test.each([
    ['cut off', 'MANI'],
    ['naming what is not there', 'MANIFEST-999999\n'],
    ['naming nothing', '\n'],
    ['naming another file of the folder', 'LOG\n'],
  ])('CURRENT behind the lock, %s, keeps no node from starting', async (_, content) => {
    await (await open(path)).close()
    await writeFile(join(path, 'lock', 'CURRENT'), content)
    await open(path)
    await expect(openDataFolder(path)).rejects.toMatchObject(inUse)
  })

  test('damage behind a lock that is held lets nobody in', async () => {
    await hold()
    const lock = join(path, 'lock')
    for (const file of await readdir(lock)) if (file !== 'LOCK') await writeFile(join(lock, file), '')
    await expect(openDataFolder(path)).rejects.toMatchObject(inUse)
  })

  test('a folder under the lock’s name is used as it is', async () => {
    await mkdir(join(path, 'lock'), { recursive: true })
    await open(path)
    expect(await readFile(join(path, 'lock', 'LOCK'), 'utf8')).toBe('')
  })
})
