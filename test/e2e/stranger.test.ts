import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { run, startNode, temporaryFolder } from './node-process.ts'

const script = fileURLToPath(new URL('stranger.mjs', import.meta.url))

it('a program that shares no code with ours signs a transfer that commits', async () => {
  const imports = (await readFile(script, 'utf8')).matchAll(/from '(.+)'/g)
  expect([...imports].map(([, name]) => name)).toEqual(['node:crypto', '@scure/base'])

  const node = await startNode({ data: await temporaryFolder() })
  const token = (await readFile(node.banner.token, 'utf8')).trim()
  const { stdout, stderr } = await run(process.execPath, [script, node.url, token])
  expect(stderr).toBe('')
  const { address, id, payment, account } = JSON.parse(stdout)
  expect(payment).toEqual({ httpStatus: 200, id, status: 'committed', height: 2, index: 0 })
  expect(account).toMatchObject({ address, balance: '499', nonce: 1 })
  expect(await node.client.transaction(id)).toMatchObject({
    status: 'committed',
    transaction: { from: address },
  })
})
