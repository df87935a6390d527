import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { WebSocket } from 'undici'
import { describe, expect, it } from 'vitest'
import type { Client } from '../../src/client/client.ts'
import type { Address, Amount } from '../../src/units.ts'
import { program } from './build.ts'
import { readEvents } from './event-reader.ts'
import {
  eventually,
  type Finished,
  type Running,
  run,
  spawnProcess,
  startNode,
  tautline,
  temporaryFolder,
  untilAnswering,
} from './node-process.ts'

/** RFC 8032 §7.1, test 1. */
const receiver = 'taut16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqy3t3cr' as Address

const pay = (client: Client, amount: number) =>
  client.spend(
    { operations: [{ type: 'transfer', to: receiver, amount: String(amount) as Amount }] },
    { wait: true },
  )

const expectRefused = ({ code, stdout, stderr }: Finished, why: RegExp): void => {
  expect(stderr).toMatch(why)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect(stderr).toMatch(/^tautline: .{20,}\n$/)
  expect(stderr).not.toMatch(/unexpected|\bat \S+:\d+:\d+/)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
}

/** A folder in which a node has committed a block, and ended. */
const usedFolder = async (flags: readonly string[] = []): Promise<string> => {
  const data = join(await temporaryFolder(), 'data')
  const node = await startNode({ data, flags })
  expect(await pay(node.client, 1)).toMatchObject({ status: 'committed', height: 1 })
  await node.kill('SIGTERM')
  return data
}

const startWithBanner = (cwd: string): Running =>
  spawnProcess(process.execPath, [program, 'start', '--port', '0'], { cwd })

const bannerOf = (running: Running, complete: RegExp): Promise<string> =>
  eventually(async () => (complete.test(running.stdout()) ? running.stdout() : undefined), running.stderr())

describe('the first start in an empty folder', () => {
  it('prints three curl lines that work when pasted', async () => {
    const cwd = await temporaryFolder()
    const banner = await bannerOf(startWithBanner(cwd), /accounts\/taut1\S+\n/)
    const lines = banner.split('\n').filter((line) => line.startsWith('curl '))
    expect(lines).toHaveLength(3)
    const answers = []
    for (const line of lines) answers.push(JSON.parse((await run('bash', ['-c', line], { cwd })).stdout))
    const [status, payment, account] = answers
    expect(banner).toContain(status.network)
    expect(banner).toContain(status.node.address)
    expect(banner).toContain(status.node.url)
    expect(payment).toMatchObject({ status: 'committed', height: 1, index: 0 })
    expect(account).toMatchObject({ address: receiver, balance: '250', height: 1 })
  })

  it('says the same short and without lines to paste when it comes back', async () => {
    const cwd = await temporaryFolder()
    const first = startWithBanner(cwd)
    const banner = await bannerOf(first, /accounts\/taut1\S+\n/)
    await first.kill('SIGTERM')
    const again = await bannerOf(startWithBanner(cwd), /head .*\n/)
    expect(again).not.toContain('curl')
    expect(again).toContain(/^network +(.+)$/m.exec(banner)![1])
  })

  it('writes nothing but its data folder, and secrets for its user alone', async () => {
    const root = await temporaryFolder()
    const [cwd, home, temporary] = ['here', 'home', 'tmp'].map((name) => join(root, name)) as [
      string,
      string,
      string,
    ]
    for (const folder of [cwd, home, temporary]) await mkdir(folder)
    const node = await startNode({ data: './data', cwd, env: { HOME: home, TMPDIR: temporary } })
    await pay(node.client, 1)
    await node.kill('SIGTERM')
    const files = await readdir(root, { recursive: true })
    expect(files.filter((file) => !file.startsWith('here/data/')).sort()).toEqual([
      'here',
      'here/data',
      'home',
      'tmp',
    ])
    expect(await modeOf(join(cwd, 'data'))).toBe('700')
    const signer = files.filter((file) => file.startsWith('here/data/signer/'))
    expect(signer).not.toEqual([])
    for (const secret of ['here/data/node.key', 'here/data/operator.token', ...signer])
      expect(await modeOf(join(root, secret)), secret).toBe('600')
  })
})

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8)

describe('a folder in use', () => {
  it('is refused to a second process, and free as soon as the first one is killed', async () => {
    const data = await temporaryFolder()
    const first = await startNode({ data })
    expectRefused(await tautline(['start', '--data', data, '--port', '0']), /in use by another process/)
    expect(await first.client.status()).toMatchObject({ head: { height: 0 } })
    await first.kill('SIGKILL')
    const second = await startNode({ data })
    expect(second.banner).toMatchObject({ network: first.banner.network, isNew: false })
  })
})

describe('what can not be done is said in one sentence, with exit code 2', () => {
  it.each([
    [['start', '--prot', '8787'], /unknown option '--prot'/],
    [['start', '--port', '99999'], /port.*65535/],
    [['start', '--port', '-1'], /port.*65535/],
    [['start', '--url', 'ledger.example'], /Expected a URL/],
    [['start', '--data'], /argument missing/],
    [['start', 'now'], /too many arguments/],
    [['begin'], /unknown command/],
    [['key', 'forge'], /unknown command/],
    [['send', 'taut1nobody', '5'], /address/],
    [['send', receiver, '1.5'], /amount/],
    [['proof', 'check', 'proof.json'], /--network/],
  ])('%s', async (args, why) => {
    const cwd = await temporaryFolder()
    expectRefused(await tautline(args, { cwd }), why)
    expect(await readdir(cwd)).toEqual([])
  })

  it.each([
    [['start', '--storage', 'redis'], /"redis" is unknown: expected level/],
    [['start', '--port', '0', '--host', '203.0.113.7'], /no address of this machine/],
    [['start', '--port', '0', '--host', 'nowhere.invalid'], /neither an address nor a name/],
    [['start', '--port', '0', '--name', ''], /name/],
    [['key', 'show'], /node\.key/],
    [['status', '--node', 'http://127.0.0.1:1'], /no node answers/],
    [['verify'], /ledger/],
    [['restore', 'nothing.backup'], /nothing\.backup/],
    [['key', 'show', '--key-file', '/proc'], /\/proc: a folder lies where/],
    [['proof', 'check', '/proc', '--network', 'ab'.repeat(32)], /\/proc: a folder lies where/],
    [['openapi', '--assets', '/proc/x'], /\/proc\/x: there is no such/],
  ])('%s', async (args, why) => {
    expectRefused(await tautline(args, { cwd: await temporaryFolder() }), why)
  })

  it('a port that is taken', async () => {
    const taken = await listen(createServer())
    const { port } = taken.address() as AddressInfo
    const args = ['start', '--data', await temporaryFolder(), '--port', String(port)]
    expectRefused(await tautline(args), new RegExp(`port ${port} .*in use.*--port`))
    taken.close()
  })

  it('a data folder that is a file', async () => {
    const data = join(await temporaryFolder(), 'data')
    await writeFile(data, '')
    expectRefused(await tautline(['start', '--data', data, '--port', '0']), /can't be used/)
  })

  it.each([
    ['whose key is none', (data: string) => writeFile(join(data, 'node.key'), 'secret\n'), /holds no key/],
    ['whose sign record is zeros', zeroSignRecord, /no whole sign record/],
    [
      'whose ledger is gone',
      (data: string) => rm(join(data, 'ledger'), { recursive: true }),
      /ledger is gone/,
    ],
    ['whose ledger is damaged', scribbleOnManifest, /damaged.*backup/],
    ['whose ledger is a file', fileForLedger, /ledger/],
  ])('a folder %s', async (_, breakFolder, why) => {
    const data = await usedFolder()
    await breakFolder(data)
    expectRefused(await tautline(['start', '--data', data, '--port', '0']), why)
  })
})

async function zeroSignRecord(data: string): Promise<void> {
  for (const name of await readdir(join(data, 'signer'))) {
    const path = join(data, 'signer', name)
    await writeFile(path, Buffer.alloc((await stat(path)).size))
  }
}

async function scribbleOnManifest(data: string): Promise<void> {
  const ledger = join(data, 'ledger')
  const manifest = (await readdir(ledger)).find((name) => name.startsWith('MANIFEST'))!
  await writeFile(join(ledger, manifest), 'scribble'.repeat(1_000))
}

async function fileForLedger(data: string): Promise<void> {
  await rm(join(data, 'ledger'), { recursive: true })
  await writeFile(join(data, 'ledger'), '')
}

const listen = (server: Server): Promise<Server> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))

describe('SIGTERM', () => {
  it('ends a node cleanly while readers of events, idle connections and half a request are open', async () => {
    const data = await temporaryFolder()
    const node = await startNode({ data })
    await pay(node.client, 5)
    const events = readEvents(node.url, '0')
    expect((await events.next()).value).toMatchObject({ id: '1', type: 'block' })
    const socket = new WebSocket(`${node.url.replace('http', 'ws')}/v1/events?from=0`)
    const closed = new Promise((resolve) => socket.addEventListener('close', resolve))
    await new Promise((resolve) => socket.addEventListener('message', resolve, { once: true }))
    const halfRequest = connect(Number(new URL(node.url).port), '127.0.0.1')
    halfRequest.on('error', () => {})
    halfRequest.write('POST /v1/transactions HTTP/1.1\r\nhost: 127.0.0.1\r\n')

    const askedMs = performance.now()
    expect(await node.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    expect(performance.now() - askedMs).toBeLessThan(10_000)
    for await (const event of events) expect(event.id).toMatch(/^1(\.0)?$/)
    await closed
    expect(node.stderr()).not.toMatch(/error|unexpected|\bat \S+:\d+:\d+/i)
    expect((await startNode({ data })).banner.isNew).toBe(false)
  })

  it('makes what is waited for final or says that it is pending', async () => {
    const data = await temporaryFolder()
    const node = await startNode({ data })
    const asked = Array.from({ length: 20 }, () => pay(node.client, 1).catch((error: unknown) => error))
    await Promise.race(asked)
    await node.kill('SIGTERM')
    const again = await startNode({ data })
    for (const answer of (await Promise.all(asked)) as { id?: string; status?: string }[]) {
      if (answer.status !== 'committed') continue
      expect(await again.client.transaction(answer.id as never)).toMatchObject(answer)
    }
  })
})

describe('--storage', () => {
  it('memory: a throwaway network, its key included', async () => {
    const data = await temporaryFolder()
    const flags = ['--storage', 'memory']
    const first = await startNode({ data, flags })
    expect(await pay(first.client, 5)).toMatchObject({ status: 'committed' })
    await first.kill('SIGTERM')
    expect((await readdir(data)).sort()).toEqual(['lock', 'node.json', 'operator.token'])
    const second = await startNode({ data, flags })
    expect(second.banner.network).not.toBe(first.banner.network)
    expect(second.banner.address).not.toBe(first.banner.address)
  })

  it('fs: plain files that outlive a killed process', async () => {
    const data = await temporaryFolder()
    const flags = ['--storage', 'fs']
    const first = await startNode({ data, flags })
    const paid = await pay(first.client, 5)
    await first.kill('SIGKILL')
    const second = await startNode({ data, flags })
    expect(await second.client.transaction(paid.id)).toMatchObject(paid)
    expect(await readdir(data)).not.toContain('ledger')
  })
})

describe('variables', () => {
  it('stand for flags, and a flag wins', async () => {
    const data = await temporaryFolder()
    const env = {
      TAUTLINE_DATA: data,
      TAUTLINE_JSON: '1',
      TAUTLINE_NAME: 'points',
      TAUTLINE_PORT: '1',
      TAUTLINE_URL: 'https://one.example https://two.example',
    }
    const node = await untilAnswering(
      spawnProcess(process.execPath, [program, 'start', '--port', '0'], { env }),
    )
    expect(await node.client.status()).toMatchObject({ name: 'points', node: { url: 'https://one.example' } })
    const status = await tautline(['status'], { env })
    expect(JSON.parse(status.stdout)).toMatchObject({ name: 'points' })
  })
})

describe('backup and restore', () => {
  it('a backup taken under load starts elsewhere, and signs only when told to', async () => {
    const [data, other] = [await temporaryFolder(), await temporaryFolder()]
    const file = join(other, 'ledger.backup')
    const source = await startNode({ data })
    await pay(source.client, 1)
    let isOver = false
    const load = Array.from({ length: 8 }, async () => {
      while (!isOver) await pay(source.client, 1)
    })
    const backup = tautline(['backup', file, '--data', data]).finally(() => {
      isOver = true
    })
    await Promise.all([backup, ...load])
    expect(await backup).toMatchObject({ code: 0 })
    expect(await modeOf(file)).toBe('600')

    const restored = join(other, 'restored')
    expect(await tautline(['restore', file, '--data', restored])).toMatchObject({ code: 0 })
    const node = await startNode({ data: restored })
    const { network, head, node: self } = await node.client.status()
    expect({ network, address: self.address }).toEqual({
      network: source.banner.network,
      address: source.banner.address,
    })
    expect(head.height).toBeGreaterThan(0)
    expect(await source.client.block(head.height)).toMatchObject({ hash: head.hash })
    expect(node.stderr()).toContain('no sign record')
    const operations = [{ type: 'transfer' as const, to: receiver, amount: '1' as Amount }]
    await node.client.spend({ operations }).catch(() => undefined)
    expect((await node.client.status()).head).toEqual(head)
    await node.kill('SIGTERM')
    await source.kill('SIGTERM')

    const signing = await startNode({ data: restored, flags: ['--without-sign-record'] })
    expect(await pay(signing.client, 1)).toMatchObject({ status: 'committed', height: head.height + 1 })
    await signing.kill('SIGTERM')
    expect(await tautline(['verify', '--data', restored])).toMatchObject({ code: 0 })
    expectRefused(await tautline(['restore', file, '--data', restored]), /restored/)
  })
})
