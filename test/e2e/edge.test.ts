/** The edge function in the real workerd, in front of real nodes. */
import { readFile, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { verifyProof } from '../../src/client/verify-proof.ts'
import type { Address, Amount, NetworkId } from '../../src/units.ts'
import { foundNetwork, freePorts, startInFolder } from './network-process.ts'
import { type NodeProcess, startNode, temporaryFolder } from './node-process.ts'
import { startWrangler } from './wrangler-process.ts'

/** RFC 8032 §7.1, test 1. */
const receiver = 'taut16adfsqvzky9t042tlmfujeq88g8wzuhnm2nzxfd0qgdx3ac82ydqy3t3cr' as Address

const pay = ({ client }: NodeProcess) =>
  client.spend({ operations: [{ type: 'transfer', to: receiver, amount: '5' as Amount }] }, { wait: true })

const edgeBefore = async (...origins: string[]) =>
  startWrangler({
    config: 'src/runtime/edge/wrangler.jsonc',
    data: await temporaryFolder(),
    vars: () => ({ TAUTLINE_ORIGINS: origins.join(', ') }),
    upAt: '/v1/status',
  })

const cached = (answer: Response) => answer.headers.get('cache-control')
const forever = 'public, max-age=31536000, immutable'

describe('an edge function in front of a node', () => {
  it('gives what the node gives; what can’t change is kept for good, what can for a second, and it outlives the node', async () => {
    const node = await startNode({ data: await temporaryFolder() })
    const paid = await pay(node)
    await pay(node)
    const dead = `http://127.0.0.1:${await freePorts(1)}`
    const { url } = await edgeBefore(dead, node.url)
    const settled = [
      '/v1/genesis',
      '/v1/blocks/1',
      '/v1/headers/1?proof=true',
      '/v1/blocks?from=1&limit=2',
      `/v1/transactions/${paid.id}?proof=true`,
    ]
    const fresh = ['/v1/status', '/v1/blocks/latest', '/v1/blocks?limit=9&from=1', `/v1/accounts/${receiver}`]
    for (const path of [...settled, ...fresh]) {
      const [given, here] = await Promise.all([fetch(url + path), fetch(node.url + path)])
      expect(given.status, path).toBe(200)
      expect(await given.text(), path).toBe(await here.text())
      expect(cached(given), path).toBe(settled.includes(path) ? forever : 'public, max-age=1')
      expect(given.headers.get('access-control-allow-origin'), path).toBe('*')
    }
    const tag = (await fetch(`${url}/v1/blocks/1`)).headers.get('etag')!
    expect((await fetch(`${url}/v1/blocks/1`, { headers: { 'if-none-match': tag } })).status).toBe(304)
    expect(await (await fetch(`${url}/v1/blocks/1`, { method: 'HEAD' })).text()).toBe('')

    const proof = await (await fetch(`${url}/v1/transactions/${paid.id}?proof=true`)).text()
    const network = node.banner.network as NetworkId
    expect(await verifyProof(proof, { network })).toMatchObject({ ok: true })

    await node.kill('SIGKILL')
    for (const path of settled) expect((await fetch(url + path)).status, path).toBe(200)
    const lost = await fetch(`${url}/v1/blocks/77`)
    expect([lost.status, cached(lost), lost.headers.get('retry-after')]).toEqual([503, 'no-store', '5'])
    expect(await lost.json()).toMatchObject({ type: '/problems/no-origin' })
  })

  it('opens no door that acts, for whatever token, and passes no credentials on', async () => {
    const network = await foundNetwork(1)
    const readToken = `${network.out}/read.token`
    await writeFile(readToken, '0123456789abcdef\n', { mode: 0o600 })
    const open = await startInFolder(network.nodes[0]!.folder)
    const { url } = await edgeBefore(open.url)
    const token = (await readFile(open.banner.token, 'utf8')).trim()
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const ask = async (method: string, path: string) => {
      const body = method === 'POST' ? { body: '{}' } : {}
      return (await fetch(url + path, { method, headers, ...body })).status
    }
    for (const path of [
      '/v1/wallet/transactions',
      '/v1/peers',
      '/v1/peer',
      '/v1/peer/messages',
      '/v1/events',
    ]) {
      expect(await ask('GET', path), path).toBe(404)
      expect(await ask('POST', path), path).toBe(404)
    }
    for (const path of ['/metrics', '/docs', '/v1/blocks/../wallet/transactions', '/v1/blocks/%2e%2e/peers'])
      expect(await ask('GET', path), path).toBe(404)
    expect(await ask('POST', '/v1/blocks')).toBe(405)
    expect(await ask('DELETE', '/v1/blocks/1')).toBe(405)

    await open.kill('SIGTERM')
    await startInFolder(network.nodes[0]!.folder, ['--read-token', readToken])
    const closed = await fetch(`${url}/v1/validators`, {
      headers: { authorization: 'Bearer 0123456789abcdef' },
    })
    expect(closed.status).toBe(401) // the token that would open it has stayed here
  })
})
