/**
 * The Worker in front of the Durable Object that is the node: it passes every request on.
 *
 * `wrangler.jsonc` beside this file deploys it.
 */
import type { Env } from './configuration.ts'

export { TautlineNode } from './durable-node.ts'

/** A Worker has one node, and the object of this name is it: another name would be another node. */
const name = 'node'

export default {
  fetch: (request: Request, { TAUTLINE_NODE }: Env): Promise<Response> =>
    TAUTLINE_NODE.get(TAUTLINE_NODE.idFromName(name)).fetch(request),
}
