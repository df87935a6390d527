import { cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Address, Amount } from '../../src/units.ts'
import { foundNetwork, freePorts, startInFolder } from './network-process.ts'
import { type Finished, startNode, tautline, temporaryFolder } from './node-process.ts'

/** RFC 8032 §7.1, test 1. */
const receiver = 'taut16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqy3t3cr' as Address
const payment = { operations: [{ type: 'transfer' as const, to: receiver, amount: '5' as Amount }] }

const expectRefused = ({ code, stdout, stderr }: Finished, why: RegExp): void => {
  expect(stderr).toMatch(why)
  expect(stderr).not.toMatch(/unexpected|\bat \S+:\d+:\d+/)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
}

const makeKey = async (data: string): Promise<Address> => {
  const made = await tautline(['key', 'new', '--data', data, '--json'])
  return (JSON.parse(made.stdout) as { address: Address }).address
}

describe('a network in folders', () => {
  it('each starts without a flag, where its folder says, also when the folder was moved', async () => {
    const { network, nodes, out } = await foundNetwork(2)
    const moved = join(out, 'elsewhere')
    await cp(nodes[1]!.folder, moved, { recursive: true })
    const [first, second] = await Promise.all([startInFolder(nodes[0]!.folder), startInFolder(moved)])
    for (const [node, made] of [
      [first, nodes[0]!],
      [second, nodes[1]!],
    ] as const) {
      expect(node.banner).toMatchObject({ network, url: made.url, address: made.address, isNew: false })
      expect(await node.client.status()).toMatchObject({ validators: 2, node: { url: made.url } })
      expect(await node.client.account(made.address)).toMatchObject({
        balance: '500000000000',
        stake: '500000000',
      })
    }
    expect(await first.client.genesis()).toEqual(await second.client.genesis())
  })

  it('flags win over what the folder says', async () => {
    const { nodes } = await foundNetwork(1)
    const flags = ['--port', '0', '--url', 'https://a.example']
    const node = await startInFolder(nodes[0]!.folder, flags)
    expect(node.url).not.toBe(nodes[0]!.url)
    expect(await node.client.status()).toMatchObject({ node: { url: 'https://a.example' } })
    expect(await node.client.spend(payment, { wait: true })).toMatchObject({ status: 'committed' })
  })

  it.each([
    [['--validators', '2'], /is not empty/],
    [['--validators', '65', '--out', 'new'], /1 to 64 validators, not 65/],
    [['--validators', '2', '--base-port', '65535', '--out', 'new'], /--base-port/],
    [['--validators', '2', '--urls', 'https://a.example', '--out', 'new'], /names 1 places for 2/],
    [['--out', 'new'], /who are the validators/],
    [['--member', 'taut1x@https://a.example', '--out', 'new'], /taut1… address/],
    [['--member', 'https://a.example', '--out', 'new'], /an address, an @ and a URL/],
  ])('%s is refused', async (args, why) => {
    const cwd = await temporaryFolder()
    await mkdir(join(cwd, 'network', 'node1'), { recursive: true })
    expectRefused(await tautline(['network', 'create', ...args], { cwd }), why)
  })
})

describe('a network of members who keep their keys', () => {
  it('each starts with its own key and two files, and later with nothing', async () => {
    const root = await temporaryFolder()
    const port = await freePorts(2)
    const [a, b] = [join(root, 'a'), join(root, 'b')]
    const urls = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${port + 1}`] as const
    const members = [`${await makeKey(a)}@${urls[0]}`, `${await makeKey(b)}@${urls[1]}`]
    const flags = members.flatMap((member) => ['--member', member])
    const made = await tautline(['network', 'create', '--json', '--out', join(root, 'out'), ...flags])
    const { network } = JSON.parse(made.stdout) as { network: string }
    const text = await readFile(join(root, 'out', 'genesis.json'), 'utf8')

    const genesis = ['--genesis', join(root, 'out', 'genesis.json')]
    const first = await startInFolder(a, [...genesis, '--port', String(port)])
    const second = await startInFolder(b, [...genesis, '--port', String(port + 1)])
    expect(first.banner).toMatchObject({ network, isNew: false })
    expect(await first.client.genesis()).toEqual(JSON.parse(text))
    expect(await first.client.status()).toMatchObject({ validators: 2, node: { url: urls[0] } })
    expect(await second.client.status()).toMatchObject({ network, node: { url: urls[1] } })
    await first.kill('SIGTERM')
    const again = await startInFolder(a, ['--port', String(port)])
    expect(await again.client.status()).toMatchObject({ network, node: { url: urls[0] } })
    expect(JSON.parse(await readFile(join(a, 'config.json'), 'utf8'))).toEqual({
      urls: [urls[0]],
      peers: [urls[1]],
    })
  })

  it('a file that is no genesis, and a folder of another network, are refused', async () => {
    const data = await temporaryFolder()
    const file = join(data, 'genesis.json')
    await writeFile(file, '{"name":"x"}')
    expectRefused(await tautline(['start', '--data', data, '--genesis', file]), /genesis\.json is not as/)
    const { nodes } = await foundNetwork(1)
    const other = await startNode({ data: join(data, 'other') })
    await other.kill('SIGTERM')
    const genesis = join(nodes[0]!.folder, 'genesis.json')
    expectRefused(
      await tautline(['start', '--data', join(data, 'other'), '--genesis', genesis]),
      /is of network [0-9a-f]{64}, and this start is to be of [0-9a-f]{64}/,
    )
  })
})

describe('a join string', () => {
  it('leads a newcomer with a key of its own into the network, where it observes', async () => {
    const host = await startNode({ data: await temporaryFolder() })
    const data = await temporaryFolder()
    const guest = await startNode({ data, flags: ['--join', `${host.url}#${host.banner.network}`] })
    expect(guest.banner).toMatchObject({ network: host.banner.network, isNew: false })
    expect(guest.banner.address).not.toBe(host.banner.address)
    expect(await guest.client.genesis()).toEqual(await host.client.genesis())
    expect(guest.stderr()).toMatch(/is taken on its word/)
    await guest.kill('SIGTERM')
    const again = await startNode({ data })
    expect(again.banner).toMatchObject({ network: host.banner.network, address: guest.banner.address })
    expect(JSON.parse(await readFile(join(data, 'config.json'), 'utf8'))).toEqual({ peers: [host.url] })
  })

  it('with a recent block is how `status` prints it', async () => {
    const host = await startNode({ data: await temporaryFolder() })
    await host.client.spend(payment, { wait: true })
    const { join: joinString, network } = await host.client.status()
    expect(joinString).toMatch(new RegExp(`^${host.url}#${network}@1:[0-9a-f]{64}$`))
    const guest = await startNode({ data: await temporaryFolder(), flags: ['--join', joinString] })
    expect(guest.stderr()).not.toMatch(/word|trusting/)
    expect(await guest.client.status()).toMatchObject({ network })
  })

  it('of another network, another history or nobody is refused with the reason, and nothing is begun', async () => {
    const host = await startNode({ data: await temporaryFolder() })
    await host.client.spend(payment, { wait: true })
    const { network } = host.banner
    const wrong = 'ab'.repeat(32)
    const data = join(await temporaryFolder(), 'data')
    const joining = (text: string) => tautline(['start', '--data', data, '--port', '0', '--join', text])
    expectRefused(
      await joining(`${host.url}#${wrong}`),
      new RegExp(`is of network ${network}, and the join string of ${wrong}`),
    )
    expectRefused(await joining(`${host.url}#${network}@1:${wrong}`), /one of them is of another history/)
    expectRefused(await joining(`${host.url}#${network}@7:${wrong}`), /has no block 7 yet/)
    expectRefused(await joining(`http://127.0.0.1:1#${network}`), /127\.0\.0\.1:1 gives no answer/)
    expectRefused(await joining(host.url), /there is no # in it/)
    const guest = await startNode({ data, flags: ['--join', `${host.url}#${network}`] })
    expect(guest.banner).toMatchObject({ network })
    await guest.kill('SIGTERM')
    expectRefused(await joining(`${host.url}#${wrong}`), /choose another folder with --data/)
  })
})
