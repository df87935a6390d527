/** Liveness: this process answers. Whether it syncs or is alone says `/v1/status`. */
import { type OpenAPIHono, z } from '@hono/zod-openapi'
import { respondFresh } from './caching.ts'
import { defineRoute, jsonAnswer } from './route.ts'

export const healthRoute = defineRoute({
  method: 'get',
  path: '/healthz',
  operationId: 'getHealth',
  tags: ['Operations'],
  summary: 'Is it alive?',
  responses: { 200: jsonAnswer('The process answers.', z.strictObject({ status: z.literal('ok') })) },
})

export const mountHealth = (app: OpenAPIHono): void => {
  app.openapi(healthRoute, () => respondFresh('{"status":"ok"}'))
}
