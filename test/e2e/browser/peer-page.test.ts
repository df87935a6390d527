/** The page `/peer` of a real node, used in Chromium as a person would. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BrowserContext, Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { verifyProof } from '../../../src/client/verify-proof.ts'
import type { Address, Amount, NetworkId } from '../../../src/units.ts'
import { type NodeProcess, startNode, temporaryFolder } from '../node-process.ts'
import { openChromium, serveSite } from './chromium.ts'

type Tautline = typeof import('../../../src/runtime/browser/browser.ts')

const receiver = 'taut16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqy3t3cr' as Address

const pay = ({ client }: NodeProcess, to: Address, amount: string) =>
  client.spend({ operations: [{ type: 'transfer', to, amount: amount as Amount }] }, { wait: true })

/** What a page of good manners leaves empty: errors of the console, and requests to others. */
const watch = (context: BrowserContext, origin: string): string[] => {
  const complaints: string[] = []
  context.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text())
  })
  context.on('weberror', (error) => complaints.push(String(error.error())))
  context.on('request', (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith('data:'))
      complaints.push(request.url())
  })
  return complaints
}

const hasState = (page: Page, state: string): Promise<unknown> =>
  page.locator(`#state[data-state="${state}"]`).waitFor()

const openPage = async (profile: string, { url }: NodeProcess) => {
  const context = await openChromium(profile)
  const complaints = watch(context, url)
  const page = context.pages()[0]!
  await page.goto(`${url}/peer`)
  return { page, complaints }
}

describe('the page of a node', () => {
  test('it joins, is paid, pays, proves, fits a telephone, and opens again when its node is gone', async () => {
    const node = await startNode({ data: await temporaryFolder() })
    await pay(node, receiver, '1')
    const { page, complaints } = await openPage(await temporaryFolder(), node)
    await hasState(page, 'linked')
    const own = (await page.locator('#address').textContent()) as Address
    await pay(node, own, '5000')
    await page.locator('#balance', { hasText: '000' }).waitFor()

    await page.fill('[name=to]', receiver)
    await page.fill('[name=amount]', '300')
    await page.fill('[name=memo]', '<b>bread</b>')
    await page.click('#send button')
    await page.locator('#sent[data-outcome=good]').waitFor()
    expect(await node.client.account(receiver)).toMatchObject({ balance: '301' })
    await page.locator('#own', { hasText: '<b>bread</b>' }).waitFor() // as text, not as markup

    await page.locator('#own li', { hasText: 'bread' }).locator('button').click()
    await page.locator('#proof[open]').waitFor()
    const proof = await page.locator('#proof-text').inputValue()
    expect(await verifyProof(proof, { network: node.banner.network as NetworkId })).toMatchObject({
      ok: true,
    })
    const download = page.waitForEvent('download')
    await page.click('#proof-save')
    expect((await download).suggestedFilename()).toBe('proof.json')
    await page.click('#proof button')

    // More than there is: a sentence, and nothing sent.
    await page.fill('[name=to]', receiver)
    await page.fill('[name=amount]', '9999999')
    await page.click('#send button')
    await page.locator('#sent[data-outcome=bad]').waitFor()
    expect(await page.locator('#sent').textContent()).toMatch(/balance|funds|costs/)

    for (const width of [320, 390, 1_100]) {
      await page.setViewportSize({ width, height: 800 })
      expect(
        await page.evaluate('document.documentElement.scrollWidth'),
        `${width} wide`,
      ).toBeLessThanOrEqual(width)
    }
    expect(complaints).toEqual([])

    const height = await page.locator('#height').textContent()
    await node.kill('SIGKILL')
    await page.reload()
    await hasState(page, 'alone')
    expect(await page.locator('#height').textContent()).toBe(height)
    expect(await page.locator('#address').textContent()).toBe(own)
  })

  test('pages of others import the same node from any node, and run it on their own origin', async () => {
    const { url, client, banner } = await startNode({ data: await temporaryFolder() })
    const script = `import { startInBrowser } from '${url}/peer/tautline.js'; Object.assign(globalThis, { startInBrowser })`
    const body = `<!doctype html><title>elsewhere</title><script type="module">${script}</script>`
    const site = await serveSite({ '/': { type: 'text/html', body } })
    const page = (await openChromium(await temporaryFolder())).pages()[0]!
    await page.goto(site)
    await page.waitForFunction('globalThis.startInBrowser')
    const { head, proof } = await page.evaluate(
      async ({ url, network }) => {
        const { startInBrowser } = globalThis as unknown as Tautline
        const { node, proof } = await startInBrowser({ join: `${url}#${network}` })
        const { head, node: own } = node.status()
        return { head, proof: await proof(own.address) }
      },
      { url, network: banner.network },
    )
    expect(head).toEqual((await client.status()).head)
    expect(await verifyProof(proof!, { network: banner.network as NetworkId })).toMatchObject({ ok: true })
  })

  test('in a private network it asks for the read token, and comes in with it', async () => {
    const data = await temporaryFolder()
    const tokenFile = join(await temporaryFolder(), 'token')
    await writeFile(tokenFile, '0123456789abcdef0123456789abcdef\n')
    const node = await startNode({ data, flags: ['--read-token', tokenFile] })
    await pay(node, receiver, '1')
    const { page } = await openPage(await temporaryFolder(), node)
    await page.fill('[name=token]', '0123456789abcdef0123456789abcdef')
    await page.click('#token button')
    await hasState(page, 'linked')
    await page.locator('#height', { hasText: '1' }).waitFor()
  })

  test('a second tab says that there is one already', async () => {
    const node = await startNode({ data: await temporaryFolder() })
    const { page } = await openPage(await temporaryFolder(), node)
    await hasState(page, 'linked')
    const second = await page.context().newPage()
    await second.goto(`${node.url}/peer`)
    await second.locator('#trouble', { hasText: 'runs already' }).waitFor()
  })
})
