import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../../src/cli/program.ts'
import { decodeUtf8, encodeUtf8 } from '../../../src/codec/bytes.ts'
import { openStore } from '../../../src/storage/open-store.ts'
import { fakeTerminal } from './fake-terminal.ts'

/** A folder whose node has committed two transfers and is not running, and a backup of it. */
let folder: string
let data: string
let backup: string

const tautline = async (...args: readonly string[]) => {
  const terminal = fakeTerminal()
  const exitCode = await run(args, terminal)
  return {
    exitCode,
    out: terminal.printed.join('\n'),
    err: terminal.complained.join('\n'),
    drawn: terminal.drawn,
  }
}

const receiver = 'taut16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqy3t3cr'

/** Runs a node in the folder while the steps run. */
const whileRunning = async (at: string, steps: () => Promise<void>): Promise<void> => {
  const terminal = fakeTerminal()
  const ended = run(['start', '--data', at, '--port', '0', '--json'], terminal)
  while (terminal.printed.length === 0)
    await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 5))])
  await steps()
  terminal.interrupt()
  expect(await ended).toBe(0)
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tautline-backup-'))
  data = join(folder, 'data')
  backup = join(folder, 'backup')
  await whileRunning(data, async () => {
    expect(await tautline('send', receiver, '5', '--data', data)).toMatchObject({ exitCode: 0 })
    expect(await tautline('send', receiver, '6', '--data', data)).toMatchObject({ exitCode: 0 })
    expect(await tautline('backup', backup, '--data', data)).toMatchObject({ exitCode: 0 })
  })
})
afterAll(() => rm(folder, { recursive: true, force: true }))

describe('verify', () => {
  it('a whole ledger: what it holds, and a bar on the way', async () => {
    const { exitCode, out, drawn } = await tautline('verify', '--data', data)
    expect({ exitCode, out }).toEqual({
      exitCode: 0,
      out: 'The ledger adds up: 2 blocks with 2 transactions lead to its head; its 2 accounts hold the 1001000000000 base units of the genesis.',
    })
    expect(drawn.at(-2)).toContain('100 % of 2 blocks')
    expect(drawn.at(-1)).toBe('')
  })

  it('for programs', async () => {
    const { out } = await tautline('verify', '--data', data, '--json')
    expect(JSON.parse(out)).toEqual({
      ok: true,
      height: 2,
      oldest: 1,
      transactions: 2,
      accounts: 2,
      supply: '1001000000000',
      burned: '0',
    })
  })

  it.each<[string, string, (text: string) => string, RegExp]>([
    ['an amount in a block', 'block:0000000000000001', (text) => text.replace('"5"', '"7"'), /block 1: /],
    ['a block that is no JSON', 'block:0000000000000001', () => '{', /not JSON/],
    [
      'a certificate',
      'certificate:0000000000000002',
      (text) => text.replace('"round":0', '"round":1'),
      /block 2: /,
    ],
  ])('%s changed on the disk is a no', async (name, key, change, why) => {
    const damaged = join(folder, `damaged ${name}`)
    await cp(data, damaged, { recursive: true })
    const store = await openStore('level', damaged)
    const text = decodeUtf8((await store.get(key))!)
    const head = (await store.readHead())!
    await store.commit({ puts: [[key, encodeUtf8(change(text))]], removes: [] }, head)
    await store.close()
    const { exitCode, out, err } = await tautline('verify', '--data', damaged)
    expect(err).toMatch(/^tautline: the ledger does not verify: [^\n]+$/)
    expect(err).toMatch(why)
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: '' })
  })

  it('a folder in use could not be checked', async () => {
    await whileRunning(data, async () => {
      expect(await tautline('verify', '--data', data)).toMatchObject({
        exitCode: 2,
        err: expect.stringContaining('in use'),
      })
    })
  })

  it('a folder that is not there is not made', async () => {
    const missing = join(folder, 'missing')
    expect(await tautline('verify', '--data', missing)).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('no ledger'),
    })
    expect(await readdir(folder)).not.toContain('missing')
  })
})

describe('backup', () => {
  it('while its node runs and while it does not, it is the same file, closed to others', async () => {
    const other = join(folder, 'other')
    expect(await tautline('backup', other, '--data', data)).toMatchObject({
      exitCode: 0,
      out: expect.stringContaining('2 blocks and the secret key'),
    })
    expect(await readFile(other, 'utf8')).toBe(await readFile(backup, 'utf8'))
    for (const file of [backup, other]) expect((await stat(file)).mode & 0o777).toBe(0o600)
    expect(await readdir(folder)).not.toContain('other.new')
  })

  it('into a folder that is not there names the file that was asked for', async () => {
    const file = join(folder, 'nowhere', 'backup')
    expect(await tautline('backup', file, '--data', data)).toMatchObject({
      exitCode: 2,
      err: `tautline: ${file}: there is no such file or folder`,
    })
  })

  it('one that fails leaves the one before', async () => {
    const kept = join(folder, 'kept')
    await writeFile(kept, 'before')
    const elsewhere = ['--storage', `level:${join(folder, 'elsewhere')}`]
    expect(await tautline('backup', kept, '--data', data, ...elsewhere)).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('no ledger'),
    })
    expect(await readFile(kept, 'utf8')).toBe('before')
  })

  it("the URL of another folder's node is refused", async () => {
    const stranger = join(folder, 'stranger')
    await whileRunning(stranger, async () => {
      const { url } = JSON.parse(await readFile(join(stranger, 'node.json'), 'utf8')) as { url: string }
      await whileRunning(data, async () => {
        const refused = await tautline('backup', join(folder, 'wrong'), '--data', data, '--node', url)
        expect(refused).toMatchObject({ exitCode: 2, err: expect.stringContaining('another key') })
      })
    })
  })
})

describe('restore', () => {
  const into = (name: string): string => join(folder, name)

  it('gives the same ledger under the same key, without a record of what was signed', async () => {
    const { exitCode, out } = await tautline('restore', backup, '--data', into('restored'))
    expect(exitCode).toBe(0)
    expect(out).toContain('--without-sign-record')
    expect(await readFile(join(into('restored'), 'node.key'), 'utf8')).toBe(
      await readFile(join(data, 'node.key'), 'utf8'),
    )
    expect(await readdir(into('restored'))).not.toContain('signer')
    expect((await tautline('verify', '--data', into('restored'), '--json')).out).toBe(
      (await tautline('verify', '--data', data, '--json')).out,
    )
    const again = join(folder, 'again')
    await tautline('backup', again, '--data', into('restored'))
    expect(await readFile(again, 'utf8')).toBe(await readFile(backup, 'utf8'))
  })

  it('never into a folder that holds something', async () => {
    expect(await tautline('restore', backup, '--data', data)).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('not empty'),
    })
  })

  it('never over a ledger that lies elsewhere', async () => {
    const storage = ['--storage', `level:${join(data, 'ledger')}`]
    expect(await tautline('restore', backup, '--data', into('over'), ...storage)).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('holds a ledger already'),
    })
    expect(await tautline('verify', '--data', data)).toMatchObject({ exitCode: 0 })
  })

  it('never into what keeps nothing', async () => {
    expect(await tautline('restore', backup, '--data', into('memory'), '--storage', 'memory')).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining('keeps nothing'),
    })
  })

  it.each<[string, (text: string) => string, RegExp]>([
    ['cut off', (text) => text.split('\n').slice(0, -2).join('\n'), /cut off/],
    [
      'a block left out',
      (text) =>
        text
          .split('\n')
          .filter((_, at) => at !== 1)
          .join('\n'),
      /block 1/,
    ],
    ['an amount changed', (text) => text.replace('"amount":"5"', '"amount":"7"'), /block 1/],
    [
      'another genesis',
      (text) => text.replace('"balance":"1000000000000"', '"balance":"1000000000001"'),
      /block 1/,
    ],
  ])('a damaged backup is a no, and leaves an empty folder: %s', async (name, damage, why) => {
    const damaged = into('damaged-file')
    await writeFile(damaged, damage(await readFile(backup, 'utf8')))
    const { exitCode, err } = await tautline('restore', damaged, '--data', into(name))
    expect(err).toMatch(why)
    expect(exitCode).toBe(1)
    expect((await readdir(into(name))).filter((file) => file !== 'lock')).toEqual([])
  })
})
