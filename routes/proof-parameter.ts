/** `?proof=true`: the answer becomes something to keep and to check without trusting the node. */
import { z } from '@hono/zod-openapi'

export const proofParameter = z.enum(['true', 'false'], 'expected `true` or `false`').default('false').meta({
  description:
    'With `true` the answer holds a proof and is canonical JSON (RFC 8785), to be saved as it is for `tautline proof check`.',
})
