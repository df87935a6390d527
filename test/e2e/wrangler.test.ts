/** The node as the guide deploys it: by the configuration that is there, with the real wrangler. */
import { expect, it } from 'vitest'
import { createClient } from '../../src/client/client.ts'
import type { Address, Amount } from '../../src/units.ts'
import { startNode, temporaryFolder } from './node-process.ts'
import { startWrangler } from './wrangler-process.ts'

/** RFC 8032 §7.1, test 1. */
const receiver = 'taut16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqy3t3cr' as Address
const token = 'operator of the worker'

const pageOf = ({ status, headers }: Response) => ({
  status,
  headers: ['content-type', 'content-security-policy', 'cache-control'].map((name) => headers.get(name)),
})

it('wrangler dev joins it to a network by a join string, and it answers as the node does', async () => {
  const node = await startNode({ data: await temporaryFolder() })
  const payment = { operations: [{ type: 'transfer' as const, to: receiver, amount: '5' as Amount }] }
  await node.client.spend(payment, { wait: true })
  const { join } = await node.client.status()
  const { url } = await startWrangler({
    config: 'src/runtime/workerd/wrangler.jsonc',
    data: await temporaryFolder(),
    vars: (own) => ({ TAUTLINE_URL: own, TAUTLINE_JOIN: join, TAUTLINE_OPERATOR_TOKEN: token }),
    upAt: '/v1/blocks/1', // it has caught up
  })
  for (const path of [
    '/v1/genesis',
    '/v1/blocks/1',
    `/v1/accounts/${receiver}`,
    '/v1/validators',
    '/healthz',
  ]) {
    const [given, here] = await Promise.all([fetch(url + path), fetch(node.url + path)])
    expect([given.status, await given.json()], path).toEqual([here.status, await here.json()])
  }
  expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^tautline_head_height 1$/m)
  expect(await (await fetch(`${url}/openapi.yaml`)).json()).toMatchObject({ openapi: '3.1.0' })
  for (const path of [
    '/docs',
    '/docs/swagger-ui.css',
    '/docs/swagger-ui-bundle.js',
    '/peer',
    '/peer/peer.css',
    '/peer/tautline.js',
  ]) {
    const [given, here] = await Promise.all([fetch(url + path), fetch(node.url + path)])
    expect(pageOf(given), path).toEqual(pageOf(here))
    expect((await given.text()) === (await here.text()), path).toBe(true)
  }

  expect((await createClient({ url }).status()).peers).toBe(1)
})
