/** Nodes that were given one neighbour each find the whole network, and go on when a third of them is gone. */
import { expect, it } from 'vitest'
import { addressOf } from '../faults/whole-node.ts'
import { eventually, type NodeProcess, startNode, temporaryFolder } from './node-process.ts'

const count = 12

const linksOf = async ({ client }: NodeProcess): Promise<number> => (await client.peers()).peers.length

/** Nodes that are linked with each other, directly or over others, beginning with the first. */
const connected = async (nodes: readonly NodeProcess[]): Promise<number> => {
  const byKey = new Map(nodes.map((node) => [node.banner.address, node]))
  const reached = new Set<string>()
  const waiting = [nodes[0]!.banner.address]
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    const node = byKey.get(key)
    if (!node || reached.has(key)) continue
    reached.add(key)
    waiting.push(...(await node.client.peers()).peers.map(({ id }) => id as string))
  }
  return reached.size
}

const height = async ({ client }: NodeProcess): Promise<number> => (await client.status()).head.height

it('twelve in a row, a third killed: the rest stay connected and go on, and the killed come back by what they remember', async () => {
  const nodes: NodeProcess[] = []
  const folders: string[] = []
  for (let at = 0; at < count; at++) {
    const data = await temporaryFolder()
    const neighbour = nodes.at(-1)
    const join = neighbour ? ['--join', `${neighbour.url}#${neighbour.banner.network}`] : []
    nodes.push(await startNode({ data, flags: ['--allow-private', ...join] }))
    folders.push(data)
  }
  for (const node of nodes)
    await eventually(async () => {
      const { peers, known } = await node.client.peers()
      // A card is passed on to some, at random: not everybody comes to know of everybody, and needn't.
      return peers.length >= 4 && known >= count / 2 ? true : undefined
    }, 'a node doesn’t find the others')

  // Every third one; the first, whose vote alone decides, stays. Without discovery the row would be in pieces.
  const killed = nodes.filter((_, at) => at % 3 === 1)
  for (const node of killed) await node.kill('SIGKILL')
  const rest = nodes.filter((node) => !killed.includes(node))
  await eventually(
    async () => ((await connected(rest)) === rest.length ? true : undefined),
    'the rest are not connected',
  )
  await nodes[0]!.client.spend(
    { operations: [{ type: 'transfer', to: addressOf(5), amount: '1' as never }] },
    { wait: true },
  )
  for (const node of rest)
    await eventually(
      async () => ((await height(node)) === 1 ? true : undefined),
      'a block doesn’t come to all',
    )

  // Its only neighbour stays away: what it dials is what it has remembered.
  const [first] = killed
  const data = folders[nodes.indexOf(first!)]!
  const neighbour = nodes[nodes.indexOf(first!) - 1]!
  expect(rest).toContain(neighbour)
  const again = await startNode({ data, flags: ['--allow-private'] })
  await eventually(async () => ((await linksOf(again)) >= 4 ? true : undefined), 'it doesn’t come back')
  await eventually(async () => ((await height(again)) === 1 ? true : undefined), 'it doesn’t catch up')
})

it('without leave, nobody is led into a private network or to this machine', async () => {
  const host = await startNode({ data: await temporaryFolder(), flags: ['--allow-private'] })
  const join = ['--join', `${host.url}#${host.banner.network}`]
  const other = await startNode({ data: await temporaryFolder(), flags: ['--allow-private', ...join] })
  const careful = await startNode({ data: await temporaryFolder(), flags: join })
  await eventually(async () => ((await linksOf(host)) === 2 ? true : undefined), 'they don’t link')
  // One more comes, whose card is passed on to all: by then what was told before has been looked at.
  const late = await startNode({ data: await temporaryFolder(), flags: ['--allow-private', ...join] })
  await eventually(
    async () => ((await late.client.peers()).known >= 2 ? true : undefined),
    'the late one isn’t told of the others',
  )
  await eventually(
    async () => ((await other.client.peers()).known >= 2 ? true : undefined),
    'the other isn’t told of the late one',
  )
  expect(await careful.client.peers()).toMatchObject({ known: 0, peers: [{ id: host.banner.address }] })
})
