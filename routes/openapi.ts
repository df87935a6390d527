/** The description of these doors, as it was generated for this version. */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { revalidate } from './caching.ts'
import { defineRoute } from './route.ts'

export const openapiRoute = defineRoute({
  method: 'get',
  path: '/openapi.yaml',
  operationId: 'getDescription',
  tags: ['Operations'],
  summary: 'This description',
  responses: {
    200: { description: 'OpenAPI 3.1.', content: { 'application/yaml': { schema: z.string() } } },
  },
})

export const mountOpenapi = (app: OpenAPIHono, openapiText: string | (() => string)): void => {
  app.openapi(openapiRoute, (c) =>
    c.body(typeof openapiText === 'string' ? openapiText : openapiText(), 200, {
      'content-type': 'application/yaml',
      'cache-control': revalidate,
    }),
  )
}
