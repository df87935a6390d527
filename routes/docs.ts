/**
 * A page to read the description and to try the calls: Swagger UI, from this node alone.
 *
 * The page's policy lets it load and ask nothing but this node, so that the operator's token, typed in here,
 * goes nowhere else.
 */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { type ReadAsset, respondAsset } from './assets.ts'
import { revalidate } from './caching.ts'
import { defineRoute } from './route.ts'

/** What Swagger UI consists of. */
export const docsAssets = { 'swagger-ui-bundle.js': 'text/javascript', 'swagger-ui.css': 'text/css' } as const

export const docsRoute = defineRoute({
  method: 'get',
  path: '/docs',
  operationId: 'getDocs',
  tags: ['Operations'],
  summary: 'A page to try the API',
  responses: { 200: { description: 'HTML.', content: { 'text/html': { schema: z.string() } } } },
})

export const mountDocs = (app: OpenAPIHono, readAsset: ReadAsset): void => {
  app.openapi(docsRoute, (c) =>
    c.body(page, 200, { ...pageHeaders, 'content-type': 'text/html; charset=utf-8' }),
  )
  app.get('/docs/start.js', (c) =>
    c.body(script, 200, { ...pageHeaders, 'content-type': 'text/javascript; charset=utf-8' }),
  )
  for (const [name, type] of Object.entries(docsAssets) as [keyof typeof docsAssets, string][]) {
    const headers = { ...pageHeaders, 'content-type': `${type}; charset=utf-8` }
    app.get(`/docs/${name}`, (c) => respondAsset(c, readAsset, name, headers))
  }
}

// Swagger UI sets styles on its elements and has icons as data; everything else comes from here.
const policy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const pageHeaders = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': revalidate,
}

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Tautline API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="docs"><noscript>This page needs JavaScript; <a href="/openapi.yaml">openapi.yaml</a> doesn't.</noscript></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`

// Without `validatorUrl: null` the page would send the description's address to a validator elsewhere.
const script = `SwaggerUIBundle({
  url: '/openapi.yaml',
  dom_id: '#docs',
  deepLinking: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  validatorUrl: null,
})
`
