/** Real processes, modified to lie about their blocks, and a newcomer that catches up from them. */
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { Address, Amount, Height } from '../../src/units.ts'
import { addPeer, foundNetwork, startInFolder } from './network-process.ts'
import {
  eventually,
  type NodeProcess,
  spawnProcess,
  startNode,
  temporaryFolder,
  untilAnswering,
} from './node-process.ts'

const liar = fileURLToPath(new URL('liar.mjs', import.meta.url))

/** RFC 8032 §7.1, test 1. */
const receiver = 'taut16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqy3t3cr' as Address
const payment = { operations: [{ type: 'transfer' as const, to: receiver, amount: '5' as Amount }] }

/** Fewer than a node asks for at once from whoever it may be. */
const blocks = 5

/** What a modified node hands out, and why it is refused. */
const lies: Readonly<Record<string, RegExp>> = {
  'another network': /block 1: it is of network abab/,
  'an amount': /block 3: transaction \w+ has no valid signature/,
  'another block': /block 4: its parent is \w+, and the block before it is/,
  'votes of a stranger': /block 3: its certificate does not prove it: taut1\w+ is not a validator/,
  'too few votes': /block 3: .* 500000000 of 1000000000 staked units .* more than two thirds are needed/,
  'votes of another round':
    /block 3: its certificate does not prove it: the signature of taut1\w+ is not one/,
}

/** One that has caught up itself, and observes. */
const startLiar = async (lie: string, joinString: string): Promise<NodeProcess> => {
  const data = await temporaryFolder()
  const args = [liar, 'start', '--json', '--port', '0', '--data', data, '--join', joinString]
  const node = await untilAnswering(spawnProcess(process.execPath, args, { env: { LIE: lie } }))
  await untilHeight(node, blocks)
  return node
}

const untilHeight = (node: NodeProcess, height: number): Promise<true> =>
  eventually(
    async () => (await node.client.status()).head.height >= height || undefined,
    `${node.url} does not come to block ${height}: ${node.stderr()}`,
  ) as Promise<true>

/** What a node's log says of a peer. */
const toldOf = (node: NodeProcess, peer: string): readonly string[] =>
  node
    .stderr()
    .split('\n')
    .filter((line) => line.includes(peer) && line.includes('"level":"warn"'))

it('a newcomer takes nothing from liars, tells why of each, and all from an honest one beside them', async () => {
  const network = await foundNetwork(2)
  const [host] = (await Promise.all(network.nodes.map(({ folder }) => startInFolder(folder)))) as [
    NodeProcess,
  ]
  for (let at = 1; at <= blocks; at++) await host.client.spend(payment, { wait: true })
  const { join: joinString } = await host.client.status()
  const elsewhere = await startNode({ data: await temporaryFolder() })
  const liars = await Promise.all(
    Object.keys(lies).map(async (lie) => ({ lie, node: await startLiar(lie, joinString) })),
  )

  const joins = liars.flatMap(({ node }) => ['--join', `${node.url}#${network.network}`])
  const newcomer = await startNode({ data: await temporaryFolder(), flags: joins })
  await addPeer(newcomer, elsewhere.url)
  for (const { lie, node } of liars) {
    await eventually(
      async () => toldOf(newcomer, node.banner.address).some((line) => lies[lie]!.test(line)) || undefined,
      `${lie} is not refused with the reason: ${newcomer.stderr()}`,
    )
  }
  const failure = await eventually(async () => {
    const { dialled } = await newcomer.client.peers()
    return dialled.find(({ url }) => url === elsewhere.url)?.failure
  }, 'a node of another network is not refused')
  expect(failure).toMatch(/wrong-network/)
  const { head, sync } = await newcomer.client.status()
  expect(head.height).toBe(0)
  expect(sync).toMatchObject({ sources: 0, refused: { reason: expect.stringMatching(/^block \d: /) } })

  await addPeer(newcomer, host.url)
  await untilHeight(newcomer, blocks)
  const { hash } = await host.client.block(blocks as Height)
  expect((await newcomer.client.block(blocks as Height)).hash).toBe(hash)
  expect(await newcomer.client.account(receiver)).toMatchObject({ balance: String(blocks * 5) })
})
