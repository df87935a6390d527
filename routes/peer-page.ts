/**
 * A page that is a node: `/peer`, whose files are made of `src/explorer`, and the same node as one module for pages of
 * others. All come from this node alone, and the page may dial wherever its join string leads.
 */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { type ReadAsset, respondAsset } from './assets.ts'
import { revalidate } from './caching.ts'
import { defineRoute } from './route.ts'

export const peerAssets = {
  'peer.html': 'text/html',
  'peer.css': 'text/css',
  'peer.js': 'text/javascript',
  'worker.js': 'text/javascript',
  'offline.js': 'text/javascript',
  'tautline.js': 'text/javascript',
} as const

export const peerPageRoute = defineRoute({
  method: 'get',
  path: '/peer',
  operationId: 'getPeerPage',
  tags: ['Operations'],
  summary: 'A page that is a node',
  description:
    'Whoever opens it has a node in that tab, which joins this network, checks every block by itself, and keeps ledger and key in the browser. `/peer/tautline.js` is the same node as one ES module.',
  responses: { 200: { description: 'HTML.', content: { 'text/html': { schema: z.string() } } } },
})

export const mountPeerPage = (app: OpenAPIHono, readAsset: ReadAsset): void => {
  app.openapi(peerPageRoute, (c) => respondAsset(c, readAsset, 'peer.html', headersOf('text/html')))
  for (const [name, type] of Object.entries(peerAssets) as [keyof typeof peerAssets, string][]) {
    if (name !== 'peer.html')
      app.get(`/peer/${name}`, (c) => respondAsset(c, readAsset, name, headersOf(type)))
  }
}

const policy =
  "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; img-src data:; connect-src http: https: ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const headersOf = (type: string): Readonly<Record<string, string>> => ({
  'content-type': `${type}; charset=utf-8`,
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'service-worker-allowed': '/peer', // the page itself lies beside the folder of its files
  'cache-control': revalidate,
})
