import { expect, it } from 'vitest'
import { keyOf, ndjsonInit, serveWorld, transfer } from './world.ts'

it('one sender', async () => {
  const w = await serveWorld()
  const N = 10_000
  const lines: string[] = []
  for (let i = 0; i < N; i++) lines.push(JSON.stringify(await w.sign({ nonce: i })))
  const t = Date.now()
  const r = await fetch(w.url + '/v1/transactions', ndjsonInit(lines.join('\n') + '\n'))
  const out = (await r.text())
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l))
  const dt = Date.now() - t
  const counts: Record<string, number> = {}
  for (const o of out) counts[o.status] = (counts[o.status] ?? 0) + 1
  console.log(
    dt,
    'ms',
    out.length,
    counts,
    out.find((o) => o.type),
  )
  console.log(w.node.status().head, w.node.status().mempool)
}, 120000)
it('many senders via wallet fan-out', async () => {
  const w = await serveWorld()
  const S = 500
  const keys = Array.from({ length: S }, (_, i) => keyOf2(i))
  for (let i = 0; i < S; i += 16)
    await w.node
      .spend({ operations: keys.slice(i, i + 16).map((k) => transfer(k.address, '10000')) })
      .then((s) => w.node.waitUntilFinal(s.id, 5000))
  const lines: string[] = []
  for (let n = 0; n < 20; n++) for (const k of keys) lines.push(JSON.stringify(await w.sign({ nonce: n }, k)))
  const t = Date.now()
  const r = await fetch(w.url + '/v1/transactions', ndjsonInit(lines.join('\n') + '\n'))
  const out = (await r.text())
    .trim()
    .split('\n')
    .map((l) => JSON.parse(l))
  const dt = Date.now() - t
  const counts: Record<string, number> = {}
  for (const o of out) counts[o.status] = (counts[o.status] ?? 0) + 1
  console.log(
    dt,
    'ms',
    out.length,
    counts,
    out.find((o) => o.type),
  )
  console.log(w.node.status().head, w.node.status().mempool)
}, 120000)

import { createNodeSigner } from '../../src/runtime/node/keys.ts'

const keyOf2 = (i: number) => {
  const b = new Uint8Array(32).fill(9)
  b[0] = i & 255
  b[1] = i >> 8
  return createNodeSigner(b)
}
