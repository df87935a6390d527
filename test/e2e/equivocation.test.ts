import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { Address, Amount, Height } from '../../src/units.ts'
import { type Founded, foundNetwork, startInFolder } from './network-process.ts'
import { eventually, type NodeProcess, spawnProcess, tautline, untilAnswering } from './node-process.ts'

const equivocator = fileURLToPath(new URL('equivocator.mjs', import.meta.url))

/** RFC 8032 §7.1, test 1. */
const receiver = 'taut16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqy3t3cr' as Address
const payment = { operations: [{ type: 'transfer' as const, to: receiver, amount: '5' as Amount }] }

/** Three as they are, and the last modified. */
const startAll = async ({ nodes }: Founded): Promise<NodeProcess[]> => {
  const honest = nodes.slice(0, -1).map(({ folder }) => startInFolder(folder))
  const args = [equivocator, 'start', '--json', '--data', nodes.at(-1)!.folder]
  return Promise.all([...honest, untilAnswering(spawnProcess(process.execPath, args))])
}

const pay = async (node: NodeProcess): Promise<void> => {
  expect(await node.client.spend(payment, { wait: true })).toMatchObject({ status: 'committed' })
}

it('a modified validator that votes twice is slashed once, and the others go on as one', async () => {
  const network = await foundNetwork(4)
  const liar = network.nodes.at(-1)!
  const processes = await startAll(network)
  const honest = processes.slice(0, -1)
  await eventually(async () => {
    for (const node of honest) await pay(node)
    const account = await honest[0]!.client.account(liar.address)
    return account.expelled
  }, `${liar.address} was not caught; ${honest[0]!.stderr()}`)
  for (const node of honest) await pay(node) // it goes on lying, and nothing comes of it

  const { height } = (await honest[0]!.client.status()).head
  for (const node of honest) {
    await eventually(
      async () => ((await node.client.status()).head.height >= height ? true : undefined),
      'behind',
    )
    expect(await node.client.account(liar.address)).toMatchObject({
      stake: '0',
      unbonding: [{ amount: '225000000' }],
      expelled: true,
    })
    const { validators } = await node.client.validators()
    expect(validators.map(({ address }) => address)).not.toContain(liar.address)
  }
  const hashes: string[] = []
  let pieces = 0
  for (let at = 1; at <= height; at++) {
    const read = await Promise.all(honest.map((node) => node.client.block(at as Height)))
    hashes.push(...new Set(read.map(({ hash }) => hash)))
    pieces += read[0]!.block.evidence.length
  }
  expect(hashes).toHaveLength(height)
  expect(pieces).toBe(1)

  for (const node of processes) await node.kill('SIGTERM')
  const verified = await tautline(['verify', '--json', '--data', network.nodes[0]!.folder])
  expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, burned: '25000000' })
})
