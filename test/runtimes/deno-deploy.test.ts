/** The file that the guide deploys to Deno Deploy, with the real Deno and no more rights than there: no disk, one variable. */
import { expect, it } from 'vitest'
import { freePorts } from '../e2e/network-process.ts'
import { eventually, spawnProcess, startNode, temporaryFolder } from '../e2e/node-process.ts'
import { pay } from '../e2e/validators.ts'
import { calm, deno, programOf } from './runtimes.ts'

it('the edge function serves a node’s reads from Deno, and nothing that acts', async () => {
  const node = await startNode({ data: await temporaryFolder() })
  await pay(node, 1)
  const port = await freePorts(1)
  const rights = ['--no-prompt', '--allow-net', '--allow-env=TAUTLINE_ORIGINS', '--deny-read', '--deny-write']
  const where = ['--host', '127.0.0.1', '--port', String(port)]
  const args = ['serve', ...rights, ...where, 'src/runtime/edge/deno.ts']
  const running = spawnProcess(await programOf(deno), args, { env: { ...calm, TAUTLINE_ORIGINS: node.url } })
  const url = `http://127.0.0.1:${port}`
  const block = await eventually(
    () => fetch(`${url}/v1/blocks/1`).catch(() => undefined),
    `it does not answer: ${running.stderr()}`,
  )
  expect([block.status, block.headers.get('cache-control')]).toEqual([
    200,
    'public, max-age=31536000, immutable',
  ])
  expect(await block.json()).toEqual(await (await fetch(`${node.url}/v1/blocks/1`)).json())
  const status = await fetch(`${url}/v1/status`)
  expect([status.status, status.headers.get('cache-control')]).toEqual([200, 'public, max-age=1'])
  for (const path of ['/v1/wallet/transactions', '/v1/peers', '/v1/events', '/metrics'])
    expect((await fetch(url + path, { method: 'POST' })).status, path).toBe(404)
})
