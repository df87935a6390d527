/** Real Chromium and a real node: a node in a worker, one node at a time, and join strings that lead nowhere. */
import { describe, expect, test } from 'vitest'
import type { PeersView } from '../../../src/node/service.ts'
import type { Address, Amount } from '../../../src/units.ts'
import { type Founded, foundNetwork, startInFolder } from '../network-process.ts'
import { eventually, type NodeProcess, temporaryFolder } from '../node-process.ts'
import { openChromium } from './chromium.ts'
import { hasHeight, openTab, openWorkerTab, payFromTab, serveTab, statusOf } from './tab-page.ts'

const payFrom = ({ client }: NodeProcess, to: Address, amount: number) =>
  client.spend({ operations: [{ type: 'transfer', to, amount: String(amount) as Amount }] }, { wait: true })

const startAll = ({ nodes }: Founded): Promise<NodeProcess[]> =>
  Promise.all(nodes.map(({ folder }) => startInFolder(folder)))

describe('a node in Chromium', () => {
  test('a worker is as good, and a second tab of the same node is told that it is one too many', async () => {
    const network = await foundNetwork(1)
    const [node] = await startAll(network)
    const { join } = await node!.client.status()
    const site = await serveTab()
    const context = await openChromium(await temporaryFolder())
    const inWorker = await openWorkerTab(context.pages()[0]!, site)
    expect(await inWorker('start', { join })).toBe('joined')
    const { node: own } = await statusOf(inWorker)
    const paid = (await payFrom(node!, own.address, 5_000)) as { height: number }
    await hasHeight(inWorker, paid.height)
    expect(await payFromTab(inWorker, network.nodes[0]!.address, '1')).toMatchObject({ status: 'committed' })

    const inTab = await openTab(await context.newPage(), site)
    await expect(inTab('start', { join })).rejects.toThrow('this node runs already, in another tab')
    expect(await inTab('start', { join, name: 'another' })).toBe('joined')
    expect((await statusOf(inTab)).node.address).not.toBe(own.address)

    // What one closes, another may open.
    await inWorker('close')
    await inTab('close')
    expect(await inTab('start', { join })).toBe('found')
    expect((await statusOf(inTab)).node.address).toBe(own.address)
  })

  test('when the network is back it dials at once, however long the pauses have become', async () => {
    const network = await foundNetwork(1)
    const [node] = await startAll(network)
    const { join } = await node!.client.status()
    const context = await openChromium(await temporaryFolder())
    const call = await openTab(context.pages()[0]!, await serveTab())
    await call('start', { join })
    await node!.kill('SIGKILL')
    const patiently = await eventually(async () => {
      const { dialled } = (await call('call', 'peers')) as PeersView
      return (dialled[0]?.next ?? 0) > Date.now() + 6_000 ? dialled[0] : undefined
    }, 'the pauses do not grow')
    await context.setOffline(true)
    await context.setOffline(false)
    await eventually(async () => {
      const { dialled } = (await call('call', 'peers')) as PeersView
      return dialled[0]!.attempts > patiently.attempts || undefined
    }, 'it does not dial')
    expect(Date.now()).toBeLessThan(patiently.next!)
    await startAll(network)
    await eventually(async () => (await statusOf(call)).peers === 1 || undefined, 'it does not come back')
  })

  test('a join string of another network, and one that is none, are refused with a sentence', async () => {
    const [node] = await startAll(await foundNetwork(1))
    const call = await openTab((await openChromium(await temporaryFolder())).pages()[0]!, await serveTab())
    await expect(call('start', { join: node!.url })).rejects.toThrow('this is no join string')
    await expect(call('start', { join: `${node!.url}#${'0'.repeat(64)}` })).rejects.toThrow(
      "this network can't be joined",
    )
  })
})
