/**
 * Web pages of others against the operator's doors, in real Chromium and on every runtime. They are given the
 * operator's token, which no page should ever have: even so, Host, Origin and content type keep them out.
 */
import { readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import type { Client } from '../../src/client/client.ts'
import { openChromium, serveSite } from '../e2e/browser/chromium.ts'
import { freePorts } from '../e2e/network-process.ts'
import { temporaryFolder } from '../e2e/node-process.ts'
import { operatorToken, startWorkerd } from '../e2e/workerd-process.ts'
import { bun, deno, node20, type Runtime, startOn } from './runtimes.ts'

interface Victim {
  readonly url: string
  readonly client: Client
  readonly token: string
}

const onRuntime = (runtime: Runtime) => ({
  name: runtime.name,
  start: async (): Promise<Victim> => {
    const { url, client, banner } = await startOn(runtime, await temporaryFolder())
    return { url, client, token: (await readFile(banner.token, 'utf8')).trim() }
  },
})

const onWorkerd = {
  name: 'workerd',
  start: async (): Promise<Victim> => {
    const { url, client } = await startWorkerd({ data: await temporaryFolder(), port: await freePorts(1) })
    return { url, client, token: operatorToken }
  },
}

/** A name of somebody who has it resolve to this machine once the page is there. */
const reboundName = 'evil.test'
const receiver = 'taut16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqy3t3cr'
const payment = JSON.stringify({ operations: [{ type: 'transfer', to: receiver, amount: '1' }] })
const peer = JSON.stringify({ url: 'http://127.0.0.1:9' })

interface Request {
  readonly url: string
  readonly method: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly mode?: RequestMode
}

/** What the page gets to see: a status, or that there was nothing for it. */
const send = (page: Page, { url, ...init }: Request): Promise<number | string> =>
  page.evaluate(
    ({ url, init }) =>
      fetch(url, init).then(
        (answer) => (answer.type === 'opaque' ? 'nothing to see' : answer.status),
        () => 'refused by the browser',
      ),
    { url, init },
  )

/** Sends a form, as pages could before there was anything else. @returns the status that the frame got */
const sendForm = async (page: Page, action: string, text: string): Promise<number> => {
  const answer = page.waitForResponse(action)
  await page.evaluate(
    ({ action, text }) => {
      const form = document.createElement('form')
      Object.assign(form, { action, method: 'post', enctype: 'text/plain' })
      const field = document.createElement('input')
      const at = text.indexOf('=') // a form puts one between name and value
      Object.assign(field, {
        name: at < 0 ? text : text.slice(0, at),
        value: at < 0 ? '' : text.slice(at + 1),
      })
      form.append(field)
      document.body.append(form)
      form.submit()
    },
    { action, text },
  )
  await page.waitForURL(action)
  return (await answer).status()
}

const operatorRequests = (url: string, token: string): readonly Request[] => {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return [
    { url: `${url}/v1/wallet/transactions`, method: 'POST', body: payment, headers },
    { url: `${url}/v1/peers`, method: 'POST', body: peer, headers },
    { url: `${url}/v1/peers/${receiver}`, method: 'DELETE', headers },
  ]
}

/** What a page may send without asking first (Fetch, "CORS-safelisted request-header"). */
const simpleRequests = (url: string): readonly Request[] =>
  [
    { path: '/v1/wallet/transactions', body: payment },
    { path: '/v1/peers', body: peer },
  ].map(({ path, body }) => ({
    url: `${url}${path}`,
    method: 'POST',
    body,
    headers: { 'content-type': 'text/plain' },
    mode: 'no-cors',
  }))

const expectUntouched = async ({ client }: Victim): Promise<void> => {
  const { node } = await client.status()
  expect(await client.account(node.address)).toMatchObject({ nonce: 0 })
  expect(await client.peers()).toEqual({ peers: [], dialled: [], bans: [], known: 0 })
}

describe.each([...[node20, deno, bun].map(onRuntime), onWorkerd])(
  'the operator’s doors on $name',
  ({ start }) => {
    test('no page of another origin, of a rebound name, or that sends plain text gets through', async () => {
      const victim = await start()
      const { url, token, client } = victim
      const rebound = url.replace('127.0.0.1', reboundName)
      const context = await openChromium(await temporaryFolder(), [
        `--host-resolver-rules=MAP ${reboundName} 127.0.0.1`,
      ])
      const page = context.pages()[0]!
      const answered: number[] = []
      page.on('response', (response) => {
        if (response.request().method() !== 'GET') answered.push(response.status())
      })

      // Of another origin: what needs to ask first is not allowed to, and what needn't is turned away.
      const foreign = await serveSite({
        '/': { type: 'text/html', body: '<!doctype html><title>evil</title>' },
      })
      await page.goto(foreign)
      for (const request of operatorRequests(url, token))
        expect(await send(page, request), request.url).toBe('refused by the browser')
      for (const request of simpleRequests(url))
        expect(await send(page, request), request.url).toBe('nothing to see')
      expect(answered.filter((status) => status < 400)).toEqual([])
      expect(await sendForm(page, `${url}/v1/wallet/transactions`, payment)).toBe(403)
      await expectUntouched(victim)

      // Of a name that now leads here: the browser takes it for the node's own page, the node doesn't.
      const asRebound = async (): Promise<unknown> => page.goto(`${rebound}/v1/status`)
      await asRebound()
      for (const request of operatorRequests(rebound, token))
        expect(await send(page, request), request.url).toBe(403)
      expect(await sendForm(page, `${rebound}/v1/wallet/transactions`, payment)).toBe(403)
      await asRebound()
      for (const request of operatorRequests(url, token))
        expect(await send(page, request), request.url).toBe('refused by the browser')
      await expectUntouched(victim)

      // Plain text gets nowhere even from the node's own page and with the token.
      await page.goto(`${url}/v1/status`)
      const [wallet, peers] = operatorRequests(url, token)
      for (const request of [wallet!, peers!]) {
        const headers = { ...request.headers, 'content-type': 'text/plain' }
        expect(await send(page, { ...request, headers }), request.url).toBe(415)
      }
      await expectUntouched(victim)

      // The same from there as JSON is let in, so it was not for anything else that the others weren't.
      expect(await send(page, wallet!)).toBeLessThan(300)
      expect(await send(page, peers!)).toBeLessThan(300)
      expect((await client.peers()).dialled).toHaveLength(1)
    })
  },
)
