/** Four validators as real processes, and a fifth that comes and leaves. */
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { FinalTransaction } from '../../src/node/service.ts'
import type { Address, Height } from '../../src/units.ts'
import { type Founded, foundNetwork, startInFolder } from './network-process.ts'
import { eventually, type NodeProcess, startNode, tautline, temporaryFolder } from './node-process.ts'
import { allLinked, heightOf, killEachUnderLoad, openLoad, pay, receiver, sameBlock } from './validators.ts'

const startAll = async ({ nodes }: Founded): Promise<NodeProcess[]> => {
  const running = await Promise.all(nodes.map(({ folder }) => startInFolder(folder)))
  await allLinked(running)
  return running
}

const doctor = (url: string) => tautline(['doctor', '--node', url])

describe('four validators', () => {
  it('what is handed in at any is read at all', async () => {
    const nodes = await startAll(await foundNetwork(4))
    const paid = await Promise.all(nodes.map((node, at) => pay(node, 10 + at)))
    const last = Math.max(...paid.map(({ height }) => height)) as Height
    await sameBlock(nodes, last)
    for (const { client, url } of nodes) {
      expect(await client.account(receiver), url).toMatchObject({ balance: '46' })
      for (const final of paid) expect(await client.transaction(final.id), url).toMatchObject(final)
    }
    expect((await doctor(nodes[0]!.url)).stdout).toMatch(/^Nothing waits to be decided/)
  })

  it('any one is killed: the others go on, and it catches up when it is back', async () => {
    const network = await foundNetwork(4)
    const nodes = await startAll(network)
    for (const [at, { folder }] of network.nodes.entries()) {
      await nodes[at]!.kill('SIGKILL')
      const others = nodes.filter((_, other) => other !== at)
      const paid = await Promise.all(others.map((node) => pay(node, 1)))
      nodes[at] = await startInFolder(folder)
      await sameBlock(nodes, Math.max(...paid.map(({ height }) => height)) as Height)
      await allLinked(nodes)
    }
    const { height } = await pay(nodes[0]!, 1)
    await sameBlock(nodes, height)
  })

  it('two are killed: nothing is decided, reads work, the doctor names them; one comes back, and it goes on', async () => {
    const network = await foundNetwork(4)
    const nodes = await startAll(network)
    const [a, b, c] = nodes as [NodeProcess, NodeProcess, NodeProcess, NodeProcess]
    const before = await pay(a, 1)
    await sameBlock(nodes, before.height)
    const gone = network.nodes.slice(2)
    await Promise.all(nodes.slice(2).map((node) => node.kill('SIGKILL')))
    const asked = pay(a, 2)

    const found = await eventually(async () => {
      const { code, stdout } = await doctor(b.url)
      const isFound = code === 1 && gone.every(({ address }) => stdout.includes(address))
      return isFound ? stdout : undefined
    }, 'the doctor does not name them')
    for (const { address } of network.nodes.slice(0, 2)) expect(found).not.toContain(address)
    expect(found).toMatch(/500000000 of 1000000000 \(50\.0 %\).*more than two thirds/)
    expect(found).toMatch(new RegExp(`^Block ${before.height + 1} is not decided: round \\d+ waits for`))
    expect((await tautline(['status', '--node', a.url])).stdout.match(/late: see/g)).toHaveLength(2)
    expect(await b.client.account(receiver)).toMatchObject({ balance: '1' })
    expect(await heightOf(a.client)).toBe(before.height)

    const back = await startInFolder(gone[0]!.folder)
    const { height } = await asked
    await sameBlock([a, b, back], height)
    expect(back.banner.address).toBe(c.banner.address)
  })

  it('one is killed for good: the others vote it out, and go on without it', async () => {
    const network = await foundNetwork(4)
    const nodes = await startAll(network)
    const [a, b, c, gone] = nodes as [NodeProcess, NodeProcess, NodeProcess, NodeProcess]
    const { address, folder } = network.nodes[3]!
    const stake = (await a.client.account(address)).stake
    await gone.kill('SIGKILL')
    const fromHeight = (await pay(a, 1)).height + 8
    for (const [at, { url }] of [a, b, c].entries()) {
      const flags = ['--remove', address, '--from-height', String(fromHeight), '--node', url]
      const voted = await tautline(['network', 'update', ...flags, '--data', network.nodes[at]!.folder])
      expect(voted, voted.stderr).toMatchObject({ code: 0 })
    }
    while ((await heightOf(a.client)) < fromHeight - 1) {
      expect((await a.client.account(address)).stake).toBe(stake)
      await pay(a, 1)
    }
    const { height } = await pay(b, 1)
    await sameBlock([a, b, c], height)
    for (const { client } of [a, b, c]) {
      const account = await client.account(address)
      expect(account).toMatchObject({ stake: '0', unbonding: [{ amount: stake }] })
      expect((await client.validators()).validators.map((member) => member.address)).not.toContain(address)
    }
    const back = await startInFolder(folder)
    await sameBlock([a, b, c, back], height)
  })

  it('any one is killed under load: the others go on, nothing that was answered is lost, and it catches up', async () => {
    const network = await foundNetwork(4)
    const nodes = await startAll(network)
    await killEachUnderLoad(network, nodes, (at) => startInFolder(network.nodes[at]!.folder))
  })

  it('all are killed at once under load: nothing that was answered is lost, and it goes on', async () => {
    const lives = 3
    const network = await foundNetwork(4)
    let nodes = await startAll(network)
    const { senders, witness, world } = await openLoad(network, nodes)
    for (let life = 1; life <= lives; life++) {
      const told = witness.told
      const load = senders.map((sender, at) =>
        sender.submitUntilGone(nodes[at % nodes.length]!.client, world),
      )
      await eventually(async () => witness.told > told || undefined, 'nothing is committed')
      await Promise.race([pause(world.random() * 1_000), ...load])
      await Promise.all(nodes.map((node) => node.kill('SIGKILL')))
      await Promise.all(load)
      nodes = await startAll(network)
      const { height } = await pay(nodes[life % nodes.length]!, 1, world.addresses[0]!)
      await sameBlock(nodes, height)
      for (const { client } of nodes) await witness.check(client, world.random)
    }
  })
})

it('a fifth joins by a join string, bonds, votes from the next block on, unbonds and leaves', async () => {
  const network = await foundNetwork(4)
  const nodes = await startAll(network)
  const [a, b, c, d] = nodes as [NodeProcess, NodeProcess, NodeProcess, NodeProcess]
  await pay(a, 1)
  const { join: joinString } = await a.client.status()
  const data = await temporaryFolder()
  const fifth = await startNode({ data, flags: ['--join', joinString] })
  const address = fifth.banner.address as Address
  const funded = await pay(a, 700_000_000, address)
  await sameBlock([...nodes, fifth], funded.height)
  expect((await fifth.client.validators()).validators).not.toContainEqual(
    expect.objectContaining({ address }),
  )

  const bonded = await tautline(['stake', 'bond', '600000000', '--data', data, '--json'])
  const { height } = JSON.parse(bonded.stdout) as FinalTransaction
  await sameBlock([...nodes, fifth], height)
  const voting = await a.client.validators((height + 1) as Height)
  expect(voting.validators).toContainEqual({ address, stake: '600000000' })

  // Two founders and the fifth hold 1100 of 1600 million: no block without its votes.
  await Promise.all([c.kill('SIGKILL'), d.kill('SIGKILL')])
  const carried = await pay(a, 1)
  await sameBlock([a, b, fifth], carried.height)
  const { certificate } = await b.client.block(carried.height)
  expect(certificate.precommits.map(({ validator }) => validator)).toContain(address)

  const [, , third, fourth] = network.nodes
  const back = await Promise.all([startInFolder(third!.folder), startInFolder(fourth!.folder)])
  const unbonded = await tautline(['stake', 'unbond', '600000000', '--data', data, '--json'])
  const left = (JSON.parse(unbonded.stdout) as FinalTransaction).height
  await sameBlock([a, b, ...back, fifth], left)
  expect((await a.client.validators((left + 1) as Height)).validators).toHaveLength(4)
  expect((await fifth.client.account(address)).unbonding).toMatchObject([{ amount: '600000000' }])
  await fifth.kill('SIGTERM')
  await sameBlock([a, b, ...back], (await pay(back[0], 1)).height)
})
