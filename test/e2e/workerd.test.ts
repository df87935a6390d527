/** A validator in a Durable Object of the real workerd, among others on Node. */
import { describe, expect, it } from 'vitest'
import type { FinalTransaction } from '../../src/node/service.ts'
import type { Address, Amount, Height } from '../../src/units.ts'
import { foundNetwork, startInFolder } from './network-process.ts'
import { eventually, type NodeProcess, pause } from './node-process.ts'
import { lastInWorkerd, startWorkerd, type WorkerdProcess, withItsRecord } from './workerd-process.ts'

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
})
