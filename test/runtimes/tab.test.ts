/** Real Chromium and one validator on each runtime: a tab is a full peer, alone with what it has kept, and again when the others are back. */
import { describe, expect, it } from 'vitest'
import { verifyProof } from '../../src/client/verify-proof.ts'
import type { AccountView } from '../../src/node/service.ts'
import { openChromium } from '../e2e/browser/chromium.ts'
import {
  hasHeight,
  heightsAskedFor,
  openTab,
  payFromTab,
  serveTab,
  statusOf,
} from '../e2e/browser/tab-page.ts'
import { eventually, temporaryFolder } from '../e2e/node-process.ts'
import { pay } from '../e2e/validators.ts'
import { startMixed } from './mixed-network.ts'
import { bun, deno, node20 } from './runtimes.ts'

describe('a tab in Chromium, and validators on Node, Deno, Bun and workerd', () => {
  it('joins by URL, verifies, pays, comes back to what it kept, and proves that without any network', async () => {
    const { network, nodes, restart } = await startMixed([node20, deno, bun, 'workerd'])
    const others = network.nodes.map(({ address }) => address)
    for (const to of others) await pay(nodes[0]!, 1, to)
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
    const paid = await pay(nodes[1]!, 5_000, own)
    await hasHeight(call, paid.height)
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
    for (const to of others) await pay(nodes[1]!, 2, to)
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
    const again = await Promise.all(nodes.map((_, at) => restart(at)))
    await eventually(
      async () => (await statusOf(call)).peers >= 3 || undefined,
      'the tab does not find the others again',
    )
    expect(await payFromTab(call, others[0]!, '1')).toMatchObject({ status: 'committed' })
    await eventually(
      async () => (await again[0]!.client.account(own)).nonce === 2 || undefined,
      'what the tab has paid does not come to the others',
    )
  })
})
