/** Real Chromium and real nodes: a tab is a full peer, alone with what it has kept, and again when the others are back. */
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { verifyProof } from '../../../src/client/verify-proof.ts'
import type { AccountView, Status, Submission } from '../../../src/node/service.ts'
import type { Address, Amount } from '../../../src/units.ts'
import { type Founded, foundNetwork, startInFolder } from '../network-process.ts'
import { eventually, type NodeProcess, temporaryFolder } from '../node-process.ts'
import { bundle, openChromium, pageWith, serveSite } from './chromium.ts'
import type { Tab } from './tab.ts'

/** No more than a node in a page needs. */
const policy = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src http: ws:"

const serveTab = async (): Promise<string> =>
  serveSite(
    { '/': pageWith('/tab.js'), '/tab.js': await bundle('test/e2e/browser/tab.ts') },
    { 'content-security-policy': policy },
  )

/** Calls what `tab.ts` has. */
type Call = <Name extends keyof Tab>(
  name: Name,
  ...args: Parameters<Tab[Name]>
) => Promise<Awaited<ReturnType<Tab[Name]>>>

const openTab = async (page: Page, site: string): Promise<Call> => {
  await page.goto(site)
  await page.waitForFunction('globalThis.tab')
  return (name, ...args) =>
    page.evaluate(
      ({ name, args }) => {
        const { tab } = globalThis as unknown as { tab: Record<string, (...args: unknown[]) => never> }
        return tab[name]!(...args)
      },
      { name, args: args as unknown[] },
    ) as never
}

/** The same in a worker of the page. */
const openWorkerTab = async (page: Page, site: string): Promise<Call> => {
  await page.goto(site)
  await page.evaluate(() => {
    const worker = new Worker('/tab.js', { type: 'module' })
    const answers = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
    let count = 0
    worker.onmessage = ({ data: { id, value, error } }) => {
      if (error === undefined) answers.get(id)!.resolve(value)
      else answers.get(id)!.reject(new Error(error))
    }
    Object.assign(globalThis, {
      callWorker: (method: string, args: unknown[]) =>
        new Promise((resolve, reject) => {
          answers.set(++count, { resolve, reject })
          worker.postMessage({ id: count, method, args })
        }),
    })
  })
  return (name, ...args) =>
    page.evaluate(
      ({ name, args }) =>
        (globalThis as unknown as { callWorker(name: string, args: unknown[]): never }).callWorker(
          name,
          args,
        ),
      { name, args: args as unknown[] },
    ) as never
}

const statusOf = (call: Call): Promise<Status> => call('call', 'status') as Promise<Status>

const hasHeight = (call: Call, height: number): Promise<Status> =>
  eventually(async () => {
    const status = await statusOf(call)
    return status.head.height >= height ? status : undefined
  }, `the tab does not come to block ${height}`)

const payFrom = ({ client }: NodeProcess, to: Address, amount: number) =>
  client.spend({ operations: [{ type: 'transfer', to, amount: String(amount) as Amount }] }, { wait: true })

const payFromTab = async (call: Call, to: Address, amount: string): Promise<Submission> => {
  const { id } = (await call('call', 'spend', {
    operations: [{ type: 'transfer', to, amount }],
  })) as Submission
  return (await call('call', 'waitUntilFinal', id, 30_000)) as Submission
}

const heightsAskedFor = (page: Page): readonly number[] => {
  const heights: number[] = []
  page.on('request', (request) => {
    const from = new URL(request.url()).searchParams.get('from')
    if (from !== null) heights.push(Number(from))
  })
  return heights
}

const startAll = ({ nodes }: Founded): Promise<NodeProcess[]> =>
  Promise.all(nodes.map(({ folder }) => startInFolder(folder)))

describe('a tab in Chromium, and four validators', () => {
  test('it joins by URL, verifies, pays, comes back to what it kept, and proves that without any network', async () => {
    const network = await foundNetwork(4)
    const nodes = await startAll(network)
    const others = network.nodes.map(({ address }) => address)
    for (const to of others) await payFrom(nodes[0]!, to, 1)
    const { join, head } = await nodes[0]!.client.status()
    const joins = [join, ...nodes.slice(1).map(({ url }) => `${url}#${network.network}`)]

    const site = await serveTab()
    const profile = await temporaryFolder()
    const first = await openChromium(profile)
    let call = await openTab(first.pages()[0]!, site)
    expect(await call('start', { join: joins })).toBe('joined')
    const arrived = await hasHeight(call, head.height)
    const { certificate: _, ...block } = await nodes[0]!.client.block(head.height)
    expect(await call('call', 'block', head.height)).toMatchObject(block)

    // It is paid, and pays.
    const own = arrived.node.address
    const paid = await payFrom(nodes[1]!, own, 5_000)
    await hasHeight(call, (paid as { height: number }).height)
    const sent = await payFromTab(call, others[2]!, '700')
    expect(sent).toMatchObject({ status: 'committed' })
    await eventually(
      async () => (await nodes[3]!.client.account(own)).nonce === 1 || undefined,
      'the fourth node does not hear of what the tab has paid',
    )
    expect(await call('violations')).toEqual([])
    const before = await statusOf(call)

    // Closed, while the others go on; opened again, it asks for nothing that it has.
    await first.close()
    for (const to of others) await payFrom(nodes[1]!, to, 2)
    const target = (await nodes[1]!.client.status()).head.height
    const second = await openChromium(profile)
    const page = second.pages()[0]!
    const asked = heightsAskedFor(page)
    call = await openTab(page, site)
    expect(await call('start', { join: joins })).toBe('found')
    expect((await statusOf(call)).head.height).toBeGreaterThanOrEqual(before.head.height)
    const caughtUp = await hasHeight(call, target)
    expect(caughtUp.node.address).toBe(own)
    expect(asked.length).toBeGreaterThan(0)
    expect(Math.min(...asked)).toBeGreaterThan(before.head.height)

    // All others are gone: it shows and proves what it has, also after a reload.
    await Promise.all(nodes.map((node) => node.kill('SIGKILL')))
    const proven = async (): Promise<void> => {
      const account = (await call('call', 'account', own, { proof: false })) as AccountView
      expect(account).toMatchObject({ balance: '4299', nonce: 1 })
      for (const of of [own, sent.id]) {
        const proof = await call('proof', of)
        expect(await verifyProof(proof!, { network: network.network })).toMatchObject({ ok: true })
      }
    }
    await proven()
    call = await openTab(page, site)
    expect(await call('start', { join: joins })).toBe('found')
    expect(await statusOf(call)).toMatchObject({ peers: 0, head: caughtUp.head })
    await proven()

    // And they come back.
    const again = await startAll(network)
    await eventually(
      async () => (await statusOf(call)).peers === 4 || undefined,
      'the tab does not find the others again',
    )
    expect(await payFromTab(call, others[0]!, '1')).toMatchObject({ status: 'committed' })
    expect((await again[0]!.client.account(own)).nonce).toBe(2)
  })

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

  test('a join string of another network, and one that is none, are refused with a sentence', async () => {
    const [node] = await startAll(await foundNetwork(1))
    const call = await openTab((await openChromium(await temporaryFolder())).pages()[0]!, await serveTab())
    await expect(call('start', { join: node!.url })).rejects.toThrow('this is no join string')
    await expect(call('start', { join: `${node!.url}#${'0'.repeat(64)}` })).rejects.toThrow(
      "this network can't be joined",
    )
  })
})
