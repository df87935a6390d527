/** A light client in real Chromium: a page of another origin reads an account from a node, and believes nothing. */
import { expect, it } from 'vitest'
import type { Address, Amount } from '../../../src/units.ts'
import { startNode, temporaryFolder } from '../node-process.ts'
import { bundle, openChromium, pageWith, serveSite } from './chromium.ts'
import type { LightPage } from './light-page.ts'

/** RFC 8032 §7.1, test 1. */
const receiver = 'taut16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqy3t3cr' as Address

it('a page of another origin knows what an account holds, and what became of a payment', async () => {
  const node = await startNode({ data: await temporaryFolder() })
  const { id } = await node.client.spend(
    { operations: [{ type: 'transfer', to: receiver, amount: '5' as Amount }] },
    { wait: true },
  )
  const origin = await serveSite({
    '/': pageWith('/script.js'),
    '/script.js': await bundle('test/e2e/browser/light-page.ts'),
  })
  const page = await (await openChromium(await temporaryFolder())).newPage()
  await page.goto(origin)
  await page.waitForFunction('globalThis.createLightClient')
  const join = `${node.url}#${node.banner.network}`
  const seen = await page.evaluate(
    async ({ join, receiver, id }) => {
      const light = (globalThis as unknown as LightPage).createLightClient({ join })
      const other = `${join.split('#')[0]}#${'ab'.repeat(32)}`
      const wrong = (globalThis as unknown as LightPage).createLightClient({ join: other })
      return {
        account: await light.account(receiver),
        transaction: await light.transaction(id),
        refusal: await wrong.update().catch((error: { code: string }) => error.code),
      }
    },
    { join, receiver, id },
  )
  expect(seen).toMatchObject({
    account: { balance: '5', block: { height: 1, isPinned: true } },
    transaction: { status: 'committed', height: 1 },
    refusal: 'wrong-network',
  })
})
