/** A validator in a Durable Object of the real workerd, among others on Node. */
import { readdir, readFile, readlink } from 'node:fs/promises'
import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { FinalTransaction } from '../../src/node/service.ts'
import type { Address, Amount, Height } from '../../src/units.ts'
import { foundNetwork, freePorts, startInFolder } from './network-process.ts'
import { eventually, type NodeProcess, pause, temporaryFolder } from './node-process.ts'
import {
  lastInWorkerd,
  operatorToken,
  spawnWorkerd,
  startWorkerd,
  type WorkerdProcess,
  withItsRecord,
} from './workerd-process.ts'

/** RFC 8032 §7.1, test 1. */
const receiver = 'taut16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqy3t3cr' as Address

type AnyNode = NodeProcess | WorkerdProcess

const pay = async ({ client }: AnyNode, amount = 1): Promise<FinalTransaction> => {
  const operations = [{ type: 'transfer' as const, to: receiver, amount: String(amount) as Amount }]
  const spent = await client.spend({ operations }, { wait: true })
  return eventually(async () => {
    const { transaction: _, ...final } = await client.transaction(spent.id)
    return final.status === 'committed' ? final : undefined
  }, `transaction ${spent.id} is not committed`)
}

const sameBlock = async (nodes: readonly AnyNode[], height: Height): Promise<void> => {
  const hashes = await Promise.all(
    nodes.map(({ client, stdout, stderr }) =>
      eventually(
        async () => (await client.block(height).catch(() => undefined))?.hash,
        `${client.url} does not come to block ${height}: ${stdout()}${stderr()}`,
      ),
    ),
  )
  expect(new Set(hashes).size, hashes.join(', ')).toBe(1)
}

const allLinked = async (nodes: readonly AnyNode[]): Promise<void> => {
  for (const { client, stdout, stderr } of nodes) {
    await eventually(
      async () => (await client.status()).peers >= nodes.length - 1 || undefined,
      `${client.url} is not linked with all: ${stdout()}${stderr()}`,
    )
  }
}

const startAll = async (validators: number) => {
  const network = await foundNetwork(validators)
  const options = await lastInWorkerd(network)
  const nodes = await Promise.all(network.nodes.slice(0, -1).map(({ folder }) => startInFolder(folder)))
  const durable = await startWorkerd(options)
  await allLinked([...nodes, durable])
  return { network, options, nodes, durable }
}

const votersOf = async ({ client }: AnyNode, height: Height): Promise<readonly Address[]> =>
  (await client.block(height)).certificate.precommits.map(({ validator }) => validator)

describe('a validator in a Durable Object', () => {
  it('votes: with one of the four killed there is no block without it', async () => {
    const { network, nodes, durable } = await startAll(4)
    await sameBlock([...nodes, durable], (await pay(durable)).height)
    await nodes[2]!.kill('SIGKILL')
    const { height } = await pay(nodes[0]!)
    expect(await votersOf(nodes[0]!, height)).toContain(network.nodes[3]!.address)
    await sameBlock([nodes[0]!, nodes[1]!, durable], height)
  })

  it('is killed again and again under load: what was decided stays, nothing is signed twice, and it goes on', async () => {
    const started = await startAll(4)
    const { options, nodes } = started
    let { durable } = started
    await nodes[2]!.kill('SIGKILL') // so that each block needs its votes
    for (let life = 0; life < 6; life++) {
      const paying = pay(nodes[0]!)
      await pause(life * 15)
      await durable.kill('SIGKILL')
      durable = await startWorkerd(withItsRecord(options))
      const { height } = await paying
      await sameBlock([nodes[0]!, nodes[1]!, durable], height)
    }
    for (const { stderr } of nodes) expect(stderr()).not.toMatch(/contradicted itself/)
    expect(durable.stdout() + durable.stderr()).not.toMatch(/not in its sign record|can't start/)
    expect((await nodes[0]!.client.validators()).validators).toHaveLength(4)
  })

  it('opens no door of the operator to another origin, a rebound Host, a plain text or a wrong token', async () => {
    const { url } = await startWorkerd({ data: await temporaryFolder(), port: await freePorts(1) })
    const body = JSON.stringify({ operations: [{ type: 'transfer', to: receiver, amount: '5' }] })
    const own = { 'content-type': 'application/json', authorization: `Bearer ${operatorToken}` }
    // Not by fetch, which lets nobody choose the Host.
    const spend = (headers: Readonly<Record<string, string>>): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        const asking = request(`${url}/v1/wallet/transactions?wait=committed`, {
          method: 'POST',
          headers: { ...own, ...headers },
        })
        asking.on('response', (answer) => resolve(answer.resume().statusCode))
        asking.on('error', reject)
        asking.end(body)
      })
    expect(await spend({ origin: 'https://elsewhere.example' })).toBe(403)
    expect(await spend({ host: `rebound.example:${new URL(url).port}` })).toBe(403)
    expect(await spend({ 'content-type': 'text/plain' })).toBe(415)
    expect(await spend({ authorization: 'Bearer another' })).toBe(401)
    expect(await spend({})).toBe(200)
  })

  it('is killed while awake, and comes back by itself: nobody has to ask it anything', async () => {
    const { options, nodes, durable } = await startAll(4)
    await sameBlock([...nodes, durable], (await pay(nodes[0]!)).height)
    await durable.kill('SIGKILL')
    const { stdout } = await spawnWorkerd(withItsRecord(options))
    await eventually(
      async () => stdout().includes('"message":"awake"') || undefined,
      `it stays dead: ${stdout()}`,
    )
  })

  it('sleeps when there is nothing to do, without a socket or a timer; a transaction at another node wakes it, and it votes', async () => {
    const { network, nodes, durable } = await startAll(4)
    await sameBlock([...nodes, durable], (await pay(nodes[0]!)).height)
    await asleep(durable, 1)
    await pause(settleMs)
    const before = await activityOf(durable)
    for (let second = 0; second < 60; second++) {
      expect(await socketsOf(durable)).toBe(0)
      await pause(1_000)
    }
    const after = await activityOf(durable)
    expect(after.switches - before.switches, 'times that a thread of it was woken').toBeLessThan(10)
    expect(after.cpuTicks - before.cpuTicks, 'ticks of CPU').toBeLessThanOrEqual(1)
    expect(timesThat(durable, 'awake')).toBe(1)

    await nodes[2]!.kill('SIGKILL')
    const { height } = await pay(nodes[0]!)
    expect(await votersOf(nodes[0]!, height)).toContain(network.nodes[3]!.address)
    expect(timesThat(durable, 'awake')).toBe(2)
    await asleep(durable, 2)
  })
})

/** Until workerd itself has taken an object out of memory that nobody asks anything. */
const settleMs = 30_000

const timesThat = ({ stdout }: WorkerdProcess, message: string): number =>
  stdout().split(`"message":"${message}"`).length - 1

const asleep = (durable: WorkerdProcess, times: number): Promise<true> =>
  eventually(
    async () => timesThat(durable, 'asleep') === times || undefined,
    `it does not fall asleep: ${durable.stdout()}`,
  ) as Promise<true>

/** Open TCP connections of a process, see proc(5). */
const socketsOf = async ({ pid }: WorkerdProcess): Promise<number> => {
  const descriptors = await readdir(`/proc/${pid}/fd`)
  const links = await Promise.all(
    descriptors.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')),
  )
  const own = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []))
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'utf8')),
  )
  const rows = tables.flatMap((table) => table.trim().split('\n').slice(1))
  const listening = '0A'
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((fields) => fields[3] !== listening && own.has(fields[9]!)).length
}

/** How often its threads were woken, and what CPU time they used. */
const activityOf = async ({ pid }: WorkerdProcess): Promise<{ switches: number; cpuTicks: number }> => {
  const threads = await readdir(`/proc/${pid}/task`)
  const texts = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/status`, 'utf8')),
  )
  const switches = texts.map((text) => Number(/^voluntary_ctxt_switches:\s*(\d+)/m.exec(text)?.[1]))
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return {
    switches: switches.reduce((sum, count) => sum + count, 0),
    cpuTicks: Number(fields[11]) + Number(fields[12]),
  }
}
